package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// ask sends a request to the API and returns status and body.
func (r *running) ask(method, path, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.c.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// enrolWith uses a token up for a host of that name.
func (r *running) enrolWith(token, name string) error {
	_, err := identity.Enrol(context.Background(), identity.Request{Token: token, Collector: r.c.AgentsAddr(), Hostname: name, Version: "1", Dir: filepath.Join(r.data, "hosts", name)})
	return err
}

// TestTokens goes through what a token can be told, by the API that the
// command line uses and real enrolments.
func TestTokens(t *testing.T) {
	r := newRunning(t)
	for _, c := range []struct {
		name, body string
		status     int
		uses       []string // what each use of it ends with; empty: let in
		says       string
	}{
		{"once", `{}`, 200, []string{"", "refused with 409: this enrolment token has been used up"}, ""},
		{"twice", `{"uses":2}`, 200, []string{"", "", "refused with 409"}, ""},
		{"from here", `{"cidr":["127.0.0.0/8","fd00::/8"]}`, 200, []string{""}, ""},
		{"from elsewhere", `{"cidr":["10.0.0.0/8"]}`, 200, []string{"refused with 403: this enrolment token is not for the address you come from"}, ""},
		{"all faults at once", `{"uses":10001,"ttl":"31d","cidr":["10.0.0.0"],"labels":{"9":"x","job":"x","role":""}}`, 400, nil,
			`cidr \"10.0.0.0\" is not an address range|label \"9\" is not a name|label \"job\" is the collector's own|label role: value \"\"|ttl \"31d\"|uses 10001`},
		{"two customers", `{"customer":"a","labels":{"customer":"b"}}`, 400, nil, `customer is \"a\" and the label customer is \"b\"`},
	} {
		status, body := r.ask(http.MethodPost, "/api/v1/enrol-tokens", c.body)
		if status != c.status {
			t.Errorf("%s: got %d %s, want %d", c.name, status, body, c.status)
			continue
		}
		for _, part := range strings.Split(c.says, "|") {
			if !strings.Contains(body, part) {
				t.Errorf("%s: got %s, want … %s", c.name, body, part)
			}
		}
		var made api.Token
		if c.status == 200 && json.Unmarshal([]byte(body), &made) != nil {
			t.Fatalf("%s: %s", c.name, body)
		}
		for i, want := range c.uses {
			err := r.enrolWith(made.Token, c.name+string(rune('0'+i)))
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: use %d: got %v, want %q", c.name, i+1, err, want)
			}
		}
	}
}

