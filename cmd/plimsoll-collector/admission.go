package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

type enrolCmd struct {
	Create enrolCreateCmd `cmd:"" help:"Make a token and print the line to run on each new host."`
	List   enrolListCmd   `cmd:"" help:"The tokens of the last 90 days, and who used them."`
	Revoke enrolRevokeCmd `cmd:"" help:"End a token before its time."`
}

type enrolCreateCmd struct {
	asking
	TTL      lifetime          `help:"How long the token is good for, up to 30d." default:"24h" name:"ttl"`
	Uses     int               `help:"How many hosts may enrol with it." default:"1"`
	Labels   map[string]string `help:"Given to each host, as customer=acme,site=sh,role=web." mapsep:"," placeholder:"K=V,…"`
	CIDR     []string          `help:"Addresses it may be used from, as 10.0.0.0/8." name:"cidr" placeholder:"RANGE"`
	Customer string            `help:"Customer the new hosts belong to." placeholder:"NAME"`
}

func (c *enrolCreateCmd) Run(ctx context.Context) error {
	var made struct {
		Token, Address string
		Expires        string
		Warnings       []string
	}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/enrol-tokens", map[string]any{"ttl": c.TTL, "uses": c.Uses, "labels": nonNil(c.Labels), "cidr": append([]string{}, c.CIDR...), "customer": c.Customer}, &made); err != nil {
		return err
	}
	for _, w := range made.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	times := "once"
	if c.Uses > 1 {
		times = fmt.Sprintf("for %d hosts", c.Uses)
	}
	fmt.Printf("# good %s, until %s\nplimsoll-agent enrol --collector %s --token %s\nplimsoll-agent run\n", times, made.Expires, made.Address, made.Token)
	return nil
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

type enrolListCmd struct{ asking }

func (c *enrolListCmd) Run(ctx context.Context) error {
	var answer struct {
		Tokens []struct {
			ID, State, Customer string
			Expires             time.Time
			Uses, Left          int
			Labels              map[string]string
			CIDR                []string
			Hosts               []string
		}
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/enrol-tokens", nil, &answer); err != nil {
		return err
	}
	return table("ID\tSTATE\tLEFT\tUNTIL\tCUSTOMER\tLABELS\tFROM\tHOSTS", len(answer.Tokens), func(i int) []string {
		t := answer.Tokens[i]
		return []string{t.ID, t.State, fmt.Sprintf("%d of %d", t.Left, t.Uses), minute(t.Expires), t.Customer, pairs(t.Labels), strings.Join(t.CIDR, ","), strings.Join(t.Hosts, ",")}
	})
}

type enrolRevokeCmd struct {
	asking
	ID string `arg:"" help:"As enrol list shows it."`
}

func (c *enrolRevokeCmd) Run(ctx context.Context) error {
	if err := c.fetch(ctx, http.MethodDelete, "/api/v1/enrol-tokens/"+url.PathEscape(c.ID), nil, nil); err != nil {
		return err
	}
	fmt.Printf("token %s is no longer good\n", c.ID)
	return nil
}

type hostCmd struct {
	List   hostListCmd   `cmd:"" help:"Every host, its customer and labels, and whether it is in quarantine."`
	Revoke hostRevokeCmd `cmd:"" help:"Take a host out: its certificates are refused from now on, its connections end."`
}

type hostListCmd struct{ asking }

func (c *hostListCmd) Run(ctx context.Context) error {
	var answer struct {
		Hosts []struct {
			Host, Instance, Customer, Version, State, Quarantine string
			LastSeen                                             *time.Time `json:"last_seen"`
			Labels                                               map[string]string
		}
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/hosts", nil, &answer); err != nil {
		return err
	}
	return table("HOST\tID\tCUSTOMER\tLABELS\tSTATE\tLAST SEEN\tQUARANTINE", len(answer.Hosts), func(i int) []string {
		h, seen := answer.Hosts[i], "never"
		if h.LastSeen != nil {
			seen = minute(*h.LastSeen)
		}
		return []string{h.Instance, h.Host, h.Customer, pairs(h.Labels), h.State, seen, h.Quarantine}
	})
}

type hostRevokeCmd struct {
	asking
	Instance string `arg:"" help:"Name the host is listed under."`
	Reason   string `help:"For the audit chain." placeholder:"TEXT"`
}

func (c *hostRevokeCmd) Run(ctx context.Context) error {
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/hosts/"+url.PathEscape(c.Instance)+"/revoke", map[string]string{"reason": c.Reason}, nil); err != nil {
		return err
	}
	fmt.Printf("%s is out; what is known of it stays\n", c.Instance)
	return nil
}

type caCmd struct {
	Show   caShowCmd   `cmd:"" help:"The authorities in force, and the hosts that hang on each alone."`
	Rotate caRotateCmd `cmd:"" help:"Make a new authority; both are trusted until the old one is retired."`
	Retire caRetireCmd `cmd:"" help:"End the old authority; refused while a host or an open token needs it."`
}

type caShowCmd struct{ asking }

func (c *caShowCmd) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, "/api/v1/authorities")
}

type caRotateCmd struct{ asking }

func (c *caRotateCmd) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, "/api/v1/authorities/rotate")
}

type caRetireCmd struct{ asking }

func (c *caRetireCmd) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, "/api/v1/authorities/retire")
}

// show asks for the authorities, or a change of them, and prints what is in force.
func (a asking) show(ctx context.Context, method, path string) error {
	var answer struct {
		Authorities []struct {
			Fingerprint      string
			NotAfter         time.Time `json:"not_after"`
			Serving, Signing bool
			Hosts            []string
		}
	}
	if err := a.fetch(ctx, method, path, nil, &answer); err != nil {
		return err
	}
	return table("FINGERPRINT\tUNTIL\tPROVES THE COLLECTOR\tSIGNS HOSTS\tONLY AUTHORITY OF", len(answer.Authorities), func(i int) []string {
		one := answer.Authorities[i]
		return []string{one.Fingerprint[:min(16, len(one.Fingerprint))], one.NotAfter.Format(time.DateOnly), yes(one.Serving), yes(one.Signing), strings.Join(one.Hosts, ",")}
	})
}

// table prints a heading and n rows in columns.
func table(heading string, n int, row func(int) []string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	for i := range n {
		cells := row(i)
		for j := range cells {
			if cells[j] == "" {
				cells[j] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// pairs is k=v,k=v in the order of the names.
func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ",")
}
