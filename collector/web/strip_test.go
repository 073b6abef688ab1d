package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestStripIsOfTheFigures: the strip of a month has a day that is down where
// the figures beside it count downtime, and none where they count none.
func TestStripIsOfTheFigures(t *testing.T) {
	_, server := open(t)
	with, without := 0, 0
	for _, month := range []string{"2026-10", "2026-11"} {
		for _, name := range []string{"shop", "office", "lab", "portal"} {
			status, _, body := get(t, server.URL+"/api/v1/services/"+name+"?period="+month)
			if status != http.StatusOK {
				t.Fatalf("%s: status %d", name, status)
			}
			var figures struct {
				Services []struct {
					Down float64 `json:"down_s"`
				}
			}
			if err := json.Unmarshal([]byte(body), &figures); err != nil {
				t.Fatal(err)
			}
			_, _, page := get(t, server.URL+"/services/"+name+"?period="+month)
			for i, section := range strings.Split(page, `id="figures`)[1:] {
				strip, _, _ := strings.Cut(section, "</svg>")
				down := strings.Count(strip, `class="state down"`)
				if is := figures.Services[i].Down; is > 0 != (down > 0) {
					t.Errorf("%s in %s: %g s down, %d days of the strip", name, month, is, down)
				}
				if down > 0 {
					with++
				} else {
					without++
				}
			}
		}
	}
	if with == 0 || without == 0 {
		t.Errorf("%d strips with a day that is down, %d without: the test tests nothing", with, without)
	}
}
