package collector

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// backupHost is a store whose host db-1 is labelled as a backup server.
type backupHost struct{ JudgeStore }

func (backupHost) Hosts(context.Context) ([]ledger.Host, error) {
	return []ledger.Host{{Instance: "db-1", Labels: map[string]string{"role": "backup"}}}, nil
}

// TestExceptionsAreJudged: three file systems of db-1, a backup server, stand at
// 85 % for two minutes, where 80 % is the warning. Each row is the exceptions in
// force and those whose problem opens.
func TestExceptionsAreJudged(t *testing.T) {
	match := func(label, value string) map[string]*regexp.Regexp {
		return map[string]*regexp.Regexp{label: regexp.MustCompile("^(?:" + value + ")$")}
	}
	for _, row := range []struct {
		what   string
		all    []capacity.Exception
		opened string
	}{
		{"none", nil, "/ /srv /var/log"},
		{"logs warn at 90 %", []capacity.Exception{{Resource: "filesystem", Match: match("mountpoint", "/var/log.*"), Warning: 0.9, Critical: 0.95}}, "/ /srv"},
		{"of another resource", []capacity.Exception{{Resource: "memory", Match: match("mountpoint", ".*"), Ignore: true}}, "/ /srv /var/log"},
		{"backup servers are ignored", []capacity.Exception{{Resource: "filesystem", Match: match("role", "backup"), Ignore: true}}, ""},
		{"all others are ignored", []capacity.Exception{{Resource: "filesystem", Not: match("role", "backup"), Ignore: true}}, "/ /srv /var/log"},
		{"it ended at noon", []capacity.Exception{{Resource: "filesystem", Match: match("role", "backup"), Ignore: true, Until: noon.UnixMilli()}}, "/ /srv /var/log"},
	} {
		l, d := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{"/": always(0.85), "/var/log": always(0.85), "/srv": always(0.85)}
		j := newJudge(d, backupHost{l})
		j.opt.Exceptions = func() []capacity.Exception { return row.all }
		for n := range 12 {
			if err := j.round(t.Context(), noon.Add(time.Duration(n)*10*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		records, err := l.Records(t.Context(), ledger.RecordFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var opened []string
		for i := range records {
			_, mount, _ := strings.Cut(records[i].Metric, "mountpoint=")
			opened = append(opened, strings.Trim(mount, `"}`))
		}
		slices.Sort(opened)
		if got := strings.Join(opened, " "); got != row.opened {
			t.Errorf("%s: problems of %q, want %q", row.what, got, row.opened)
		}
	}
}
