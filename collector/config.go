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
	// Listen is the address of the pages, the API and the metrics. Loopback only until there are logins.
	Listen string `yaml:"listen"`
	// ListenAgents is the address agents deliver to, over TLS with client certificates.
	ListenAgents string `yaml:"listen_agents"`
	// Catalogue is the file of services, agreements and resources; catalogue.yaml in Data where empty.
	Catalogue string `yaml:"catalogue"`
	// Retention is how long raw samples are kept.
	Retention settings.Duration `yaml:"retention"`
	// Limits of what is received.
	Limits Limits `yaml:"limits"`
}

// Defaults is the configuration of an empty file.
func Defaults() Config {
	return Config{
		Data:         "/var/lib/plimsoll",
		Listen:       "127.0.0.1:1876",
		ListenAgents: ":1877",
		Retention:    settings.Duration(90 * 24 * time.Hour),
		Limits:       defaultLimits(),
	}
}

// notYetConfig are the keys of the design that nothing acts on in this version.
func notYetConfig() map[string]string {
	return map[string]string{
		"external_url": "the pages stay on loopback until there are logins",
		"tls":          "the pages stay on loopback until there are logins",
		"users":        "there are no logins yet",
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
		if _, _, err := net.SplitHostPort(text); err != nil && doc != nil {
			faults = append(faults, doc.Fault(path, fmt.Sprintf("%q is not host:port", text), "write it as 127.0.0.1:1876"))
		}
	}
	if config.Retention <= 0 && doc != nil {
		faults = append(faults, doc.Fault("retention", "must be longer than nothing", "leave it out for 90d"))
	}
	if doc != nil {
		faults = append(faults, config.Limits.check(doc)...)
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

// cataloguePath is where the catalogue is read from.
func (c *Config) cataloguePath() string {
	if c.Catalogue != "" {
		return c.Catalogue
	}
	return filepath.Join(c.Data, "catalogue.yaml")
}

// loopbackOnly refuses a people's address that others could reach.
func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--listen %q is not host:port: write it as 127.0.0.1:1876", addr)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("refused to listen for people on %q: there are no logins yet, so anybody who reaches that address could change and read everything; "+
		"listen on 127.0.0.1 and reach it from elsewhere by ssh -L 1876:127.0.0.1:1876", addr)
}
