package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

type auditCommand struct {
	Search auditSearchCommand `cmd:"" help:"Search the audit trail: changes, tokens, refusals, and what products told."`
	Export auditExportCommand `cmd:"" help:"Write all that a search finds, as NDJSON or CSV."`
	Access auditAccessCommand `cmd:"" help:"Say who could do what at a time."`
	Verify auditVerifyCommand `cmd:"" help:"Say whether the audit trail is as it was written; with --file without a server."`
	Backup auditBackupCommand `cmd:"" help:"Write the whole audit trail as it is stored, to be kept and verified elsewhere."`
	Key    auditKeyCommand    `cmd:"" help:"Print the public key of checkpoints, a JWK."`
}

// eventFlags select events.
type eventFlags struct {
	Action   string         `name:"action" placeholder:"NAME" help:"As in token.refuse or client.create."`
	Actor    string         `name:"actor" placeholder:"WHO" help:"Who did it; of requests that name nobody else, the client."`
	Client   string         `name:"client" placeholder:"ID" help:"The client that it was about, or that asked."`
	Issuer   string         `name:"issuer" placeholder:"NAME" help:"At this issuer."`
	Tenant   string         `name:"tenant" placeholder:"ID" help:"Of this tenant."`
	Resource string         `name:"resource" placeholder:"WHAT" help:"Of changes KIND or KIND/KEY, as in policy/reader; of calls API, method and path of the rule."`
	Outcome  domain.Outcome `name:"outcome" enum:",success,refused" default:"" placeholder:"WORD" help:"success or refused."`
	From     string         `name:"from" placeholder:"TIME" help:"From then on: 2026-11-23, 2026-11-23T12:00:00Z, 2h (ago), yesterday."`
	To       string         `name:"to" placeholder:"TIME" help:"Before then, in the same ways."`
}

func (f *eventFlags) query(now time.Time) (q admin.EventQuery, err error) {
	q = admin.EventQuery{Action: f.Action, Actor: f.Actor, Client: f.Client, Issuer: f.Issuer, Tenant: f.Tenant, Resource: f.Resource, Outcome: f.Outcome}
	if q.From, err = when("--from", f.From, now); err != nil {
		return q, err
	}
	if q.To, err = when("--to", f.To, now); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, misuse{fmt.Errorf("--from is %s and --to is %s: nothing lies in between", moment(&q.From), moment(&q.To))}
	}
	return q, nil
}

// when reads a time as people say it; empty is none.
func when(flag, text string, now time.Time) (time.Time, error) {
	midnight := now.UTC().Truncate(24 * time.Hour)
	switch text {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if at, err := time.Parse("2006-01-02 15:04", text); err == nil {
		return at, nil
	}
	if at, err := parseTime(text); err == nil {
		return at, nil
	}
	if ago, err := domain.ParseSeconds(text); err == nil && ago > 0 {
		return now.Add(-ago.Duration()), nil
	}
	return time.Time{}, misuse{fmt.Errorf("%s: %q is no time: write 2026-11-23, 2026-11-23T12:00:00Z, today, yesterday, or how long ago it was, as in 30m, 2h or 7d", flag, text)}
}

type auditSearchCommand struct {
	remote
	eventFlags
	Limit int  `name:"limit" default:"50" placeholder:"N" help:"How many at most, the newest first."`
	JSON  bool `name:"json" help:"Print JSON, with everything that is known of each."`
}

// Run prints a line for each event.
func (c auditSearchCommand) Run(ctx context.Context, s *streams) error {
	if c.Limit < 1 || c.Limit > 10_000 {
		return misuse{hinted{fmt.Errorf("--limit is %d; write 1 to 10000", c.Limit), "`postern audit export` writes all there are"}}
	}
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	items, more, err := c.dial().SearchAudit(ctx, q, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		err = s.json(items)
	} else if len(items) == 0 {
		s.say("nothing was found")
	} else {
		err = s.list(eventRows(items))
	}
	if err == nil && more {
		s.hint("there are more: raise --limit, narrow the search, or write all of them with `postern audit export`")
	}
	return err
}

func eventRows(items []audit.EventItem) [][]string {
	rows := [][]string{{"TIME", "ACTION", "OUTCOME", "ACTOR", "CLIENT", "ABOUT", "WHY"}}
	for i := range items {
		e := &items[i]
		why := e.Reason
		if e.Count > 1 {
			why += " ×" + strconv.FormatUint(uint64(e.Count), 10)
		}
		row := []string{e.CreatedAt.Format(time.RFC3339), e.Action, string(e.Outcome), e.Actor, e.ClientID, e.Resource, why}
		for n := range row {
			row[n] = dash(audit.OneLine(row[n])) // D-108: nothing moves the cursor
		}
		rows = append(rows, row)
	}
	return rows
}

type auditExportCommand struct {
	remote
	eventFlags
	Format audit.Format `name:"format" enum:"ndjson,csv" default:"ndjson" placeholder:"FORMAT" help:"ndjson (one event a line) or csv."`
	Out    string       `name:"out" placeholder:"FILE" help:"Write a new file that nobody else can read; left out: standard output."`
}

// Run writes what the server sends, as it comes.
func (c auditExportCommand) Run(ctx context.Context, s *streams) error {
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	return into(s, c.Out, func(w io.Writer) error { return c.dial().ExportAudit(ctx, w, q, c.Format) })
}

// into writes a new private file, or standard output where name is empty or -. A file that is
// not whole is removed.
func into(s *streams, name string, write func(io.Writer) error) error {
	if name == "" || name == "-" {
		return write(s.out)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return misuse{fmt.Errorf("%s is there already; name a new file", name)}
	}
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

type auditBackupCommand struct {
	remote
	File string `arg:"" help:"The new file; - is standard output."`
}

// Run writes the backup.
func (c auditBackupCommand) Run(ctx context.Context, s *streams) error {
	if err := into(s, c.File, func(w io.Writer) error { return c.dial().BackupAudit(ctx, w) }); err != nil {
		return err
	}
	if c.File != "-" {
		s.say("%s holds the audit trail of this moment", c.File)
		s.hint("`postern audit verify --file %s --checkpoints FILE --key FILE` needs no server", quoted(c.File))
	}
	return nil
}

type auditKeyCommand struct {
	remote
	JSON bool `name:"json" help:"The same: a JWK is JSON."`
}

// Run prints the key.
func (c auditKeyCommand) Run(ctx context.Context, s *streams) error {
	key, err := c.dial().CheckpointKey(ctx)
	if err != nil {
		return err
	}
	s.hint("keep it elsewhere than the audit trail: whoever verifies must not ask the one who is verified")
	return s.json(key)
}

// two splits KIND:ID and ISSUER/ID.
func two(flag, text, separator, form string) (a, b string, err error) {
	a, b, ok := strings.Cut(text, separator)
	if !ok || a == "" || b == "" {
		return "", "", misuse{fmt.Errorf("%s: %q is not %s", flag, text, form)}
	}
	return a, b, nil
}
