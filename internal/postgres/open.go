package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/postern-dev/postern/internal/sqlstore"
)

// poolSize is how many connections a node has for reading, and as many for
// writing; one more is its session.
const poolSize = 4

// oldest is the first version of PostgreSQL that is supported.
const oldest = 14

// ErrOld says that PostgreSQL is too old.
var ErrOld = errors.New("PostgreSQL is too old")

// Options of Open. The zero value is right for a look from outside.
type Options struct {
	Node  string // name of the node that opens; one of each may run
	Alone bool   // nobody else may use the database meanwhile
}

// DB is the store of a database that other nodes may use too.
type DB struct {
	*sqlstore.Store
	session *session
}

// Open connects to the database and migrates it. The error wraps ErrNewer where
// it is too new, ErrOld where PostgreSQL is too old, ErrNode where a node of
// this name runs, ErrInUse where one of two wants it alone.
func Open(ctx context.Context, address Address, opt Options) (*DB, error) {
	s := &session{address: address, node: opt.Node, alone: opt.Alone}
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, address.explain(err)
	}
	store, err := open(ctx, address, !opt.Alone)
	if err != nil {
		return nil, errors.Join(address.explain(err), end(conn))
	}
	s.start(conn, store.Wake)
	return &DB{store, s}, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	db.session.close()
	return db.Store.Close()
}

func open(ctx context.Context, address Address, bounded bool) (*sqlstore.Store, error) {
	writer := pool(address, bounded, nil)
	reader := pool(address, bounded, map[string]string{"default_transaction_read_only": "on"})
	err := supported(ctx, writer)
	if err == nil {
		err = migrate(ctx, writer)
	}
	var store *sqlstore.Store
	if err == nil {
		store, err = sqlstore.New(ctx, settings(reader, writer))
	}
	if err != nil {
		return nil, errors.Join(err, reader.Close(), writer.Close())
	}
	return store, nil
}

// settings are what PostgreSQL says differently.
func settings(reader, writer *sql.DB) sqlstore.Config {
	return sqlstore.Config{
		Reader: reader, Writer: writer, Duplicate: duplicate, Retry: retry,
		Isolation: sql.LevelRepeatableRead, Snapshot: sql.LevelRepeatableRead,
		Lock: ` FOR UPDATE`,
		// LOCK TABLE takes no snapshot, so what follows sees all that was committed
		// before the lock was granted.
		Exclusive: `LOCK TABLE feed IN EXCLUSIVE MODE`,
		Announce:  `SELECT pg_notify('` + channel + `', $1)`,
		Clock:     `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`,
		// A dump restored elsewhere has another database or table, a file system
		// restored or a standby promoted another start.
		Era: `'/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || 'feed'::regclass::oid
 || '/' || (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint`,
		Batches:   fmt.Sprintf(`SELECT pg_advisory_xact_lock_shared(%d)`, lockTexts),
		NoBatches: fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, lockTexts),
		Sequences: []string{
			`SELECT setval(pg_get_serial_sequence('interned', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM interned), false)`,
			`SELECT setval(pg_get_serial_sequence('batch', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM batch), false)`,
		},
	}
}

// pool is a few connections, where bounded with limits on how long a statement
// runs and how long a transaction that does nothing keeps its locks.
func pool(address Address, bounded bool, more map[string]string) *sql.DB {
	all := map[string]string{"application_name": "postern"}
	if bounded {
		all["statement_timeout"], all["idle_in_transaction_session_timeout"] = "10s", "10s"
	}
	for k, v := range more {
		all[k] = v
	}
	db := stdlib.OpenDB(*address.with(all))
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	db.SetConnMaxLifetime(time.Hour)
	return db
}

func supported(ctx context.Context, db *sql.DB) error {
	var number int
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&number); err != nil {
		return err
	}
	if number/10000 < oldest {
		return fmt.Errorf("%w: it is version %d, and postern needs %d or newer", ErrOld, number/10000, oldest)
	}
	return nil
}

// duplicate tells the error of an entry of activity that is there already.
func duplicate(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505" && e.ConstraintName == "activity_id"
}

// retry tells errors after which nothing was kept and a new attempt may pass:
// serialization failure, deadlock, and a batch number that another took first.
func retry(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01" || e.Code == "23505" && e.ConstraintName == "batch_node_n")
}
