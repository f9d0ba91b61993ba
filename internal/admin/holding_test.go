package admin_test

import (
	"context"
	"log/slog"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// holding keeps back the first answer that is put away.
type holding struct {
	domain.Records
	once      sync.Once
	held, let chan struct{}
}

func (h *holding) PutReceipt(ctx context.Context, r domain.Receipt) error {
	h.once.Do(func() { close(h.held); <-h.let })
	return h.Records.PutReceipt(ctx, r)
}
