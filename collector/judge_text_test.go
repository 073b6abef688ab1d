package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestRecordsAreWrittenAsThePagesDo: the record package knows no words, and
// still an instant and a duration look the same in a record and beside it.
func TestRecordsAreWrittenAsThePagesDo(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	zones := []*time.Location{time.UTC, time.FixedZone("CST", 8*3600)}
	for _, hold := range []time.Duration{0, 30 * time.Second, 15 * time.Minute, 90 * time.Minute, 26 * time.Hour} {
		for _, zone := range zones {
			f := record.Finding{Resource: "memory", Component: "vm", Used: 9, Capacity: 10, Threshold: 0.8, Hold: hold,
				Since: noon.In(zone), At: noon.Add(hold).In(zone)}
			_, detail := f.Opening()
			for lang, text := range map[string]string{"en": detail.English, "zh-CN": detail.Chinese} {
				for _, want := range []string{words.Instant(f.Since, zone), words.Instant(f.At, zone), shelf.Choose(lang, "").Millis(hold.Milliseconds())} {
					if !strings.Contains(text, want) {
						t.Errorf("%s: %q lacks %q", lang, text, want)
					}
				}
			}
		}
	}
}