// TestTokenLabelsAndEnd: labels land on the host, the list tells who used
// what, and a revoked token is no longer good.
func TestTokenLabelsAndEnd(t *testing.T) {
	r := newRunning(t)
	status, body := r.ask(http.MethodPost, "/api/v1/enrol-tokens", `{"uses":3,"labels":{"customer":"acme","site":"sh","role":"web"}}`)
	var made api.Token
	if status != 200 || json.Unmarshal([]byte(body), &made) != nil {
		t.Fatalf("got %d %s", status, body)
	}
	if err := r.enrolWith(made.Token, "web-1"); err != nil {
		t.Fatal(err)
	}
	_, body = r.ask(http.MethodGet, "/api/v1/hosts", "")
	var hosts api.HostsBody
	if err := json.Unmarshal([]byte(body), &hosts); err != nil || len(hosts.Hosts) != 1 {
		t.Fatalf("got %s", body)
	}
	if h := hosts.Hosts[0]; h.Customer != "acme" || len(h.Labels) != 2 || h.Labels["site"] != "sh" || h.Labels["role"] != "web" {
		t.Errorf("host: got customer %q labels %v", h.Customer, h.Labels)
	}
	list := func() api.TokenInfo {
		t.Helper()
		_, body := r.ask(http.MethodGet, "/api/v1/enrol-tokens", "")
		var all api.EnrolTokensBody
		if err := json.Unmarshal([]byte(body), &all); err != nil || len(all.Tokens) != 1 {
			t.Fatalf("got %s", body)
		}
		if secret, _, _ := identity.ParseToken(made.Token); strings.Contains(body, secret) || strings.Contains(body, identity.HashSecret(secret)) {
			t.Error("the list shows the secret or its hash")
		}
		return all.Tokens[0]
	}
	seen := 0
	r.query("plimsoll_host_info", func(l map[string]string, v string) {
		seen++
		if v != "1" || l["instance"] != "web-1" || l["customer"] != "acme" || l["site"] != "sh" || l["role"] != "web" || l["host"] != hosts.Hosts[0].Host {
			t.Errorf("plimsoll_host_info: got %v %s", l, v)
		}
	})
	if seen != 1 {
		t.Errorf("plimsoll_host_info: %d series, want 1", seen)
	}
	one := list()
	if one.State != "open" || one.Uses != 3 || one.Left != 2 || !slices.Equal(one.Hosts, []string{"web-1"}) {
		t.Errorf("got %+v, want open, 2 of 3 left, used by web-1", one)
	}
	if status, body := r.ask(http.MethodDelete, "/api/v1/enrol-tokens/"+one.ID, ""); status != http.StatusNoContent {
		t.Errorf("revoke: got %d %s, want 204", status, body)
	}
	if status, _ := r.ask(http.MethodDelete, "/api/v1/enrol-tokens/"+one.ID, ""); status != http.StatusNotFound {
		t.Errorf("revoke twice: got %d, want 404", status)
	}
	if err := r.enrolWith(made.Token, "web-2"); err == nil || !strings.Contains(err.Error(), "refused with 410: this enrolment token was revoked") {
		t.Errorf("revoked token: got %v, want 410", err)
	}
	if got := list().State; got != "revoked" {
		t.Errorf("state: got %s, want revoked", got)
	}
}

