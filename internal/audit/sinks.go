package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// File is a file that checkpoints are appended to, one a line.
type File struct{ Path string }

// String is the path.
func (f File) String() string { return f.Path }

// Send appends a line and waits until it is on the disk.
func (f File) Send(_ context.Context, checkpoint string) (err error) {
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	line := checkpoint + "\n"
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		var last [1]byte
		if _, err := file.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			line = "\n" + line // the one before was cut off in the writing
		}
	}
	if _, err := io.WriteString(file, line); err != nil {
		return err
	}
	return file.Sync()
}

// Webhook is a URL that checkpoints are sent to.
type Webhook struct {
	URL    string
	Client *http.Client // follows no redirect
}

// NewWebhook sends to a URL and to no other that it may point to.
func NewWebhook(url string) Webhook {
	return Webhook{URL: url, Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// String is the host: the rest may be a secret.
func (w Webhook) String() string {
	if _, rest, ok := strings.Cut(w.URL, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		return "webhook " + host
	}
	return "webhook"
}

// Send posts it as a compact JWS (RFC 7515 §9.2.1). Any 2xx will do.
func (w Webhook) Send(ctx context.Context, checkpoint string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, strings.NewReader(checkpoint))
	if err != nil {
		return errors.New("not a URL")
	}
	req.Header.Set("Content-Type", "application/jose")
	resp, err := w.Client.Do(req)
	if err != nil {
		var wrapped interface{ Unwrap() error } // *url.Error, which shows the URL
		if errors.As(err, &wrapped) && wrapped.Unwrap() != nil {
			err = wrapped.Unwrap()
		}
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is used again
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("answered %d", resp.StatusCode)
	}
	return nil
}

// Syslog is a syslog that checkpoints are sent to (RFC 5424), over TCP (RFC 6587, with octet
// counting), UDP (RFC 5426) or a Unix datagram socket.
type Syslog struct {
	Network, Address string // as net.Dial takes them
	Node             string // the HOSTNAME
	Now              func() time.Time
}

// priority is facility 13 (log audit) and severity 5 (notice).
const priority = 13<<3 | 5

// String is the address.
func (s Syslog) String() string { return "syslog " + s.Network + ":" + s.Address }

// Send sends one message. Over UDP nobody says whether it arrived.
func (s Syslog) Send(ctx context.Context, checkpoint string) (err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, s.Network, s.Address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("<%d>1 %s %s postern %d checkpoint - %s", priority, s.Now().UTC().Format("2006-01-02T15:04:05.000000Z"), s.Node, os.Getpid(), checkpoint)
	if s.Network == "tcp" {
		text = strconv.Itoa(len(text)) + " " + text
	}
	_, err = io.WriteString(conn, text)
	return err
}
