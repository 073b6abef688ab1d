package agent

import (
	"strings"
	"testing"
)

func TestRemoteWriteFaults(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"good", "remote_write: {url: https://m.example/api/v1/write, labels: {customer: acme}, bearer_token_file: /etc/t, ca_file: /etc/ca.pem}", ""},
		{"labels without a place to put them", "remote_write: {labels: {a: b}}", "remote_write.url: missing, but the other keys of remote_write are set"},
		{"not a URL", "remote_write: {url: m.example}", `remote_write.url: "m.example" is not an http or https URL`},
		{"a password that logs would show", "remote_write: {url: \"https://u:secret@m.example/w\"}", "put a token into a file"},
		{"not a label", "remote_write: {url: https://m.example/w, labels: {1a: b}}", `remote_write.labels.1a: "1a" is not the name of a label`},
		{"a label of Prometheus's own", "remote_write: {url: https://m.example/w, labels: {__name__: b}}", "remote_write.labels.__name__"},
		{"a relative path", "remote_write: {url: https://m.example/w, ca_file: ca.pem}", `remote_write.ca_file: "ca.pem" is not an absolute path`},
		{"a proxy without a host", "collector: {proxy: \"http://\"}", "collector.proxy: this is not the URL of an HTTP proxy"},
	} {
		_, faults := Parse("agent.yaml", []byte(row.text))
		got := ""
		if err := faults.Err(); err != nil {
			got = err.Error()
		}
		if row.want == "" && got != "" || !strings.Contains(got, row.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
