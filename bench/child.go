package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// grace is how long a server may take to end after SIGTERM.
const grace = 15 * time.Second

// child is a server that this process started, with its log in a file.
type child struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	err  error         // of its end; read after done
}

// spawn starts a server. It is in no process group of the terminal's, so that Ctrl-C reaches
// the harness alone, which then ends it by its id.
func (b *bench) spawn(command []string) (*child, error) {
	log := filepath.Join(b.dir, "log-"+strconv.Itoa(len(b.children)))
	file, err := os.Create(log) //nolint:gosec // in our own directory
	if err != nil {
		return nil, err
	}
	defer file.Close()                                                                              //nolint:errcheck // the child has its own descriptor
	c := &child{cmd: exec.Command(command[0], command[1:]...), log: log, done: make(chan struct{})} //nolint:gosec // our own binaries
	c.cmd.Stdout, c.cmd.Stderr = file, file
	c.cmd.SysProcAttr = attributes()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	b.children = append(b.children, c)
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the server: asked first, forced after grace. It has ended when stop returns.
func (c *child) stop() error {
	if c.ended() {
		return nil
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(grace):
	}
	_ = c.cmd.Process.Kill() // it may have ended meanwhile
	<-c.done
	return fmt.Errorf("process %d did not end within %v of SIGTERM and was killed", c.pid(), grace)
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// lastWords is the end of the log, for the error of a server that died.
func (c *child) lastWords() string {
	data, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-2000):])
}

// await calls ready until it returns nil, the server ends, or limit has passed.
func (c *child) await(ctx context.Context, limit time.Duration, ready func() error) error {
	const pause = 200 * time.Microsecond // short, as the start is measured with it
	for deadline := time.Now().Add(limit); ; time.Sleep(pause) {
		err := ready()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case c.ended():
			return fmt.Errorf("the server ended at its start: %w\n%s", c.err, c.lastWords())
		case time.Now().After(deadline):
			return fmt.Errorf("the server is not ready after %v: %w\n%s", limit, err, c.lastWords())
		}
	}
}
