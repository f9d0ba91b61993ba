package admin_test

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// holding keeps back the first record that is put away.
type holding struct {
	domain.Records
	once      sync.Once
	held, let chan struct{}
}

func (h *holding) SetRecord(ctx context.Context, space, key string, value []byte, expires time.Time) error {
	h.once.Do(func() { close(h.held); <-h.let })
	return h.Records.SetRecord(ctx, space, key, value, expires)
}
