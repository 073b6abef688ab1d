package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options of Open.
type Options struct {
	Path string           // file of the SQLite database; its directory exists
	Now  func() time.Time // default time.Now
	Log  *slog.Logger     // default slog.Default()
}

// Ledger is an open database. All methods are safe for concurrent use.
type Ledger struct {
	write *sql.DB // one connection
	read  *sql.DB // several, which cannot write
	often prepared
	now   func() time.Time
	log   *slog.Logger
	pages *pages
	lost  LostEnd // what was left out of a damaged write-ahead log, see LostEnd
}

// prepared are the questions about each host that delivers, twice a minute: to
// parse such a question costs SQLite four times as much as to answer it.
type prepared struct {
	hostByID *sql.Stmt
	denied   *sql.Stmt
}

// prepare is called once the schema is up to date.
func (l *Ledger) prepare() (err error) {
	for _, q := range [...]struct {
		stmt  **sql.Stmt
		query string
	}{{&l.often.hostByID, selectHosts + `WHERE host = $1`}, {&l.often.denied, selectDenied}} {
		if *q.stmt, err = l.read.Prepare(q.query); err != nil {
			return fmt.Errorf("prepare %q: %w", q.query, err)
		}
	}
	return nil
}

// Errors that callers tell apart.
var (
	ErrNotFound     = errors.New("not in the ledger")
	ErrNewerSchema  = errors.New("the ledger was written by a newer plimsoll-collector")
	ErrTokenUnknown = errors.New("the enrolment token is not known here")
	ErrTokenUsed    = errors.New("the enrolment token was used already")
	ErrTokenExpired = errors.New("the enrolment token has expired")
	ErrTokenRevoked = errors.New("the enrolment token was revoked")
	ErrTokenAddress = errors.New("the enrolment token is not for this address")
)

// Open opens or creates the database and brings its schema up to date; a copy
// of the older one is kept beside it first. It refuses a newer schema, and a
// damaged file with ErrDamaged: it is looked through before it is used.
func Open(o Options) (*Ledger, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	l := &Ledger{now: o.Now, log: o.Log}
	l.pages = newPages(func(page int64) {
		o.Log.Error("a page of the ledger does not fit its sum; whoever asks for what is on it gets an error",
			"file", o.Path, "page", page, "remedy", "put the last good copy of the file in its place, with the collector stopped")
	})
	var err error
	if l.lost, err = l.keepLostEnd(o.Path); err != nil {
		return nil, fmt.Errorf("look through the write-ahead log of ledger %s: %w", o.Path, err)
	}
	vfs.Register(l.vfs(), l.pages)
	if err := l.giveSums(o.Path); err != nil {
		return nil, errors.Join(damagedOr(o.Path, fmt.Errorf("give the pages of ledger %s sums: %w", o.Path, err)), l.Close())
	}
	if l.write, err = l.connect(o.Path, 1, ""); err != nil {
		return nil, errors.Join(damagedOr(o.Path, err), l.Close())
	}
	if found, err := soundness(context.Background(), l.write, false); err != nil {
		return nil, errors.Join(damagedOr(o.Path, fmt.Errorf("check ledger %s: %w", o.Path, err)), l.Close())
	} else if found != "" {
		return nil, errors.Join(damagedError(o.Path, found), l.Close())
	}
	if err := l.migrate(o.Path); err != nil {
		return nil, errors.Join(damagedOr(o.Path, err), l.Close())
	}
	if l.read, err = l.connect(o.Path, 4, "PRAGMA query_only = 1"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if l.lost != (LostEnd{}) {
		if err := l.Append(context.Background(), Entry{Actor: Actor, Action: "ledger.behind", Subject: "the ledger's write-ahead log", Detail: l.lost.String()}); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// Close waits for running calls and closes the database.
func (l *Ledger) Close() (err error) {
	for _, db := range [...]*sql.DB{l.read, l.write} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	vfs.Unregister(l.vfs())
	return err
}

// vfs is the name by which SQLite finds the pages of this ledger.
func (l *Ledger) vfs() string { return fmt.Sprintf("ledger-%p", l) }

// connect opens connections to the database; one that is not there is made,
// with room for sums.
func (l *Ledger) connect(path string, conns int, more string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?vfs=" + l.vfs() + "&_txlock=immediate"
	db, err := driver.Open(dsn, func(c *sqlite3.Conn) error {
		if err := c.BusyTimeout(5 * time.Second); err != nil {
			return err
		}
		if info, err := os.Stat(path); err == nil && info.Size() == 0 {
			if err := reserve(c); err != nil {
				return err
			}
		}
		return c.Exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1; " + more)
	})
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.Ping(); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", path, err), db.Close())
	}
	return db, nil
}

// reserve makes the first bytes of a database that is empty yet.
func reserve(c *sqlite3.Conn) error {
	if _, err := c.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, reserved); err != nil {
		return fmt.Errorf("reserve room for the sums: %w", err)
	}
	return c.Exec(fmt.Sprintf("PRAGMA page_size = %d; PRAGMA application_id = %d", pageSize, applicationID))
}

func (l *Ledger) migrate(path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, l.write, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	ctx := context.Background()
	have, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version of ledger %s: %w", path, err)
	}
	switch {
	case have == newest:
		return nil
	case have > newest:
		return fmt.Errorf("ledger %s has schema %d, this program knows up to %d: %w; start that one, or restore the copy it made beside the ledger",
			path, have, newest, ErrNewerSchema)
	case have > 0:
		if err := l.keepCopy(ctx, fmt.Sprintf("%s.schema-%d", path, have)); err != nil {
			return err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring ledger %s from schema %d to %d: %w", path, have, newest, err)
	}
	l.log.Info("ledger schema is up to date", "from", have, "to", newest)
	return nil
}

// keepCopy writes a consistent copy of the database, unless it is there from
// an attempt before.
func (l *Ledger) keepCopy(ctx context.Context, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if _, err := l.write.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return fmt.Errorf("keep a copy of the ledger as %s before changing its schema: %w", to, err)
	}
	return nil
}

// inTx runs do in one write transaction.
func (l *Ledger) inTx(ctx context.Context, what string, do func(*sql.Tx) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := do(tx); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", what, err), rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// rollback undoes tx; that it is over already is no news.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// nextNumber draws the next number of a sequence: 1, 2, 3 … A number drawn in
// a transaction that is rolled back is drawn again.
func nextNumber(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `INSERT INTO numbers (name, last) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET last = numbers.last + 1 RETURNING last`, name).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("draw a number of %s: %w", name, err)
	}
	return n, nil
}

// scanner is a row, of one or of many.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func (l *Ledger) ms() int64 { return l.now().UnixMilli() }
