package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/audit"
)

func (q *EventQuery) values() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{
		"action": q.Action, "actor": q.Actor, "client": q.Client, "issuer": q.Issuer, "tenant": q.Tenant, "resource": q.Resource, "outcome": string(q.Outcome),
	} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if !q.From.IsZero() {
		v.Set("from", q.From.UTC().Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		v.Set("to", q.To.UTC().Format(time.RFC3339Nano))
	}
	return v
}

// SearchAudit returns the newest events that the query selects, at most limit, and whether
// there are more.
func (c *Conn) SearchAudit(ctx context.Context, q EventQuery, limit int) (items []audit.EventItem, more bool, err error) {
	v := q.values()
	items = []audit.EventItem{}
	for len(items) < limit {
		v.Set("limit", strconv.Itoa(min(500, limit-len(items))))
		var page struct {
			Items []audit.EventItem `json:"items"`
			Next  string            `json:"next"`
		}
		if err := c.call(ctx, http.MethodGet, "/audit/events?"+v.Encode(), 0, nil, &page); err != nil {
			return nil, false, err
		}
		items = append(items, page.Items...)
		if more = page.Next != ""; !more {
			break
		}
		v.Set("cursor", page.Next)
	}
	return items, more, nil
}

// ExportAudit writes all events that the query selects, however long it takes.
func (c *Conn) ExportAudit(ctx context.Context, w io.Writer, q EventQuery, format audit.Format) error {
	v := q.values()
	v.Set("format", string(format))
	return c.download(ctx, w, "/audit/export?"+v.Encode())
}

// BackupAudit writes the whole audit trail as it is stored.
func (c *Conn) BackupAudit(ctx context.Context, w io.Writer) error {
	return c.download(ctx, w, "/audit/backup")
}

// VerifyAudit makes the server verify its audit trail, however long it takes.
func (c *Conn) VerifyAudit(ctx context.Context) (out audit.Report, err error) {
	err = c.exchange(ctx, http.MethodGet, "/audit/verify", 0, nil, &out)
	return out, err
}

// CheckpointKey returns the public JWK of checkpoints.
func (c *Conn) CheckpointKey(ctx context.Context) (json.RawMessage, error) {
	var out CheckpointKey
	err := c.call(ctx, http.MethodGet, "/audit/key", 0, nil, &out)
	return out.Key, err
}

// AccessOfClient tells what a client could do at a time.
func (c *Conn) AccessOfClient(ctx context.Context, at time.Time, issuer, id string) (out audit.ClientAccess, err error) {
	v := url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}}
	err = c.call(ctx, http.MethodGet, "/audit/access/clients/"+segment(issuer)+"/"+segment(id)+"?"+v.Encode(), 0, nil, &out)
	return out, err
}

// AccessToResource tells which clients could touch a resource at a time.
func (c *Conn) AccessToResource(ctx context.Context, at time.Time, kind, id string) (out audit.ResourceAccess, err error) {
	v := url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}, "kind": {kind}, "id": {id}}
	err = c.call(ctx, http.MethodGet, "/audit/access/resources?"+v.Encode(), 0, nil, &out)
	return out, err
}

// ExplainEvent tells what was decided about a request.
func (c *Conn) ExplainEvent(ctx context.Context, id string) (out Decision, err error) {
	err = c.call(ctx, http.MethodGet, "/audit/decisions/"+segment(id), 0, nil, &out)
	return out, err
}

// download copies an answer that is as long as it is. One that breaks off is an error.
func (c *Conn) download(ctx context.Context, w io.Writer, path string) error {
	resp, err := c.send(ctx, http.MethodGet, path, 0, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	_, err = io.Copy(w, resp.Body)
	if _, ours := errors.AsType[*fs.PathError](err); ours { // of what it is written to
		return err
	}
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	return nil
}
