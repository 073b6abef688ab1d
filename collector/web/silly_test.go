package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSillyValues: whatever stands in a parameter or a path, the answer tells
// whose fault it is; none is the collector's. What is refused is said in a
// sentence, never with the text of an error of ours.
func TestSillyValues(t *testing.T) {
	_, server := open(t)
	values := []string{"", "0", "-1", "99999999999999999999", "0000", "0000-00", "0000-01", "9999", "9999-12", "9999-13", "99999-01", "-2026-11", "2026-11-25", "1969-12",
		"0000-01-01", "9999-12-31", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "99999-01-01T00:00:00Z", "2026-11-25T12:00:00",
		"NaN", "1e308", "true", "..", "%", "\x00", "<script>", "月份", "🙂", "\xff\xfe", `"}) or vector(1) #`, strings.Repeat("9", 5000), strings.Repeat("长", 2000)}
	routes := map[string][]string{
		"/": {"as_of", "lang"}, "/services/shop": {"period", "as_of", "explain", "lang"}, "/hosts": {"as_of"}, "/hosts/web-1": {"range", "as_of"},
		"/outages/1": {"as_of"}, "/problems": {"as_of"}, "/problems/PLP-2026-0001": {"as_of"}, "/reports": {"as_of"}, "/login": {"next"}, "/account": {"as_of"},
		"/api/v1/services": {"as_of", "period", "from", "to", "customer"}, "/api/v1/services/shop": {"as_of", "period", "from", "to"}, "/api/v1/hosts": {"as_of"},
		"/api/v1/hosts/web-1/silences": {"as_of", "from"}, "/api/v1/outages": {"as_of", "component", "from", "to", "ongoing", "limit"}, "/api/v1/outages/1": {"as_of"},
		"/api/v1/problems": {"as_of", "open", "customer", "lang", "limit"}, "/api/v1/problems/PLP-2026-0001": {"lang"},
		"/api/v1/facts.csv": {"from", "to", "component", "service", "as_of"}, "/api/v1/report": {"as_of", "customer", "period", "lang", "format", "download"},
	}
	rest := map[string]string{"from": "2026-11-01", "to": "2026-11-02", "period": "2026-11", "customer": "acme"}
	for path, names := range routes {
		for _, name := range names {
			for _, value := range values {
				q := url.Values{name: {value}}
				switch {
				case path == "/api/v1/report":
					fill(q, rest, "period", "customer")
				case path == "/api/v1/facts.csv", name == "from" || name == "to":
					fill(q, rest, "from", "to")
				}
				begin := time.Now()
				status, _, body := get(t, server.URL+path+"?"+q.Encode())
				if status >= 500 || strings.Contains(body, "⟨") || time.Since(begin) > 5*time.Second {
					t.Errorf("GET %s?%.80s: status %d after %v: %.400s", path, q.Encode(), status, time.Since(begin), body)
				}
			}
		}
	}
	for _, folder := range []string{"/services/", "/hosts/", "/outages/", "/problems/", "/api/v1/services/", "/api/v1/outages/", "/api/v1/problems/", "/nope/"} {
		for _, value := range values {
			if status, _, body := get(t, server.URL+folder+url.PathEscape(value)); status >= 500 {
				t.Errorf("GET %s%.80q: status %d: %.400s", folder, value, status, body)
			}
		}
	}
}

func fill(q url.Values, from map[string]string, names ...string) {
	for _, name := range names {
		if !q.Has(name) {
			q.Set(name, from[name])
		}
	}
}

// TestTheFutureIsRefused: an instant after now is answered by nobody, and a
// month that has not begun has no page and no report.
func TestTheFutureIsRefused(t *testing.T) {
	s, server := open(t)
	now, later := s.Now.UTC().Format(time.RFC3339Nano), s.Now.UTC().Add(time.Millisecond).Format(time.RFC3339Nano)
	rows := []struct {
		address string
		status  int
		says    string
	}{
		{"/?as_of=" + now, 200, ""},
		{"/?as_of=" + later, 400, "is still to come"},
		{"/?as_of=9999-12-31T23:59:59Z", 400, "leave as_of out for now"},
		{"/?lang=zh&as_of=" + later, 400, "还没有到来"},
		{"/services/shop?as_of=" + later, 400, "is still to come"},
		{"/services/shop?period=2026-12", 400, "December 2026 has not begun"},
		{"/services/shop?period=9999-12", 400, "period=9999-12 is not understood"},
		{"/services/shop?period=2026-11&as_of=2026-10-20T00:00:00Z", 400, "November 2026 has not begun"},
		{"/reports?as_of=" + later, 400, "is still to come"},
		{"/api/v1/services?as_of=" + now, 200, ""},
		{"/api/v1/services?as_of=" + later, 422, "is after now"},
		{"/api/v1/services/shop?as_of=" + later, 422, "is after now"},
		{"/api/v1/services?period=9999-12", 400, "is not a month"},
		{"/api/v1/hosts?as_of=" + later, 422, "is after now"},
		{"/api/v1/outages?as_of=" + later, 422, "is after now"},
		{"/api/v1/outages/1?as_of=" + later, 422, "is after now"},
		{"/api/v1/problems?as_of=" + later, 422, "is after now"},
		{"/api/v1/report?customer=acme&period=2026-11&as_of=" + now, 200, ""},
		{"/api/v1/report?customer=acme&period=2026-11&as_of=" + later, 422, "is after now"},
		{"/api/v1/report?customer=acme&period=2026-12", 422, "2026-12 has not begun"},
		{"/api/v1/report?customer=acme&period=9999-12", 400, "is not a month"},
	}
	for _, row := range rows {
		status, _, body := get(t, server.URL+row.address, "Accept", "text/html")
		if status != row.status || !strings.Contains(body, row.says) {
			t.Errorf("GET %s: status %d, want %d saying %q: %.600s", row.address, status, row.status, row.says, strings.Join(strings.Fields(body), " "))
		}
	}
}

// TestEachPageSaysWhatItIsAbout: what is missing is named with its kind, a
// month is one so far until it is over, and an outage that ended is no "up".
func TestEachPageSaysWhatItIsAbout(t *testing.T) {
	_, server := open(t)
	for _, row := range []struct{ address, says string }{
		{"/hosts/nope", "There is no host nope"},
		{"/services/nope", "There is no service nope"},
		{"/problems/4711", "There is no problem record PRB-2026-004711"},
		{"/outages/17", "There is no outage 17"},
		{"/outages/x", "There is no outage x"},
		{"/nope", "There is no page /nope"},
		{"/hosts/nope?lang=zh", "没有主机 nope"},
		{"/?as_of=2026-11-18T02:03:00Z", "below target so far"},
		{"/services/shop?period=2026-10", "nothing was measured in this period"},
		{"/outages/2", `<span class="badge ended">ended</span>`},
	} {
		if _, _, body := get(t, server.URL+row.address); !strings.Contains(body, row.says) {
			t.Errorf("GET %s does not say %q: %.1500s", row.address, row.says, body)
		}
	}
}