// TestRevokedHost: by the API, on a live connection, in far less than a minute.
func TestRevokedHost(t *testing.T) {
	r := newRunning(t)
	id, _ := r.enrol("web-1")
	client := clientOf(id.ClientTLS(), false)
	now := time.Now().UnixMilli()
	if status, err := deliver(client, r.c.AgentsAddr(), "m", now, 1); status != http.StatusNoContent {
		t.Fatalf("got %d, error %v", status, err)
	}
	if status, _ := r.ask(http.MethodPost, "/api/v1/hosts/nobody/revoke", `{}`); status != http.StatusNotFound {
		t.Errorf("a host that is not there: got %d, want 404", status)
	}
	begin := time.Now()
	if status, body := r.ask(http.MethodPost, "/api/v1/hosts/web-1/revoke", `{"reason":"sold"}`); status != http.StatusNoContent {
		t.Fatalf("got %d %s", status, body)
	}
	if status, err := deliver(client, r.c.AgentsAddr(), "m", now, 2); err == nil && status != http.StatusForbidden {
		t.Errorf("the connection of before, after %v: got %d, want its end, or 403 on a new one", time.Since(begin), status)
	}
	if status, err := deliver(client, r.c.AgentsAddr(), "m", now, 3); status != http.StatusForbidden {
		t.Errorf("a new connection: got %d, error %v, want 403", status, err)
	}
	entries, err := r.c.ledger.Entries(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(entries, func(e ledger.Entry) bool {
		return e.Action == "host.removed" && e.Subject == "host "+id.Host && e.Detail == "sold"
	}) {
		t.Errorf("not audited: %+v", entries)
	}
	again, _ := r.enrol("web-1")
	if again.Host == id.Host || again.Instance != "web-1" {
		t.Errorf("enrolled after it was revoked: got %s %s, want a new id under the free name", again.Host, again.Instance)
	}
}

// TestAuthorityIsReplaced goes through a whole rotation with hosts: one that
// renews, one that does not.
func TestAuthorityIsReplaced(t *testing.T) {
	r := newRunning(t)
	ctx := context.Background()
	renews, _ := r.enrol("renews")
	stays, _ := r.enrol("stays")
	old, err := r.c.EnrolToken(ctx, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	conflict := func(what string, err error, want string) {
		t.Helper()
		if !errors.Is(err, api.ErrConflict) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want … %s", what, err, want)
		}
	}
	conflict("retire before rotate", r.c.RetireCA(ctx), `begin with "plimsoll-collector ca rotate"`)
	if err := r.c.RotateCA(ctx); err != nil {
		t.Fatal(err)
	}
	conflict("rotate twice", r.c.RotateCA(ctx), `finish with "plimsoll-collector ca retire"`)
	conflict("nobody renewed", r.c.RetireCA(ctx), "2 hosts have not renewed since the rotation: renews, stays; wait")
	deliverable := func(id identity.Identity, want bool) {
		t.Helper()
		status, err := deliver(clientOf(id.ClientTLS(), true), r.c.AgentsAddr(), "m", time.Now().UnixMilli(), 0)
		if (status == http.StatusNoContent) != want {
			t.Errorf("%s delivers: got %d, error %v, want %v", id.Instance, status, err, want)
		}
	}
	deliverable(renews, true)
	open := clientOf(renews.ClientTLS(), false) // keeps its connection
	if status, err := deliver(open, r.c.AgentsAddr(), "m", time.Now().UnixMilli(), 0); status != http.StatusNoContent {
		t.Fatalf("got %d, error %v", status, err)
	}
	renewed, err := identity.Renew(ctx, clientOf(renews.RenewTLS(), false), r.c.AgentsAddr(), renews, filepath.Join(r.data, "hosts", "renews"), "1")
	if err != nil {
		t.Fatal(err)
	}
	deliverable(renewed, true)
	deliverable(stays, true)
	conflict("one left", r.c.RetireCA(ctx), "1 hosts have not renewed since the rotation: stays; wait")
	if err := r.c.RevokeHost(ctx, "stays", ""); err != nil {
		t.Fatal(err)
	}
	conflict("a token left", r.c.RetireCA(ctx), "1 open tokens carry the old authority")
	if err := r.enrolWith(old.Token, "by the old token"); err != nil {
		t.Errorf("a token of before still serves in the overlap: %v", err)
	}
	if err := r.c.RetireCA(ctx); err != nil {
		t.Fatal(err)
	}
	deliverable(renewed, true)
	deliverable(renews, false)
	if status, err := deliver(open, r.c.AgentsAddr(), "m", time.Now().UnixMilli(), 0); err == nil {
		t.Errorf("a connection of before goes on: got %d", status)
	}
	if id, _ := r.enrol("new"); id.Instance != "new" {
		t.Errorf("got %+v", id)
	}
	left, err := os.ReadDir(filepath.Join(r.data, "identity"))
	if err != nil || len(left) != 2 {
		t.Errorf("identity directory holds %v, error %v, want one pair", left, err)
	}
}

// TestQuarantineIsShown: on the host's page and in the list, in both
// languages, and to programs; nothing of it once the host enrolled again.
func TestQuarantineIsShown(t *testing.T) {
	r := newRunning(t)
	id, _ := r.enrol("web-1")
	const why = "two agents <b>are</b> alive"
	if err := r.c.ledger.QuarantineHost(context.Background(), id.Host, why); err != nil {
		t.Fatal(err)
	}
	shown := func(want bool) {
		t.Helper()
		for _, c := range [...]struct{ path, text string }{
			{"/hosts/web-1?lang=en", "In quarantine, nothing more is taken of it: two agents &lt;b&gt;are&lt;/b&gt; alive"},
			{"/hosts/web-1?lang=zh-CN", "已隔离，不再接收其任何数据：two agents &lt;b&gt;are&lt;/b&gt; alive"},
			{"/hosts?lang=en", "in quarantine"},
			{"/api/v1/hosts", `"quarantine":"two agents `},
		} {
			if status, body := r.ask(http.MethodGet, c.path, ""); status != http.StatusOK || strings.Contains(body, c.text) != want {
				t.Errorf("%s: status %d, shows %q: %v, want %v", c.path, status, c.text, !want, want)
			}
		}
	}
	shown(true)
	r.enrol("web-1")
	shown(false)
}
