package quickstart

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// Customer is whom the quickstart's services belong to.
const Customer = "quickstart"

// Names of the components that quickstart checks on loopback.
const (
	componentSample = "sample-page"
	componentPage   = "plimsoll-page"
)

// found is what quickstart found on this host.
type found struct {
	Host string    // the name agents and pages list it under
	Zone string    // IANA zone of the host
	At   time.Time // begin of existence of the services
	Demo additions // of the demonstration; empty without it
}

// catalogueText is the first catalogue: a person edits it from then on.
func catalogueText(f found) string {
	q := strconv.Quote
	from := q(f.At.UTC().Format(time.RFC3339))
	var b strings.Builder
	fmt.Fprintf(&b, `# What Plimsoll promises and measures on this host. Made by quickstart, yours to edit;
# "plimsoll-collector check --catalogue" names every fault, a restart takes it over.

%scomponents:                       # what can be up or down
  - {name: %s, interval: 5s}      # this host, as its agent says
  - {name: %s, interval: 5s}      # an http check in agent.yaml
  - {name: %s, interval: 5s}      # the same
%s
services:                         # what a customer buys: a tree over components
`, f.Demo.calendars, q(f.Host), componentSample, componentPage, f.Demo.components)
	services := []struct{ name, needs string }{
		{"sample-shop", componentSample},
		{"this-host", q(f.Host)},
		{"plimsoll", componentPage},
	}
	for _, s := range services {
		fmt.Fprintf(&b, "  - {name: %s, customer: %s, needs: {all_of: [%s]}, from: %s}\n", s.name, Customer, s.needs, from)
	}
	b.WriteString(f.Demo.services)
	b.WriteString("\nagreements:                       # what was promised, with every policy written down\n")
	for i, s := range services {
		fmt.Fprintf(&b, `  - number: SLA-QS-%d
    version: 1
    service: %s
    zone: %s
    calendar: always
    policies: {planned: exclude, unknown: exclude, degraded: up, before_existence: exclude}
    coverage_limit: 95%%
    indicators:
      - {name: availability, target: 99.9%%, unacceptable: 99%%, period: month}
      - {name: repair time, kind: mttr, target: 30m, unacceptable: 2h, period: month}
      - {name: outages, kind: outages, target: 2, period: month}
`, i+1, s.name, q(f.Zone))
	}
	b.WriteString(f.Demo.agreements + f.Demo.after)
	b.WriteString(`
# Capacity: the shipped defaults watch cpu, memory and every filesystem (docs/semantics.md).
# Declare one of that name here to replace it:
#
# resources:
#   - name: filesystem
#     kind: technical
#     unit: bytes
#     per: [instance, mountpoint]
#     used: node_filesystem_size_bytes - node_filesystem_avail_bytes
#     limit: node_filesystem_size_bytes
#     warning: 80%
#     critical: 90%
#     clear: 75%
#     for: 15m
`)
	return b.String()
}

// agentText is the configuration of the agent of this host.
func agentText(pageURL, sampleURL string) string {
	return fmt.Sprintf(`# The agent of this host. Made by quickstart, yours to edit; a restart takes it over.
interval: 5s
listen: off
checks:
  - {component: %s, http: %q, interval: 5s, timeout: 3s}
  - {component: %s, http: %q, interval: 5s, timeout: 3s}
`, componentSample, sampleURL, componentPage, pageURL)
}

// writeOnce writes text to name unless that exists. A half-written file is
// never taken for a person's.
func writeOnce(name, text string) (made bool, err error) {
	if _, err := os.Stat(name); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return false, err
	}
	return true, durable.WriteFile(name, []byte(text), 0o640)
}

// localZone is the IANA name of this host's zone; UTC where it cannot be told.
func localZone(getenv func(string) string) string {
	candidates := []string{strings.TrimPrefix(getenv("TZ"), ":")}
	if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok {
			candidates = append(candidates, name)
		}
	}
	if text, err := os.ReadFile("/etc/timezone"); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(text)))
	}
	for _, name := range candidates {
		if name == "" || name == "Local" {
			continue
		}
		if _, err := time.LoadLocation(name); err == nil {
			return name
		}
	}
	return "UTC"
}

// defaultData is where quickstart keeps everything unless told otherwise.
func defaultData(getenv func(string) string) (string, error) {
	if state := getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "plimsoll"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the user's state directory: %w; name one with --data", err)
	}
	return filepath.Join(home, ".local", "state", "plimsoll"), nil
}
