package evaluate

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// all reads every record; bad ones are nil.
func all(t testing.TB, in io.Reader) (out [][]string, bad int) {
	r := newRecords(in)
	for {
		fields, err := r.next(context.Background())
		var b badRecord
		switch {
		case errors.Is(err, io.EOF):
			return out, bad
		case errors.As(err, &b):
			bad++
			continue
		case err != nil:
			t.Fatal(err)
		}
		record := []string{}
		for _, f := range fields {
			record = append(record, string(f))
		}
		out = append(out, record)
	}
}

// slowly gives a few bytes at a time, so that records cross reads.
type slowly struct{ in io.Reader }

func (s slowly) Read(b []byte) (int, error) { return s.in.Read(b[:min(3, len(b))]) }

func TestRecords(t *testing.T) {
	text := "a,b\n\"x,\"\"y\"\"\",\"line\nend\"\r\n,\n\"\",\"\"\nlast,one"
	want := [][]string{{"a", "b"}, {"x,\"y\"", "line\nend"}, {"", ""}, {"", ""}, {"last", "one"}}
	for name, in := range map[string]io.Reader{"at once": strings.NewReader(text), "slowly": slowly{strings.NewReader(text)}} {
		got, bad := all(t, in)
		if diff := cmp.Diff(want, got); diff != "" || bad != 0 {
			t.Errorf("%s: %d bad\n%s", name, bad, diff)
		}
	}
}

func TestRecordsGoOnAfterABadOne(t *testing.T) {
	got, bad := all(t, strings.NewReader("a\n\"b\nc\nd\n"))
	if diff := cmp.Diff([][]string{{"a"}, {"c"}, {"d"}}, got); diff != "" || bad != 1 {
		t.Errorf("%d bad\n%s", bad, diff)
	}
}

// FuzzRecords: what the standard reader reads, this one reads the same (an
// empty line, which that one skips, is a record of one empty field).
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"\",b\r\n\"\n\",\n", "a\n\n\"b\n", ",,\n\"\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, bad := all(t, slowly{strings.NewReader(text)})
		standard := csv.NewReader(strings.NewReader(strings.ToValidUTF8(text, "?")))
		standard.FieldsPerRecord = -1
		want, err := standard.ReadAll()
		if err != nil || bad > 0 || strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") || strings.Contains(text, "\r\n") && strings.Contains(text, "\"") {
			return
		}
		kept := [][]string{}
		for _, record := range got {
			if len(record) > 1 || record[0] != "" {
				kept = append(kept, record)
			}
		}
		wanted := [][]string{}
		for _, record := range want {
			if len(record) > 1 || record[0] != "" {
				wanted = append(wanted, record)
			}
		}
		if diff := cmp.Diff(wanted, kept); diff != "" {
			t.Errorf("%q\n%s", text, diff)
		}
	})
}

// FuzzFacts: no line makes the reader of facts fall over, and what it takes
// is complete.
func FuzzFacts(f *testing.F) {
	f.Add("2026-06-10T00:00:00Z,a,up,p,,,")
	f.Add("1781049600000,a,degraded,,2026-06-10T00:00:00+08:00,1d12h,1.5")
	f.Fuzz(func(t *testing.T, line string) {
		l, faults := readHeader([][]byte{[]byte("time"), []byte("component"), []byte("state"), []byte("observer"), []byte("received_at"), []byte("hold"), []byte("latency_ms")})
		if faults != nil {
			t.Fatal(faults)
		}
		fields, err := newRecords(strings.NewReader(line)).next(context.Background())
		if err != nil {
			return
		}
		if r, err := l.parse(fields); err == nil && (len(r.component) == 0 || r.state == 0 || r.hold < -1) {
			t.Errorf("%q is taken as %+v", line, r)
		}
	})
}
