package collector

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/settings"
)

// Config is all a collector can be told. An empty file is a good one.
type Config struct {
	// Data is the directory everything is kept in. One collector holds it at a time.
	Data string `yaml:"data"`
	// Listen is the address of the pages, the API and the metrics. Beyond loopback it is served over TLS and needs a login.
	Listen string `yaml:"listen"`
	// TLS is the certificate of the pages; beyond loopback one of the collector's own authority where it is not given.
	TLS TLS `yaml:"tls"`
	// Login is when a person has to log in on loopback: with_users, as soon as there is a user, or never.
	Login string `yaml:"login"`
	// ListenAgents is the address agents deliver to, over TLS with client certificates.
	ListenAgents string `yaml:"listen_agents"`
	// Catalogue is the file of services, agreements and resources, with the folder
	// .d beside it, or a folder of files; catalogue.yaml in Data where empty.
	Catalogue string `yaml:"catalogue"`
	// Retention is how long raw samples are kept.
	Retention settings.Duration `yaml:"retention"`
	// Limits of what is received.
	Limits Limits `yaml:"limits"`
	// CertificateLife is how long a host's certificate is good for, 1 h to 90 d. Its agent renews at two thirds.
	CertificateLife settings.Duration `yaml:"certificate_life"`
}

// Bounds of CertificateLife. A longer one would keep an old authority alive
// for as long; a shorter one would have a host renew all the time.
const (
	minCertificateLife = time.Hour
	maxCertificateLife = 90 * 24 * time.Hour
)

// TLS names the files of a certificate and its key, in PEM. They are read
// again within a minute when they change.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Values of Config.Login.
const (
	loginWithUsers = "with_users"
	loginNever     = "never"
)

// Defaults is the configuration of an empty file.
func Defaults() Config {
	return Config{
		Data:         "/var/lib/plimsoll",
		Listen:       "127.0.0.1:1876",
		ListenAgents: ":1877",
		Login:        loginWithUsers,
		Retention:    settings.Duration(90 * 24 * time.Hour),
		Limits:       defaultLimits(),

		CertificateLife: settings.Duration(7 * 24 * time.Hour),
	}
}

// notYetConfig are the keys of the design that nothing acts on in this version.
func notYetConfig() map[string]string {
	return map[string]string{
		"external_url": "links are made of the address the collector listens on",
		"forward":      "samples are not forwarded yet",
		"postgres":     "the ledger is SQLite only yet",
		"notices":      "nobody is notified yet; problem records open by themselves",
		"reports":      "the report register is not there yet; use the report command",
		"journal":      "the journal's limits are fixed yet",
	}
}

// LoadConfig reads file strictly; all faults at once. An empty name gives Defaults.
func LoadConfig(file string) (Config, settings.Faults) {
	config := Defaults()
	if file == "" {
		return config, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return config, settings.Faults{{File: file, Message: err.Error(), Remedy: "name a file that can be read with --config"}}
	}
	return ParseConfig(file, data)
}

// ParseConfig is LoadConfig for text that is read already.
func ParseConfig(file string, data []byte) (Config, settings.Faults) {
	config := Defaults()
	doc, faults := settings.Decode(file, data, &config, notYetConfig())
	for path, text := range map[string]string{"listen": config.Listen, "listen_agents": config.ListenAgents} {
		if err := CheckAddress(text); err != nil && doc != nil {
			faults = append(faults, doc.Fault(path, err.Error(), "write it as 127.0.0.1:1876"))
		}
	}
	if config.Retention <= 0 && doc != nil {
		faults = append(faults, doc.Fault("retention", "must be longer than nothing", "leave it out for 90d"))
	}
	if doc != nil {
		faults = append(faults, config.Limits.check(doc)...)
	}
	if d := config.CertificateLife.Std(); (d < minCertificateLife || d > maxCertificateLife) && doc != nil {
		faults = append(faults, doc.Fault("certificate_life", fmt.Sprintf("%s is not between 1h and 90d", config.CertificateLife), "leave it out for 7d"))
	}
	if (config.TLS.Cert == "") != (config.TLS.Key == "") && doc != nil {
		faults = append(faults, doc.Fault("tls", "names one of cert and key only", "name both, or neither for a certificate of the collector's own authority"))
	}
	if config.Login != loginWithUsers && config.Login != loginNever && doc != nil {
		faults = append(faults, doc.Fault("login", fmt.Sprintf("%q is neither with_users nor never", config.Login), "leave it out for with_users"))
	}
	return config, faults.Sorted()
}

// Override takes what was said on the command line; empty means not said.
func (c *Config) Override(data, listen, listenAgents string) {
	for _, o := range [...]struct {
		to  *string
		say string
	}{{&c.Data, data}, {&c.Listen, listen}, {&c.ListenAgents, listenAgents}} {
		if o.say != "" {
			*o.to = o.say
		}
	}
}

// CheckAddress tells what keeps addr from being an address to listen on:
// host:port with a port from 0 to 65535, or a service's name for one.
func CheckAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return fmt.Errorf("%q is not host:port", addr)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q has no port that there is: %q is not 0 to 65535", addr, port)
	}
	return nil
}

// cataloguePath is where the catalogue is read from.
func (c *Config) cataloguePath() string {
	if c.Catalogue != "" {
		return c.Catalogue
	}
	return filepath.Join(c.Data, "catalogue.yaml")
}

// Loopback tells whether addr (host:port) can be reached from this host alone.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
