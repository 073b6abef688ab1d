package web

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestCalm: what the overview says when nothing is known to be down.
func TestCalm(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	v := &visit{Book: shelf["en"], AsOf: now, Zone: time.UTC}
	up, blind := serviceRow{Name: "shop", State: "up"}, serviceRow{Name: "mail", State: "unknown"}
	heard := hostRow{seen: now.Add(-12 * time.Minute).UnixMilli()}
	for _, row := range []struct {
		name     string
		services []serviceRow
		hosts    []hostRow
		state    string
		says     string
	}{
		{"no service", nil, nil, "unknown", "There is no service in the catalogue yet."},
		{"the first minute", []serviceRow{blind}, nil, "unknown", "the first measurements arrive within a minute"},
		{"all agents silent", []serviceRow{blind}, []hostRow{{}, heard}, "unknown", "no agent delivers. The last one was heard of 12 min ago"},
		{"one is blind", []serviceRow{up, blind}, []hostRow{heard}, "unknown", "Without data: mail."},
		{"both up", []serviceRow{up, up}, []hostRow{heard}, "up", "2"},
	} {
		says, state := v.calm(row.services, row.hosts)
		if state != row.state || !strings.Contains(says, row.says) {
			t.Errorf("%s: got %s %q, want %s with %q", row.name, state, says, row.state, row.says)
		}
	}
}

// TestBehind: what a damaged log left out is said in the reader's language.
func TestBehind(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		lost    ledger.LostEnd
		en, zh  string
		nothing bool
	}{
		{lost: ledger.LostEnd{}, nothing: true},
		{lost: ledger.LostEnd{Bytes: 8192}, en: "all of its 8192 bytes are left out. Do again", zh: "全部 8192 字节均被舍弃。请重做"},
		{lost: ledger.LostEnd{At: 4152, Pages: 3}, en: "damaged at byte 4152, and what was committed behind that is left out, more than 3 pages. Do again", zh: "自第 4152 字节起损坏，其后已提交的内容被舍弃，超过 3 页。请重做"},
	} {
		for lang, want := range map[string]string{"en": row.en, "zh-CN": row.zh} {
			if got := (&visit{Book: shelf[lang]}).behind(row.lost); !strings.Contains(got, want) || row.nothing != (got == "") {
				t.Errorf("%+v in %s: %q, want %q in it", row.lost, lang, got, want)
			}
		}
	}
}
