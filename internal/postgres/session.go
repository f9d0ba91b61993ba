package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Keys of advisory locks, which are the database's. They mean nothing elsewhere.
const (
	lockPresence = 7_067_800_001 // shared: a node runs here; exclusive: nobody else does
	lockMigrate  = 7_067_800_002
	lockTexts    = 7_067_800_003 // shared: activity is written, by numbers of texts; exclusive: texts are removed
	lockNode     = 706_780       // with the hash of a node's name: the one of that name
)

const channel = "postern_feed"

// How long a session waits for a lock, and after a failure.
const (
	lockWait  = 3 * time.Second
	lockAgain = 100 * time.Millisecond
	reconnect = time.Second
)

var (
	// ErrInUse says that nodes use the database that somebody wants alone, or
	// that somebody has it alone.
	ErrInUse = errors.New("the database is in use")
	// ErrNode says that a node of this name uses the database already.
	ErrNode = errors.New("another node of this name is using the database")
)

// session is one direct connection that says that this node is there, and hears
// of changes that others commit. It only makes polls earlier: without it nothing
// is missed.
type session struct {
	address Address
	node    string // empty: none
	alone   bool

	cancel context.CancelFunc
	done   chan struct{}
}

// start calls wake for every change that is heard of over the connection, until
// close.
func (s *session) start(conn *pgx.Conn, wake func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.done = cancel, make(chan struct{})
	go s.run(ctx, conn, wake)
}

func (s *session) close() {
	s.cancel()
	<-s.done
}

// connect returns a connection that holds the locks and listens.
func (s *session) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, s.address.with(map[string]string{"application_name": "postern " + s.node}))
	if err != nil {
		return nil, err
	}
	if err = s.lock(ctx, conn); err == nil {
		_, err = conn.Exec(ctx, `LISTEN `+channel)
	}
	if err != nil {
		return nil, errors.Join(err, end(conn))
	}
	return conn, nil
}

// lock takes the locks; those of a process that just ended are soon free.
func (s *session) lock(ctx context.Context, conn *pgx.Conn) error {
	presence := `SELECT pg_try_advisory_lock_shared($1)`
	if s.alone {
		presence = `SELECT pg_try_advisory_lock($1)`
	}
	if err := try(ctx, conn, ErrInUse, presence, lockPresence); err != nil || s.node == "" {
		return err
	}
	err := try(ctx, conn, ErrNode, `SELECT pg_try_advisory_lock($1, hashtext($2))`, lockNode, s.node)
	if errors.Is(err, ErrNode) {
		return fmt.Errorf("%w: %q; give each node a name of its own (node in the configuration)", ErrNode, s.node)
	}
	return err
}

func try(ctx context.Context, conn *pgx.Conn, taken error, text string, args ...any) error {
	for until := time.Now().Add(lockWait); ; {
		var ok bool
		if err := conn.QueryRow(ctx, text, args...).Scan(&ok); err != nil || ok {
			return err
		}
		if time.Now().After(until) {
			return taken
		}
		if err := pause(ctx, lockAgain); err != nil {
			return err
		}
	}
}

// run hears of changes until the context ends, over new connections if need be.
func (s *session) run(ctx context.Context, conn *pgx.Conn, wake func()) {
	defer close(s.done)
	for {
		if conn != nil {
			if _, err := conn.WaitForNotification(ctx); err == nil {
				wake()
				continue
			}
			_ = end(conn) // it is broken, or the node stops
		}
		if pause(ctx, reconnect) != nil {
			return
		}
		conn, _ = s.connect(ctx) // polls go on meanwhile, and tell what is wrong
		wake()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end closes a connection, whatever the context of its user.
func end(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return conn.Close(ctx)
}
