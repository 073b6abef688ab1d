package words

import (
	"fmt"
	"math"
	"math/big"
	"sort"
	"strings"
	"testing"
	"time"
)

// verbs lists the arguments a text takes, whatever their order.
func verbs(text string) string {
	n := 0
	var all []string
	for _, m := range argument.FindAllString(text, -1) {
		if m == "%s" {
			n++
			m = fmt.Sprintf("%%[%d]s", n)
		}
		all = append(all, m)
	}
	sort.Strings(all)
	return strings.Join(all, "")
}

// TestLanguagesSayTheSame: same keys, same arguments, in every language.
func TestLanguagesSayTheSame(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	en := shelf["en"].text
	if len(en) < 200 {
		t.Errorf("only %d texts", len(en))
	}
	for lang, book := range shelf {
		for key, text := range book.text {
			other, ok := en[key]
			if !ok {
				t.Errorf("%s has %s, en has not", lang, key)
			} else if verbs(text) != verbs(other) {
				t.Errorf("%s: %s takes %s, in en %s", lang, key, verbs(text), verbs(other))
			}
		}
		for key := range en {
			if !book.Has(key) {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
	}
}

func TestPercentIsTruncated(t *testing.T) {
	en := &Book{text: map[string]string{"no.value": "no value"}}
	for _, c := range []struct {
		v        float64
		decimals int
		want     string
	}{
		{0.999949, 3, "99.994\u00a0%"}, {0.99994999999, 3, "99.994\u00a0%"}, {0.998, 3, "99.800\u00a0%"}, {1, 3, "100.000\u00a0%"}, {0.9999999999, 3, "99.999\u00a0%"},
		{0, 3, "0.000\u00a0%"}, {0.05, 0, "5\u00a0%"}, {1e-9, 3, "0.000\u00a0%"}, {0.29, 0, "29\u00a0%"}, {math.NaN(), 1, "no value"},
	} {
		if got := en.Percent(&c.v, c.decimals); got != c.want {
			t.Errorf("Percent(%v, %d): got %q, want %q", c.v, c.decimals, got, c.want)
		}
	}
	if got := en.Percent(nil, 3); got != "no value" {
		t.Errorf("Percent(nil): got %q", got)
	}
	v := 0.9995
	if got := en.Share(&v); got != "99.95\u00a0%" {
		t.Errorf("Share: got %q", got)
	}
}

func TestSeconds(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		v      float64
		en, zh string
	}{
		{0, "0 s", "0 秒"}, {0.25, "0.25 s", "0.25 秒"}, {12, "12 s", "12 秒"}, {12.9, "12 s", "12 秒"}, {1865, "31 min 5 s", "31 分 5 秒"},
		{3600, "1 h", "1 小时"}, {4980, "1 h 23 min", "1 小时 23 分"}, {86400*3 + 3600*4 + 59*60, "3 d 4 h", "3 天 4 小时"}, {-90, "−1 min 30 s", "−1 分 30 秒"},
	} {
		if got := shelf["en"].Seconds(&c.v); got != c.en {
			t.Errorf("en %v: got %q, want %q", c.v, got, c.en)
		}
		if got := shelf["zh-CN"].Seconds(&c.v); got != c.zh {
			t.Errorf("zh-CN %v: got %q, want %q", c.v, got, c.zh)
		}
	}
	if got := shelf["zh-CN"].Month("2026-11"); got != "2026年11月" {
		t.Errorf("Month: got %q", got)
	}
	if got := Instant(time.UnixMilli(0), time.FixedZone("CST", 8*3600)); got != "1970-01-01 08:00:00 +08:00" {
		t.Errorf("Instant: got %q", got)
	}
}

func TestChoose(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ wish, accept, want string }{
		{"", "", "en"}, {"", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"}, {"", "de, en;q=0.1, zh;q=0.5", "zh-CN"}, {"en", "zh-CN", "en"},
		{"zh", "", "zh-CN"}, {"xx", "zh-TW", "zh-CN"}, {"", "zh;q=0, fr", "en"}, {"", ";;;,q=x", "en"},
	} {
		if got := shelf.Choose(c.wish, c.accept).Lang; got != c.want {
			t.Errorf("Choose(%q, %q): got %s, want %s", c.wish, c.accept, got, c.want)
		}
	}
}

// FuzzParse: a file either parses or names a line; what parses can be asked.
func FuzzParse(f *testing.F) {
	f.Add("a = b\n# c\n\nd = %s")
	f.Fuzz(func(t *testing.T, data string) {
		text, err := parse(data)
		if err == nil {
			for key := range text {
				if key == "" {
					t.Error("an empty key")
				}
			}
		}
	})
}

// TestUpperEndsAreRoundedUp: an upper end is never printed below its value,
// and no further above it than its last digit.
func TestUpperEndsAreRoundedUp(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	en := shelf["en"]
	for _, c := range []struct {
		exact, down, up string
	}{
		{"651899/1000000", "65.189\u00a0%", "65.190\u00a0%"}, {"0.65190", "65.190\u00a0%", "65.190\u00a0%"}, {"0.651900001", "65.190\u00a0%", "65.191\u00a0%"},
		{"0", "0.000\u00a0%", "0.000\u00a0%"}, {"1", "100.000\u00a0%", "100.000\u00a0%"}, {"0.99999999", "99.999\u00a0%", "100.000\u00a0%"}, {"1/3", "33.333\u00a0%", "33.334\u00a0%"},
	} {
		r, ok := new(big.Rat).SetString(c.exact)
		if !ok {
			t.Fatal(c.exact)
		}
		if down, up := en.Ratio(r, 3), en.RatioUp(r, 3); down != c.down || up != c.up {
			t.Errorf("%s: got %q to %q, want %q to %q", c.exact, down, up, c.down, c.up)
		}
	}
	for _, c := range []struct {
		s  float64
		up string
	}{
		{0, "0 s"}, {0.25, "0.25 s"}, {2.0001, "2.001 s"}, {12, "12 s"}, {12.001, "13 s"}, {59.5, "1 min"}, {3600, "1 h"}, {3600.5, "1 h 1 min"},
		{86400*3 + 3600*4, "3 d 4 h"}, {86400*3 + 3600*4 + 1, "3 d 5 h"}, {86400*4 - 1, "4 d"},
	} {
		if got := en.SecondsUp(&c.s); got != c.up {
			t.Errorf("%v s: got %q, want %q", c.s, got, c.up)
		}
	}
}

// TestVerdictsAreProvisionalUntilThePeriodIsOver: what may still change says so.
func TestVerdictsAreProvisionalUntilThePeriodIsOver(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		state  string
		over   bool
		en, zh string
	}{
		{"met", true, "met", "达标"}, {"met", false, "met so far", "目前达标"}, {"below_target", false, "below target so far", "目前未达目标"},
		{"unacceptable", false, "unacceptable so far", "目前不可接受"}, {"insufficient_data", false, "insufficient data", "数据不足"},
	} {
		if en, zh := shelf["en"].Verdict(c.state, c.over), shelf["zh-CN"].Verdict(c.state, c.over); en != c.en || zh != c.zh {
			t.Errorf("%s, over %v: got %q and %q", c.state, c.over, en, zh)
		}
	}
}
