package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSuppliers: pages and API tell of the contract of the seed in both
// languages; outages of its components are linked.
func TestSuppliers(t *testing.T) {
	_, server := open(t)
	for _, row := range []struct{ path, has string }{
		{"/suppliers?lang=en", "UC-2026-01"},
		{"/suppliers?lang=zh-CN", "归因时间"},
		{"/suppliers/NetCo?lang=en", `href="/outages/`},
		{"/suppliers/NetCo?lang=zh-CN", "单独导致"},
		{"/api/v1/suppliers?month=2026-11", `"contract":"UC-2026-01"`},
		{"/api/v1/suppliers/NetCo?period=2026-11", `"outage_ids":[`},
	} {
		resp, err := http.Get(server.URL + row.path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // all of it was read
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), row.has) {
			t.Errorf("%s: status %d, %v, no %q in it:\n%s", row.path, resp.StatusCode, err, row.has, text)
		}
	}
}
