package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// Config is all that an agent can be told.
type Config struct {
	// Data is the directory of the buffer, the identity and the alive stamp.
	Data string `yaml:"data"`
	// Interval is the time between collections; each costs one fsync.
	Interval settings.Duration `yaml:"interval"`
	// Listen is the loopback address of the agent's own metrics; "off" for none.
	Listen string `yaml:"listen"`
	// Collector is where to deliver.
	Collector CollectorConfig `yaml:"collector"`
	// RemoteWrite is where to deliver when there is no collector of ours.
	RemoteWrite RemoteWriteConfig `yaml:"remote_write"`
	// Buffer bounds what waits for delivery.
	Buffer BufferConfig `yaml:"buffer"`
	// Roots are where the host's files are seen from.
	Roots RootsConfig `yaml:"roots"`
	// Sources are the exceptions to "every source, in each collection".
	Sources map[string]SourceConfig `yaml:"sources"`
	// Checks are the availability tests this host makes.
	Checks []CheckConfig `yaml:"checks"`
	// Assigned bounds the tests the collector's catalogue may ask of this host.
	Assigned AssignedConfig `yaml:"assigned"`

	beats *check.Beats // where heartbeats are heard; nil: nowhere yet
}

// CollectorConfig is where to deliver.
type CollectorConfig struct {
	// Addresses are host:port in order of preference; empty: the one this host enrolled at.
	Addresses []string `yaml:"addresses"`
	// Proxy is an HTTP proxy that is asked to CONNECT: http://[user:password@]host:port.
	Proxy string `yaml:"proxy"`
}

// RemoteWriteConfig is a server that takes Prometheus remote write, and gets
// what is measured instead of a collector. It is spoken to in version 1.0.
type RemoteWriteConfig struct {
	// URL to post to; empty: deliver to a collector.
	URL string `yaml:"url"`
	// Labels are put on every series; instance and job have defaults.
	Labels map[string]string `yaml:"labels"`
	// BearerTokenFile holds a token for the Authorization header; read anew for each request.
	BearerTokenFile string `yaml:"bearer_token_file"`
	// CAFile holds the authorities, in PEM, that the server's certificate may be of; default: the system's.
	CAFile string `yaml:"ca_file"`
}

// BufferConfig bounds what waits for delivery; beyond it the oldest goes and is counted.
type BufferConfig struct {
	// MaxBytes on disk, and never more than 5 % of the space that is free.
	MaxBytes settings.Size `yaml:"max_bytes"`
	// MaxAge of a record.
	MaxAge settings.Duration `yaml:"max_age"`
}

// RootsConfig are where the host's files are seen from; in a container, mounts of the host's.
type RootsConfig struct {
	// Proc is the process file system.
	Proc string `yaml:"proc"`
	// Sys is the device file system.
	Sys string `yaml:"sys"`
	// RootFS is put before each mount point.
	RootFS string `yaml:"rootfs"`
}

// SourceConfig is an exception for one source.
type SourceConfig struct {
	// Enabled switches it off when false.
	Enabled *bool `yaml:"enabled"`
	// Interval measures it more rarely than each collection.
	Interval settings.Duration `yaml:"interval"`
}

// Bounds and defaults.
const (
	minInterval = 10 * time.Millisecond
	maxInterval = time.Hour
	minBuffer   = 1 << 20
)

// Defaults is what an empty file means.
func Defaults() Config {
	return Config{
		Data:     "/var/lib/plimsoll-agent",
		Interval: settings.Duration(15 * time.Second),
		Listen:   "127.0.0.1:1878",
		Buffer:   BufferConfig{MaxBytes: 512 << 20, MaxAge: settings.Duration(7 * 24 * time.Hour)},
		Roots:    RootsConfig{Proc: "/proc", Sys: "/sys", RootFS: "/"},
		Assigned: AssignedConfig{Enabled: true},
	}
}

// IdentityDir is where this host's certificate and key lie.
func (c *Config) IdentityDir() string { return filepath.Join(c.Data, "identity") }

// roots are the roots as sources take them.
func (c *Config) roots() source.Roots {
	return source.Roots{Proc: c.Roots.Proc, Sys: c.Roots.Sys, RootFS: c.Roots.RootFS}
}

// notYet are the keys the specifications have and nothing acts on so far.
func notYet() map[string]string {
	soon := func(what string) string { return what + " comes in a later version" }
	keys := map[string]string{
		"scrape":        soon("reading an exporter's page"),
		"textfile":      soon("reading *.prom files"),
		"checks[].from": "checks for several hosts are assigned in the collector's catalogue",
		"checks[].need": "how many probes must agree is said of the component, in the collector's catalogue",
	}
	for _, kind := range laterKinds() {
		keys["checks[]."+kind] = soon("a check of kind " + kind)
	}
	return keys
}

// laterKinds are the kinds of check of the specifications that there are not yet.
func laterKinds() []string {
	return []string{"service"}
}

// Load reads a configuration file. With must false a file that does not exist
// is an empty one. An error of settings.Faults lists all that is wrong with it.
func Load(path string, must bool) (Config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return Defaults(), nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, faults := Parse(path, text)
	return c, faults.Err()
}

// Parse reads the text of a configuration file over the defaults.
func Parse(file string, text []byte) (Config, settings.Faults) {
	c := Defaults()
	doc, faults := settings.Decode(file, text, &c, notYet())
	faults = append(faults, validate(doc, &c)...)
	return c, faults.Sorted()
}
