package agent

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// CheckConfig is one availability test. It names one target.
type CheckConfig struct {
	// Component is what is tested, by the catalogue's name.
	Component string `yaml:"component"`
	// Check names the test among several of a component; default: its kind.
	Check string `yaml:"check"`
	// HTTP is the URL to ask for, http or https, or
	HTTP string `yaml:"http"`
	// TCP is the host:port to connect to, or
	TCP string `yaml:"tcp"`
	// TLS is the host:port whose certificate is looked at, or
	TLS string `yaml:"tls"`
	// DNS is the name a name server is asked for, or
	DNS string `yaml:"dns"`
	// ICMP is the host to ping, or
	ICMP string `yaml:"icmp"`
	// Process is the name of a program that should run, or
	Process string `yaml:"process"`
	// Unit is the systemd unit that should be active, or
	Unit string `yaml:"unit"`
	// File is the path of a file that should be there; its last element may be a pattern; or
	File string `yaml:"file"`
	// Script is a program, by its absolute path, and its arguments, or
	Script []string `yaml:"script"`
	// Plugin is a program whose exit status is that of Nagios' plugins, or
	Plugin []string `yaml:"plugin"`
	// Heartbeat is the name of a job that says itself that it ran.
	Heartbeat string `yaml:"heartbeat"`
	// Interval between tests; default: that of collections.
	Interval settings.Duration `yaml:"interval"`
	// Timeout of one test; default: 5 s, and not above the interval.
	Timeout settings.Duration `yaml:"timeout"`
	// Slow is the time beyond which an answer counts as degraded; default: never.
	Slow settings.Duration `yaml:"slow"`
	// CA is a PEM file of the authorities to trust (http, tls); default: the system's.
	CA string `yaml:"ca"`
	// ServerName is the name the certificate must carry (http, tls); default: the target's.
	ServerName string `yaml:"server_name"`
	// Type of the record to ask for (dns); default: A.
	Type string `yaml:"type"`
	// Server is the name server to ask (dns); default: this host's first resolver.
	Server string `yaml:"server"`
	// Expect is what the answer must be like.
	Expect ExpectConfig `yaml:"expect"`
}

// ExpectConfig is what the answer to a check must be like.
type ExpectConfig struct {
	// Status codes that are accepted (http), one or a list; default: 200 to 299.
	Status settings.Several[int] `yaml:"status"`
	// Contains is a text the body must contain (http).
	Contains string `yaml:"contains"`
	// Redirects are followed unless this is false (http).
	Redirects *bool `yaml:"redirects"`
	// Warning is the time left to a certificate below which it is degraded (tls); default: 14 d.
	Warning *settings.Duration `yaml:"warning"`
	// Critical is the same for down (tls); default: 0, once it has expired.
	Critical settings.Duration `yaml:"critical"`
	// Answers must each be among the records (dns).
	Answers []string `yaml:"answers"`
	// Min is how many processes must run (process); default: 1.
	Min *int `yaml:"min"`
	// Max is how many may run (process); default: any number.
	Max *int `yaml:"max"`
	// MaxAge is how long ago it may have been written (file); default: any time.
	MaxAge settings.Duration `yaml:"max_age"`
	// Every is how often a job should say that it ran (heartbeat).
	Every settings.Duration `yaml:"every"`
	// Grace is how much later it may be (heartbeat); default: 0.
	Grace settings.Duration `yaml:"grace"`
	// MinSize is how large it must be (file); default: any size.
	MinSize settings.Size `yaml:"min_size"`
}

// AssignedConfig bounds the tests the collector's catalogue may ask of this
// host: those over the network alone, never a program, a process or a file.
type AssignedConfig struct {
	// Enabled takes them up; on unless false.
	Enabled bool `yaml:"enabled"`
	// Allow are the only networks they may connect to; empty: any but loopback.
	// Link-local addresses and the metadata of clouds are never among them.
	Allow []string `yaml:"allow"`
}

// guard is the bound as checks take it. Networks that do not parse were refused.
func (a AssignedConfig) guard() *check.Guard {
	g := &check.Guard{}
	for _, text := range a.Allow {
		if p, err := netip.ParsePrefix(text); err == nil {
			g.Allow = append(g.Allow, p)
		}
	}
	return g
}

// Defaults of checks.
const (
	defaultTimeout = 5 * time.Second
	defaultWarning = 14 * 24 * time.Hour
)

// spec is a check as package check takes it, defaults filled in.
func (c *Config) spec(k CheckConfig) check.Spec {
	s := check.Spec{
		Component: k.Component, Name: k.Check,
		Interval: k.Interval.Std(), Timeout: k.Timeout.Std(), Slow: k.Slow.Std(),
		HTTP: k.HTTP, TCP: k.TCP, TLS: k.TLS, DNS: k.DNS, ICMP: k.ICMP,
		Process: k.Process, Unit: k.Unit, File: k.File, Script: k.Script, Plugin: k.Plugin, Heartbeat: k.Heartbeat,
		Status: k.Expect.Status, Contains: k.Expect.Contains,
		NoFollow:    k.Expect.Redirects != nil && !*k.Expect.Redirects,
		Certificate: check.Certificate{CA: k.CA, ServerName: k.ServerName},
		Lookup:      check.Lookup{Type: k.Type, Server: k.Server, Answers: k.Expect.Answers},
	}
	if s.Interval == 0 {
		s.Interval = c.Interval.Std()
	}
	if s.Timeout == 0 {
		s.Timeout = min(defaultTimeout, s.Interval)
	}
	kind := s.Kind()
	if s.Name == "" {
		s.Name = kind
	}
	switch kind {
	case "tls":
		s.Certificate.Warning, s.Certificate.Critical = defaultWarning, k.Expect.Critical.Std()
		if k.Expect.Warning != nil {
			s.Certificate.Warning = k.Expect.Warning.Std()
		}
	case "process":
		s.Count.Min, s.Roots.Proc = 1, c.Roots.Proc
		if k.Expect.Min != nil {
			s.Count.Min = *k.Expect.Min
		}
		if k.Expect.Max != nil {
			s.Count.Max = *k.Expect.Max
		}
	case "file":
		s.Fresh = check.Fresh{MaxAge: k.Expect.MaxAge.Std(), MinSize: int64(k.Expect.MinSize)}
		s.Roots.RootFS = c.Roots.RootFS
	case "heartbeat":
		s.Rhythm, s.Beats = check.Rhythm{Every: k.Expect.Every.Std(), Grace: k.Expect.Grace.Std()}, c.beats
	}
	return s
}

// makeChecks makes the checks of the agent's own file.
func (c *Config) makeChecks() ([]*check.Check, error) {
	var all []*check.Check
	for _, k := range c.Checks {
		made, err := check.New(c.spec(k))
		if err != nil {
			return nil, fmt.Errorf("check of %s: %w", k.Component, err)
		}
		all = append(all, made)
	}
	return all, nil
}
