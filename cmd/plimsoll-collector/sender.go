package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

type senderCmd struct {
	Create senderCreateCmd `cmd:"" help:"Make a token and print the block to paste into the sender's configuration."`
	List   senderListCmd   `cmd:"" help:"List the foreign senders."`
	Revoke senderRevokeCmd `cmd:"" help:"Make every token of a sender useless, within a minute."`
}

type senderCreateCmd struct {
	asking
	For    string `help:"What it is: prometheus, vmagent, telegraf or otel." enum:"prometheus,vmagent,telegraf,otel" required:""`
	Name   string `help:"Its name, the observer of its facts (default: what it is). A second token for the same name lets it change tokens without a gap." placeholder:"NAME"`
	Labels string `help:"Labels its series are given whatever they bring, as customer=acme,site=sh." placeholder:"LABELS"`
	TTL    string `help:"How long the token is good for (default: until it is revoked)." name:"ttl" placeholder:"TIME"`
	Dir    string `help:"Folder on the sender's machine for the token and the authority's certificate." default:"/etc/plimsoll-sender" placeholder:"DIR"`
}

func (c *senderCreateCmd) Run(ctx context.Context) error {
	var made api.SenderToken
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/senders", map[string]string{"for": c.For, "name": c.Name, "labels": c.Labels, "ttl": c.TTL}, &made); err != nil {
		return err
	}
	return printSender(os.Stdout, &made, c.Dir)
}

// printSender writes two steps to paste: the files, and the configuration.
func printSender(w io.Writer, made *api.SenderToken, dir string) error {
	ca, token := path.Join(dir, "ca.pem"), path.Join(dir, "token")
	until := "until it is revoked: plimsoll-collector sender revoke " + made.Name
	if made.Expires != nil {
		until = "until " + made.Expires.Format(time.RFC3339)
	}
	user := map[string]string{"prometheus": "prometheus", "vmagent": "prometheus", "telegraf": "telegraf", "otel": "otelcol"}[made.For]
	_, err := fmt.Fprintf(w, `# Sender %s, good %s.
# 1. On its machine, as root; the token is shown only now (user %s: whom it runs as).
install -d -m 755 %s
cat > %s <<'END'
%sEND
(umask 077; cat > %s <<'END'
%s
END
)
chown %s %s
# The authority's fingerprint: sha256:%s

# 2. %s
%s`, made.Name, until, user, dir, ca, made.CA, token, made.Token, user, token, made.Fingerprint, pasteWhere(made.For), pasteBlock(made, ca, token))
	return err
}

func pasteWhere(kind string) string {
	switch kind {
	case "vmagent":
		return "Add these flags to vmagent and restart it:"
	case "telegraf":
		return "Add to telegraf.conf and restart it:"
	case "otel":
		return "Add to the collector's configuration, name the exporter in a metrics pipeline, and restart it:"
	}
	return "Add to prometheus.yml (a remote_write that is there already gets one entry more) and reload it:"
}

func pasteBlock(made *api.SenderToken, ca, token string) string {
	switch made.For {
	case "vmagent":
		return fmt.Sprintf("-remoteWrite.url=%s\n-remoteWrite.bearerTokenFile=%s\n-remoteWrite.tlsCAFile=%s\n-remoteWrite.tlsServerName=%s\n", made.URL, token, ca, made.ServerName)
	case "telegraf":
		return fmt.Sprintf(`[[outputs.http]]
  url = %q
  data_format = "prometheusremotewrite"
  tls_ca = %q
  tls_server_name = %q
  [outputs.http.headers]
    Content-Type = "application/x-protobuf"
    Content-Encoding = "snappy"
    X-Prometheus-Remote-Write-Version = "0.1.0"
    Authorization = "Bearer %s"
`, made.URL, ca, made.ServerName, made.Token)
	case "otel":
		return fmt.Sprintf(`exporters:
  prometheusremotewrite/plimsoll:
    endpoint: %s
    tls: {ca_file: %s, server_name_override: %s}
    headers: {Authorization: "Bearer %s"}
`, made.URL, ca, made.ServerName, made.Token)
	}
	return fmt.Sprintf(`remote_write:
  - name: plimsoll
    url: %s
    authorization: {credentials_file: %s}
    tls_config: {ca_file: %s, server_name: %s}
`, made.URL, token, ca, made.ServerName)
}

type senderListCmd struct{ asking }

func (c *senderListCmd) Run(ctx context.Context) error {
	var all []ledger.Sender
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/senders", nil, &all); err != nil {
		return err
	}
	return table("NAME\tFOR\tCUSTOMER\tLABELS\tHOSTS\tGOOD TOKENS\tLAST SEEN", len(all), func(i int) []string {
		s, seen := &all[i], "never"
		if s.LastSeen != 0 {
			seen = time.UnixMilli(s.LastSeen).UTC().Format(time.RFC3339)
		}
		return []string{s.Name, s.Kind, s.Customer, strings.TrimSpace(s.Labels), strconv.FormatInt(s.Hosts, 10), strconv.FormatInt(s.Tokens, 10), seen}
	})
}

type senderRevokeCmd struct {
	asking
	Name string `arg:"" help:"Name of the sender."`
}

func (c *senderRevokeCmd) Run(ctx context.Context) error {
	var out struct{ Revoked int64 }
	if err := c.fetch(ctx, http.MethodDelete, "/api/v1/senders/"+url.PathEscape(c.Name), nil, &out); err != nil {
		return err
	}
	fmt.Printf("%s: %d tokens revoked; its hosts stay, unknown once they are silent\n", c.Name, out.Revoked)
	return nil
}
