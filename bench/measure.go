package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// settle is how long after the last answer CPU time still counts: a server
// that does its writing in batches pays for it then.
const settle = 400 * time.Millisecond

// demand is a run of load.
type demand struct {
	requests      int
	warmup        int
	duration      time.Duration // at most
	newConnection bool
	pick          string
	guess         bool
	seed          int
	freshEvery    int // of calls, one in so many is with a token that was never sent; 0: none
	freshFrom     int // how many of those were sent before
}

// fresh is how many tokens a run of calls uses up at most.
func (d demand) fresh() int {
	if d.freshEvery == 0 {
		return 0
	}
	return d.requests/d.freshEvery + d.warmup/d.freshEvery + 2
}

// sample is one run of load against one server.
type sample struct {
	CPU float64 `json:"cpu_us"` // CPU time of the server's process per answer, microseconds
	fixture.Report
}

// generator is the command that makes the load. What it complains of is kept.
func (b *bench) generator(ctx context.Context, s *server, d demand) (*exec.Cmd, *opening) {
	args := []string{
		"-wait", "-connections", strconv.Itoa(b.connections), "-requests", strconv.Itoa(d.requests), "-warmup", strconv.Itoa(d.warmup),
		"-duration", d.duration.String(), "-pick", d.pick, "-seed", strconv.Itoa(d.seed),
		"-new-connection=" + strconv.FormatBool(d.newConnection), "-guess=" + strconv.FormatBool(d.guess),
	}
	if s.launch.calls != "" {
		args = append(args, "-url", s.origin, "-calls", s.launch.calls,
			"-fresh-every", strconv.Itoa(d.freshEvery), "-fresh-from", strconv.Itoa(d.freshFrom))
	} else {
		args = append(args, "-url", s.tokenURL, "-clients", s.launch.clients)
	}
	cmd := exec.CommandContext(ctx, b.load, args...) //nolint:gosec // our own binary
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	complaint := &opening{}
	cmd.Stderr = complaint
	return cmd, complaint
}

// measure loads the server and reads what that cost it. What the warm-up and
// the opening of kept connections cost is not in it.
func (b *bench) measure(ctx context.Context, s *server, d demand) (sample, error) {
	cmd, complaint := b.generator(ctx, s, d)
	in, err := cmd.StdinPipe()
	if err != nil {
		return sample{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return sample{}, err
	}
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	var result sample
	err = func() error {
		lines := bufio.NewReader(out)
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
		before, err := cpuTime(s.pid())
		if err != nil {
			return err
		}
		if _, err := in.Write([]byte("\n")); err != nil {
			return err
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		if err := json.Unmarshal(line, &result.Report); err != nil {
			return err
		}
		time.Sleep(settle)
		after, err := cpuTime(s.pid())
		result.CPU = float64((after - before).Microseconds()) / float64(max(result.Answers, 1))
		return err
	}()
	if ended := cmd.Wait(); ended != nil {
		err = fmt.Errorf("%w: %s", ended, complaint)
	}
	if err != nil {
		return result, fmt.Errorf("load %s: %w", s.name, err)
	}
	return result, s.plausible(d, result)
}

// plausible refuses a run that measured something else than was meant.
func (s *server) plausible(d demand, r sample) error {
	switch {
	case r.Answers == 0:
		return fmt.Errorf("load %s: no answer at all", s.name)
	case s.launch.calls != "" && r.Answers < d.requests:
		return fmt.Errorf("load %s: %d of %d calls within %v", s.name, r.Answers, d.requests, d.duration)
	case s.launch.calls == "" && !d.guess && r.Algorithm != s.setup.algorithm:
		return fmt.Errorf("load %s: tokens are signed with %q, not %s", s.name, r.Algorithm, s.setup.algorithm)
	case d.newConnection && r.Connections < r.Answers:
		return fmt.Errorf("load %s: %d connections for %d answers", s.name, r.Connections, r.Answers)
	case !d.newConnection && r.Connections > r.Answers/100:
		return fmt.Errorf("load %s: the server does not keep connections: %d opened", s.name, r.Connections)
	}
	return nil
}

// opening keeps the beginning of what is written, which is where an error stands.
type opening struct{ text []byte }

func (t *opening) Write(p []byte) (int, error) {
	t.text = append(t.text, p[:min(len(p), max(0, 2000-len(t.text)))]...)
	return len(p), nil
}

func (t opening) String() string { return string(t.text) }
