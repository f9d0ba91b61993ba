package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/oauth/jwt"
)

type auditVerifyCommand struct {
	remote
	File        string `name:"file" placeholder:"FILE" help:"Verify this backup (postern audit backup), without a server."`
	Checkpoints string `name:"checkpoints" placeholder:"FILE" help:"Hold the trail against these checkpoints: a tail that was cut off, and a chain that was written anew, are found only so."`
	Key         string `name:"key" placeholder:"FILE" help:"Their public key (postern audit key), a JWK or JWK set; without --file it may be left out, and the server is asked."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// Help says what the exit codes mean.
func (auditVerifyCommand) Help() string {
	return "Exits with 0 if all is as it was written, with 1 if not. Without --checkpoints the server recomputes its chains itself. With them, and with --file, everything is recomputed here, " +
		"and the server is not taken at its word."
}

// Run verifies, and prints what was found.
func (c auditVerifyCommand) Run(ctx context.Context, s *streams) error {
	r, err := c.report(ctx, s)
	if err != nil {
		return err
	}
	if c.JSON {
		err = s.json(r)
	} else {
		err = printReport(s, &r)
	}
	if err != nil {
		return err
	}
	if n := len(r.Problems) + r.More; n > 0 {
		return hinted{fmt.Errorf("the audit trail is not as it was written: %s", plural(n, "problem")), "docs/audit.md says what each means, and what to keep"}
	}
	if c.Checkpoints == "" {
		s.hint("a tail that was cut off is found only against checkpoints: --checkpoints FILE")
	}
	return nil
}

func (c auditVerifyCommand) report(ctx context.Context, s *streams) (r audit.Report, err error) {
	switch {
	case c.Key != "" && c.Checkpoints == "":
		return r, misuse{errors.New("--key goes with --checkpoints")}
	case c.Checkpoints != "" && c.Key == "" && c.File != "":
		return r, misuse{hinted{errors.New("--key is missing: anybody can write a checkpoint, and the key tells ours"), "it is what `postern audit key` printed"}}
	case c.File == "" && c.Checkpoints == "":
		return c.dial().VerifyAudit(ctx)
	}
	conn := c.dial()
	points, wrong, err := c.points(ctx, s, conn)
	if err != nil {
		return r, err
	}
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return r, err
		}
		defer file.Close() //nolint:errcheck // read only
		r, err = audit.VerifyBackup(file, points...)
		if err != nil {
			return r, fmt.Errorf("%s: %w", c.File, err)
		}
	} else if r, err = verifyFrom(ctx, conn, points); err != nil {
		return r, err
	}
	r.Problems = append(r.Problems, wrong...)
	return r, nil
}

// verifyFrom verifies here what the server sends, and adds what only the server sees: what
// stands beside the trail.
func verifyFrom(ctx context.Context, conn *admin.Conn, points []audit.Checkpoint) (audit.Report, error) {
	from, to := io.Pipe()
	go func() { to.CloseWithError(conn.BackupAudit(ctx, to)) }()
	r, err := audit.VerifyBackup(from, points...)
	if err = errors.Join(err, from.Close()); err != nil {
		return r, err
	}
	theirs, err := conn.VerifyAudit(ctx)
	for _, p := range theirs.Problems {
		if !slices.Contains(r.Problems, p) {
			r.Problems = append(r.Problems, p)
		}
	}
	return r, err
}

// points reads the checkpoints. A line that is none of ours is a problem.
func (c auditVerifyCommand) points(ctx context.Context, s *streams, conn *admin.Conn) (list []audit.Checkpoint, wrong []audit.Problem, err error) {
	if c.Checkpoints == "" {
		return nil, nil, nil
	}
	keys, err := c.keys(ctx, s, conn)
	if err != nil {
		return nil, nil, err
	}
	file, err := os.Open(c.Checkpoints)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close() //nolint:errcheck // read only
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		one, err := audit.ReadCheckpoint(text, keys)
		if err != nil {
			wrong = append(wrong, audit.Problem{What: fmt.Sprintf("line %d of %s is %v", n, c.Checkpoints, err)})
			continue
		}
		list = append(list, one)
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Checkpoints, err)
	}
	if len(list) == 0 {
		wrong = append(wrong, audit.Problem{What: c.Checkpoints + " holds no checkpoint"})
	}
	return list, wrong, nil
}

// keys are those that checkpoints are believed by.
func (c auditVerifyCommand) keys(ctx context.Context, s *streams, conn *admin.Conn) (jwt.Keys, error) {
	var data []byte
	var err error
	if c.Key == "" {
		s.hint("the key of checkpoints is the server's own word; keep what `postern audit key` prints elsewhere, and name it with --key")
		data, err = conn.CheckpointKey(ctx)
	} else {
		data, err = input(c.Key)
	}
	if err != nil {
		return jwt.Keys{}, err
	}
	if key, err := jwt.ParsePublicJWK(data); err == nil {
		return jwt.NewKeys(key)
	}
	set, err := jwt.ParseJWKS(data)
	if err != nil {
		return jwt.Keys{}, fmt.Errorf("%s: neither a public JWK nor a JWK set: %w", c.Key, err)
	}
	return set, nil
}

func printReport(s *streams, r *audit.Report) error {
	rows := [][]string{
		{"changes", fmt.Sprint(r.Changes)},
		{"activity", fmt.Sprintf("%s in %s of %s", counted(r.Entries, "entry", "entries"), counted(r.Batches, "batch", "batches"), counted(int64(r.Nodes), "node", "nodes"))},
	}
	if r.DroppedBatches > 0 {
		rows = append(rows, []string{"dropped", fmt.Sprintf("%s in %s, up to %s: by retention, their hashes hold",
			counted(r.DroppedEntries, "entry", "entries"), counted(r.DroppedBatches, "batch", "batches"), moment(r.DroppedUntil))})
	}
	if r.Checkpoints > 0 {
		rows = append(rows, []string{"checkpoints", fmt.Sprintf("%d, the last of %s", r.Checkpoints, moment(r.LastCheckpoint))})
	}
	var problems []string
	for _, p := range r.Problems {
		problems = append(problems, audit.OneLine(p.String()))
	}
	if r.More > 0 {
		problems = append(problems, fmt.Sprintf("and %d more", r.More))
	}
	if len(problems) == 0 {
		rows = append(rows, []string{"verdict", "as it was written"})
	}
	block(&rows, "problems", problems)
	return s.table(rows)
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
