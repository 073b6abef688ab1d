package agent

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"

	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// connect says where to deliver. It reads the identity and the files anew, so
// that what was enrolled, renewed or replaced meanwhile is taken up.
func (a *Agent) connect() (ship.Endpoint, error) {
	c := &a.opt.Config
	var to ship.Endpoint
	proxy, err := c.proxy()
	if err != nil {
		return to, err
	}
	to.Proxy = proxy
	if c.RemoteWrite.URL != "" {
		return a.foreign(to)
	}
	id, err := identity.Load(c.IdentityDir())
	if err != nil {
		return to, err
	}
	to.Addresses, to.TLS = c.Collector.Addresses, id.ClientTLS()
	to.TLS.Time = a.opt.Now
	if len(to.Addresses) == 0 && id.Collector != "" {
		to.Addresses = []string{id.Collector}
	}
	return to, nil
}

// proxy is the proxy on the way to the collector, nil without one.
func (c *Config) proxy() (*url.URL, error) {
	if c.Collector.Proxy == "" {
		return nil, nil
	}
	proxy, err := url.Parse(c.Collector.Proxy)
	if err != nil {
		return nil, errors.New("collector.proxy is not a URL") // err would repeat its password
	}
	return proxy, nil
}

// foreign completes the way to a server that is not our collector. A collector
// would know from the certificate whose series these are; here labels say it.
func (a *Agent) foreign(to ship.Endpoint) (ship.Endpoint, error) {
	r := &a.opt.Config.RemoteWrite
	host, err := os.Hostname()
	if err != nil {
		return to, fmt.Errorf("ask the host's name: %w", err)
	}
	labels := map[string]string{"instance": host, "job": "node"}
	maps.Copy(labels, r.Labels)
	to.Foreign = &ship.Foreign{URL: r.URL, BearerFile: r.BearerTokenFile}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		to.Foreign.Labels = append(to.Foreign.Labels, name, labels[name])
	}
	if r.CAFile == "" {
		return to, nil
	}
	text, err := os.ReadFile(r.CAFile)
	if err != nil {
		return to, fmt.Errorf("read remote_write.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return to, fmt.Errorf("%s holds no certificate in PEM", r.CAFile)
	}
	to.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return to, nil
}
