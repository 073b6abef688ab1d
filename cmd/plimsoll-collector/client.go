package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/plimsoll/plimsoll/collector"
)

// client is how the collector is reached: its address, or with --data the
// socket in its data directory.
func (a asking) client() (_ *http.Client, base string, err error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if a.Data != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", collector.HostSocket(a.Data))
		}
		transport.Proxy = nil
		return &http.Client{Transport: transport}, "http://localhost", nil
	}
	if a.CAFile != "" {
		text, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, "", fmt.Errorf("read the authority: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, "", fmt.Errorf("%s holds no certificate in PEM", a.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, withScheme(a.Collector), nil
}

// authorize adds the token, when there is one. It never goes over a line that
// others can read.
func (a asking) authorize(req *http.Request) error {
	if a.Data != "" {
		return nil
	}
	token := os.Getenv("PLIMSOLL_TOKEN")
	if a.TokenFile != "" {
		text, err := os.ReadFile(a.TokenFile)
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		if info, err := os.Stat(a.TokenFile); err == nil && info.Mode().Perm()&0o077 != 0 {
			fmt.Fprintf(os.Stderr, "warning: others can read %s; chmod 600 makes it yours alone\n", a.TokenFile)
		}
		token = string(text)
	}
	if token = strings.TrimSpace(token); token == "" {
		return nil
	}
	if req.URL.Scheme != "https" && !collector.Loopback(net.JoinHostPort(req.URL.Hostname(), "0")) {
		return fmt.Errorf("refused to send the token to %s without TLS: anybody on the way could read it; use https", req.URL.Host)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// remedy is what to do when the collector was not reached.
func (a asking) remedy(err error) string {
	var unknown x509.UnknownAuthorityError
	var proxied *url.Error
	switch {
	case errors.As(err, &unknown):
		return "Name its authority with --ca-file: identity/ca.pem in the collector's data directory"
	case a.Data != "":
		return "Is the collector running on this data directory, and are you its owner or root?"
	case errors.As(err, &proxied) && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "It serves plain http there: write --collector http://…"
	}
	return "Is it running there? Start it with quickstart or run, or name its address with --collector"
}

// loginRemedy is what helps one who is not known or may not.
func loginRemedy(status int) string {
	if status != http.StatusUnauthorized && status != http.StatusForbidden {
		return ""
	}
	return "\nName a token with --token-file or PLIMSOLL_TOKEN; on the collector's host, --data DIR needs none"
}
