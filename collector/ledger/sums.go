package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// giveSums rewrites a ledger that was made before its pages had sums. The file
// as it was stays beside it as PATH.without-sums; a crash leaves the one or the
// other in place.
func (l *Ledger) giveSums(path string) error {
	was, err := formOfFile(path)
	if err != nil || was != plain {
		return err
	}
	made, kept := path+".with-sums", path+".without-sums"
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // what an attempt left that was killed
	}
	err = l.onOne(path, func(c *sqlite3.Conn) error {
		if _, err := c.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, reserved); err != nil {
			return err
		}
		return c.Exec("VACUUM INTO " + sqlite3.Quote(made))
	})
	if err != nil {
		return err
	}
	err = l.onOne(made, func(c *sqlite3.Conn) error { return c.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)) })
	if err != nil {
		return err
	}
	for _, log := range [...]string{path + "-wal", made + "-wal"} {
		if info, err := os.Stat(log); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s is in use by another program; stop it first", log)
		}
	}
	if err := os.Link(path, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	l.log.Info("the pages of the ledger have sums now", "file", path, "as_it_was", kept)
	return durable.SyncDir(filepath.Dir(path))
}

// onOne looks through the database at path, calls do on a connection of its
// own, and leaves all of it in that one file, on the disk.
func (l *Ledger) onOne(path string, do func(*sqlite3.Conn) error) error {
	ctx := context.Background()
	db, err := l.connect(path, 1, "")
	if err != nil {
		return err
	}
	found, err := soundness(ctx, db, true)
	if err == nil && found != "" {
		err = damagedError(path, found)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	err = conn.Raw(func(c any) error { return do(c.(driver.Conn).Raw()) })
	return errors.Join(err, conn.Close(), db.Close())
}
