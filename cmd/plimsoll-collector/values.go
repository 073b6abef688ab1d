package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// address is where something listens. Said on the command line, it is said:
// an empty one is not the default.
type address string

// Validate is asked by the parser when the flag is given.
func (a address) Validate() error {
	if err := collector.CheckAddress(string(a)); err != nil {
		return fmt.Errorf("%w; write it as 127.0.0.1:1876, or leave the flag out for the default", err)
	}
	return nil
}

// lifetime is how long something that is made is good for.
type lifetime string

// Validate is asked by the parser when the flag is given.
func (l lifetime) Validate() error {
	if d, err := settings.ParseDuration(string(l)); err != nil || d <= 0 {
		return fmt.Errorf("%q is not a time from now on; write it like 24h or 30d", string(l))
	}
	return nil
}

// optionalLifetime is a lifetime, or empty where another is meant.
type optionalLifetime string

// Validate is asked by the parser when the flag is given.
func (l optionalLifetime) Validate() error {
	if l == "" {
		return nil
	}
	return lifetime(l).Validate()
}

// asOf is an instant, or the begin of a date in UTC.
type asOf string

// Validate is asked by the parser when the flag is given.
func (a asOf) Validate() error {
	_, err := a.ms()
	return err
}

// ms is the instant in Unix ms.
func (a asOf) ms() (int64, error) {
	if at, err := availability.ParseInstant(string(a)); err == nil {
		return at, nil
	}
	bound, err := availability.ParseBound(string(a))
	return bound.In(time.UTC, 0), err
}

// rfc3339 is the instant as the collector is asked for it; empty stays empty.
func (a asOf) rfc3339() (string, error) {
	if a == "" {
		return "", nil
	}
	at, err := a.ms()
	return time.UnixMilli(at).UTC().Format(time.RFC3339Nano), err
}

// ask puts the instant, where one was given, into a query.
func (a asOf) ask(q url.Values) error {
	at, err := a.rfc3339()
	if err == nil && at != "" {
		q.Set("as_of", at)
	}
	return err
}

// withScheme is the address of a collector as a URL. Without a scheme it is
// http on loopback, where the pages are served so, and https elsewhere.
func withScheme(base string) string {
	if strings.Contains(base, "://") {
		return base
	}
	hostPort, _, _ := strings.Cut(base, "/")
	if _, _, err := net.SplitHostPort(hostPort); err != nil {
		hostPort = net.JoinHostPort(strings.Trim(hostPort, "[]"), "0")
	}
	if collector.Loopback(hostPort) {
		return "http://" + base
	}
	return "https://" + base
}
