package audit

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// backupFormat is the version of the lines of a backup.
const backupFormat = 1

// maxLine bounds a line of a backup, in bytes: an object with a large schema, or a batch.
const maxLine = 64 << 20

// ErrBackup is wrapped where a file is no backup of the audit trail.
var ErrBackup = errors.New("not a backup of the audit trail")

// line is one line of a backup: one of its members is there.
type line struct {
	Begin  *begin     `json:"begin,omitempty"`
	Change *changeRow `json:"change,omitempty"`
	Batch  *batchRow  `json:"batch,omitempty"`
	End    *end       `json:"end,omitempty"`
}

// begin is the first line.
type begin struct {
	Format      int       `json:"format"`
	Time        time.Time `json:"time"`
	Incarnation string    `json:"incarnation"`
}

// end is the last line: without it the file is not all there.
type end struct {
	Last    int64 `json:"last"` // number of the last change, as the store says
	Hash    Hash  `json:"hash"` // of it
	Changes int64 `json:"changes"`
	Batches int64 `json:"batches"`
	Entries int64 `json:"entries"`
}

// changeRow is a change as it is stored. Its object is the stored bytes, which the hash
// covers, so they stand in a string.
type changeRow struct {
	Seq     int64   `json:"seq"`
	Kind    string  `json:"kind"`
	Key     string  `json:"key"`
	Action  string  `json:"action"`
	Version int64   `json:"version"`
	Object  *string `json:"object,omitempty"`
	Actor   string  `json:"actor"`
	At      int64   `json:"at"` // microseconds
	Hash    Hash    `json:"hash"`
}

func rowOfChange(c *domain.Change) *changeRow {
	row := &changeRow{
		Seq: int64(c.Seq), Kind: string(c.Kind), Key: c.Key, Action: c.Action, Version: c.Version,
		Actor: string(c.Actor), At: c.Time.UnixMicro(), Hash: c.Hash,
	}
	if c.Object != nil {
		text := string(c.Object)
		row.Object = &text
	}
	return row
}

func (r *changeRow) change() domain.Change {
	c := domain.Change{
		Seq: domain.Seq(r.Seq), Kind: domain.Kind(r.Kind), Key: r.Key, Action: r.Action, Version: r.Version,
		Actor: domain.Actor(r.Actor), Time: time.UnixMicro(r.At).UTC(), Hash: r.Hash,
	}
	if r.Object != nil {
		c.Object = json.RawMessage(*r.Object)
	}
	return c
}

// batchRow is a batch with its entries.
type batchRow struct {
	Node    string     `json:"node"`
	N       int64      `json:"n"`
	First   string     `json:"first"`
	Last    string     `json:"last"`
	Count   int        `json:"count"`
	Hash    Hash       `json:"hash"`
	Dropped bool       `json:"dropped,omitempty"` // retention took its entries
	Entries []entryRow `json:"entries"`
}

// entryRow is an entry of activity with everything that its batch's hash covers.
type entryRow struct {
	ID          string `json:"id"`
	Action      string `json:"action"`
	Issuer      string `json:"issuer,omitempty"`
	Client      string `json:"client,omitempty"`
	SecretID    string `json:"secret,omitempty"`
	Scope       string `json:"scope,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Tenant      string `json:"tenant,omitempty"`
	Actor       string `json:"actor,omitempty"`
	Details     string `json:"details,omitempty"`
	Source      string `json:"source,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Correlation string `json:"correlation,omitempty"`
	Count       uint32 `json:"count,omitempty"`
}

func rowOfBatch(b *Batch, list []domain.Entry) *batchRow {
	row := &batchRow{
		Node: b.Node, N: b.N, First: b.First.String(), Last: b.Last.String(), Count: b.Entries, Hash: b.Hash, Dropped: b.Dropped,
		Entries: make([]entryRow, len(list)),
	}
	for i := range list {
		e := &list[i]
		row.Entries[i] = entryRow{
			ID: e.ID.String(), Action: string(e.Action), Issuer: e.Issuer, Client: e.Client, SecretID: e.SecretID, Scope: e.Scope,
			Resource: e.Resource, Tenant: e.Tenant, Actor: e.Actor, Details: e.Details, Source: e.Source, Reason: e.Reason,
			Correlation: e.Correlation, Count: e.Count,
		}
	}
	return row
}

func (r *batchRow) batch() (b Batch, list []domain.Entry, err error) {
	b = Batch{Node: r.Node, N: r.N, Entries: r.Count, Hash: r.Hash, Dropped: r.Dropped}
	if b.First, err = domain.ParseEventID(r.First); err != nil {
		return b, nil, err
	}
	if b.Last, err = domain.ParseEventID(r.Last); err != nil {
		return b, nil, err
	}
	list = make([]domain.Entry, len(r.Entries))
	for i := range r.Entries {
		e := &r.Entries[i]
		list[i] = domain.Entry{
			Action: domain.Action(e.Action), Issuer: e.Issuer, Client: e.Client, SecretID: e.SecretID, Scope: e.Scope,
			Resource: e.Resource, Tenant: e.Tenant, Actor: e.Actor, Details: e.Details, Source: e.Source, Reason: e.Reason,
			Correlation: e.Correlation, Count: e.Count,
		}
		if list[i].ID, err = domain.ParseEventID(e.ID); err != nil {
			return b, nil, err
		}
	}
	return b, list, nil
}
