package collector

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/collector/words"
)

// repairLook is how often a collector that waits for repair looks at its files.
const repairLook = 2 * time.Second

// unsoundError is that files of the data directory are not in order which a
// person can put in order while the collector waits.
type unsoundError struct {
	err error
}

func (e *unsoundError) Error() string { return e.err.Error() }
func (e *unsoundError) Unwrap() error { return e.err }

// repair waits until the ledger's or the authority's files have changed, or ctx
// ends. Meanwhile the page says what is wrong and how it is mended; the agents'
// port stays shut, so that agents keep what they measure in their buffers and
// nothing is acknowledged that cannot be judged. A collector that ended instead
// would be started again and again, and nobody would read why.
func repair(ctx context.Context, opt Options, found *unsoundError) error {
	opt.Log.Error("waiting for repair: nothing is received or judged, agents keep what they measure", "err", found, "page", "http://"+reachable(opt.Config.Listen))
	c := &Collector{opt: opt}
	before := c.unsoundFiles()
	if Loopback(opt.Config.Listen) { // elsewhere it would need the login that is in the ledger
		shelf, err := words.Read()
		if err != nil {
			return err
		}
		if err := c.openPeople(); err != nil {
			return err
		}
		defer func() { _ = c.undo.all() }() // its server closed the port already
		c.pages = repairPage(shelf, found)
		serving, stop := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- c.servePeople(serving) }()
		defer func() {
			stop()
			if err := <-served; err != nil {
				opt.Log.Warn("the page of repair", "err", err)
			}
		}()
	}
	look := time.NewTicker(repairLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			if c.unsoundFiles() != before {
				opt.Log.Info("the files have changed: starting again")
				return nil
			}
		}
	}
}

// unsoundFiles is a sum of sizes and times of the files repair waits for.
func (c *Collector) unsoundFiles() string {
	sum := sha256.New()
	for _, name := range []string{"ledger.db", "ledger.db-wal", "identity"} {
		_ = filepath.WalkDir(c.path(name), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				_, _ = fmt.Fprintln(sum, path, "not there")
				return nil
			}
			if info, err := d.Info(); err == nil && !d.IsDir() {
				_, _ = fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return string(sum.Sum(nil))
}

// repairPage answers everything with what is wrong, in the visitor's language.
func repairPage(shelf words.Shelf, found error) http.Handler {
	page := template.Must(template.New("repair").Parse(`<!doctype html>
<html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Plimsoll</title>
<h1>{{.Title}}</h1><p>{{.Text}}</p><pre>{{.Found}}</pre></html>
`))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/-/healthy":
			_, _ = io.WriteString(w, "alive, waiting for repair\n")
			return
		case "/metrics":
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			_, _ = io.WriteString(w, "# HELP plimsoll_waiting_for_repair 1 while files of the data directory are not in order and nothing is received.\n# TYPE plimsoll_waiting_for_repair gauge\nplimsoll_waiting_for_repair 1\n")
			return
		}
		book := shelf.Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("Retry-After", "10")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = page.Execute(w, struct{ Lang, Title, Text, Found string }{book.Lang, book.T("repair.title"), book.T("repair.text"), found.Error()}) // the visitor left
	})
}

// asUnsound marks an error of opening a file that repair can wait for.
func asUnsound(err error) error {
	if err == nil {
		return nil
	}
	return &unsoundError{err}
}

// open is New, again and again while the collector waits for repair.
func open(ctx context.Context, opt Options) (*Collector, error) {
	for {
		c, err := New(opt)
		var found *unsoundError
		if !errors.As(err, &found) {
			return c, err
		}
		if err := repair(ctx, opt, found); err != nil {
			return nil, err
		}
		opt.Hold = nil // New gave it back
	}
}
