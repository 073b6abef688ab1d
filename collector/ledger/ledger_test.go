package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/people"
)

// opener opens a ledger on the same storage each time it is called, so that a
// test can close it and come back.
type opener func(t *testing.T) *Ledger

// onSQLite gives an opener on a fresh file. The clock stands.
func onSQLite(t *testing.T) opener {
	path := filepath.Join(t.TempDir(), "ledger.db")
	return func(t *testing.T) *Ledger {
		t.Helper()
		l, err := Open(Options{Path: path, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
}

func onSQLiteB(b *testing.B) *Ledger {
	b.Helper()
	l, err := Open(Options{Path: filepath.Join(b.TempDir(), "ledger.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// TestSQLite runs the contract every ledger has to keep on SQLite.
func TestSQLite(t *testing.T) { contract(t, onSQLite) }

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, refused := Open(Options{Path: path})
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	newest, err := strconv.Atoi(files[len(files)-1].Name()[:5])
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("ledger %s has schema 99, this program knows up to %d: the ledger was written by a newer plimsoll-collector; "+
		"start that one, or restore the copy it made beside the ledger", path, newest)
	if !errors.Is(refused, ErrNewerSchema) || refused.Error() != want {
		t.Fatalf("got  %v\nwant %s", refused, want)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the refused ledger was written to (%v)", err)
	}
}

func TestPathWithOddCharacters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Options{Path: filepath.Join(dir, "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	l := onSQLite(t)(t)
	if _, err := l.read.ExecContext(context.Background(), `DELETE FROM audit`); err == nil {
		t.Error("a read connection deleted")
	}
}

func TestSettingsOfTheDatabase(t *testing.T) {
	l := onSQLite(t)(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := l.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", pragma, got, err, want)
		}
	}
}

// TestAuditSeesTampering changes one thing behind the ledger's back at a time.
func TestAuditSeesTampering(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"nothing", ``, ``},
		{"entry changed", `UPDATE audit SET actor = 'mallory' WHERE seq = 2`, `entry 2 was changed`},
		{"entry removed", `DELETE FROM audit WHERE seq = 2`, `entry 3 follows entry 1: some are missing`},
		{"last entries removed", `DELETE FROM audit WHERE seq > 2`, `PRB-2026-000001 differs from what the chain says was written`},
		{"entries exchanged", `UPDATE audit SET seq = -seq WHERE seq IN (2, 3); UPDATE audit SET seq = 5 + seq WHERE seq < 0`, `entry 2 does not continue the entry before it`},
		{"record changed", `UPDATE records SET body = replace(body, '"impact":2', '"impact":3')`, `PRB-2026-000001 differs from what the chain says was written`},
		{"record removed", `DELETE FROM amendments; DELETE FROM evidence; DELETE FROM breaches; DELETE FROM records`, `PRB-2026-000001 is told of, but no longer in the ledger`},
		{"amendment removed", `DELETE FROM amendments WHERE seq = 1`, `PRB-2026-000001 differs from what the chain says was written`},
		{"evidence changed", `UPDATE evidence SET body = replace(body, '"used":91', '"used":99')`, `PRB-2026-000001 differs from what the chain says was written`},
		{"catalogue changed", `UPDATE catalogues SET source = 'b'`, `catalogue 1 differs from what the chain says was written`},
		{"role raised", `UPDATE users SET role = 'admin'`, `user li differs from what the chain says was written`},
		{"password exchanged", `UPDATE users SET password = 'x'`, `user li differs from what the chain says was written`},
		{"user inserted", `INSERT INTO users VALUES ('eve', 'admin', 'x', 0, 0, 0)`, `user eve is in the ledger, but no entry tells of it`},
		{"user removed", `DELETE FROM users`, `user li is told of, but no longer in the ledger`},
		{"last login, which nothing rests on", `UPDATE users SET last_login = 7`, ``},
		{"catalogue inserted", `INSERT INTO catalogues VALUES (2, 'x', 'y', 0)`, `catalogue 2 is in the ledger, but no entry tells of it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, ctx := onSQLite(t)(t), context.Background()
			must(t, second(l.AddCatalogue(ctx, []byte("a"), "h", 1)))
			for range 2 {
				must(t, second(l.OpenProblem(ctx, problem("db-1", "/data"))))
			}
			must(t, l.AddUser(ctx, people.User{Name: "li", Role: people.Viewer, Password: "hash"}, people.Act{Who: "root"}))
			must(t, l.Append(ctx, Entry{Action: "login", Actor: "li", Subject: "li"}))
			if _, err := l.write.Exec(c.sql); err != nil {
				t.Fatal(err)
			}
			v, err := l.Verify(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(v.Faults) > 0 {
				got = v.Faults[0]
			}
			if got != c.want {
				t.Errorf("got %q, want %q (all: %q)", got, c.want, v.Faults)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// second picks the error of a call with three results.
func second[A, B any](_ A, _ B, err error) error { return err }
