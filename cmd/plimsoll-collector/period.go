package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
)

type periodCmd struct {
	List   periodListCmd   `cmd:"" help:"The closed months and their versions."`
	Close  periodCloseCmd  `cmd:"" help:"Freeze a customer's month."`
	Diff   periodDiffCmd   `cmd:"" help:"What a version changes of the one before."`
	Accept periodAcceptCmd `cmd:"" help:"Restate a month by the version that waits."`
	Reject periodRejectCmd `cmd:"" help:"Leave a month as it stands."`
	Show   periodShowCmd   `cmd:"" help:"The very bytes that were frozen; sha256sum gives the hash of the list."`
}

// period is a version of a closed month as the API tells it.
type period struct {
	Customer    string `json:"customer"`
	Period      string `json:"period"`
	Version     int64  `json:"version"`
	State       string `json:"state"`
	MadeAt      string `json:"made_at"`
	MadeBy      string `json:"made_by"`
	Reason      string `json:"reason"`
	SHA256      string `json:"sha256"`
	Differences []struct {
		Service   string `json:"service"`
		Agreement string `json:"agreement"`
		Version   int    `json:"version"`
		Figure    string `json:"figure"`
		Was       string `json:"was"`
		Is        string `json:"is"`
	} `json:"differences"`
}

func printPeriods(out io.Writer, all ...period) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PERIOD\tCUSTOMER\tVERSION\tSTATE\tMADE\tBY\tDIFFERENCES\tSHA-256")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%d\t%s\n", p.Period, p.Customer, p.Version, p.State, p.MadeAt, p.MadeBy, len(p.Differences), p.SHA256)
	}
	return w.Flush()
}

type periodListCmd struct {
	asking
	Customer string `help:"Only this customer's."`
	Check    bool   `help:"Compare them with what comes out now first (an approver's)."`
}

func (c *periodListCmd) list(ctx context.Context, customer, month string) ([]period, error) {
	var all struct {
		Periods []period `json:"periods"`
	}
	q := url.Values{"customer": {customer}, "period": {month}}
	err := c.fetch(ctx, http.MethodGet, "/api/v1/periods?"+q.Encode(), nil, &all)
	return all.Periods, err
}

func (c *periodListCmd) Run(ctx context.Context) error {
	if c.Check {
		if err := c.fetch(ctx, http.MethodPost, "/api/v1/periods/check", nil, nil); err != nil {
			return err
		}
	}
	all, err := c.list(ctx, c.Customer, "")
	if err != nil {
		return err
	}
	return printPeriods(os.Stdout, all...)
}

// month names a customer's month.
type month struct {
	Customer string `help:"Whose month; empty for services without a customer." required:""`
	Period   string `help:"Month, as 2026-10." required:"" placeholder:"YYYY-MM"`
	Reason   string `help:"For the audit chain."`
}

type periodCloseCmd struct {
	asking
	month
}

func (c *periodCloseCmd) Run(ctx context.Context) error {
	var p period
	body := map[string]any{"customer": c.Customer, "reason": c.Reason}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/periods/"+url.PathEscape(c.Period)+"/close", body, &p); err != nil {
		return err
	}
	return printPeriods(os.Stdout, p)
}

type periodDecision struct {
	asking
	month
	Number int64 `name:"number" help:"Version that waits." required:"" placeholder:"N"`
}

func (c *periodDecision) decide(ctx context.Context, accept bool) error {
	var p period
	body := map[string]any{"customer": c.Customer, "reason": c.Reason, "version": c.Number, "accept": accept}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/periods/"+url.PathEscape(c.Period)+"/decide", body, &p); err != nil {
		return err
	}
	return printPeriods(os.Stdout, p)
}

type periodAcceptCmd struct{ periodDecision }

func (c *periodAcceptCmd) Run(ctx context.Context) error { return c.decide(ctx, true) }

type periodRejectCmd struct{ periodDecision }

func (c *periodRejectCmd) Run(ctx context.Context) error { return c.decide(ctx, false) }

type periodDiffCmd struct {
	asking
	Customer string `help:"Whose month." required:""`
	Period   string `help:"Month, as 2026-10." required:"" placeholder:"YYYY-MM"`
	Number   int64  `help:"Version (default: the newest)." placeholder:"N"`
}

func (c *periodDiffCmd) Run(ctx context.Context) error {
	all, err := (&periodListCmd{asking: c.asking}).list(ctx, c.Customer, c.Period)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		p := &all[i]
		if p.Customer != c.Customer || c.Number != 0 && p.Version != c.Number {
			continue
		}
		fmt.Printf("%s of %s, version %d: %s; %s\n", p.Period, p.Customer, p.Version, p.State, p.Reason)
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		for _, d := range p.Differences {
			fmt.Fprintf(w, "%s\t%s v%d\t%s\t%s\t-> %s\n", d.Service, d.Agreement, d.Version, d.Figure, d.Was, d.Is)
		}
		return w.Flush()
	}
	return fmt.Errorf("%s of %s is not closed, or has no such version: see plimsoll-collector period list", c.Period, c.Customer)
}

type periodShowCmd struct {
	asking
	Customer string `help:"Whose month." required:""`
	Period   string `help:"Month, as 2026-10." required:"" placeholder:"YYYY-MM"`
	Number   int64  `help:"Version." default:"1" placeholder:"N"`
}

func (c *periodShowCmd) Run(ctx context.Context) error {
	resp, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("/api/v1/periods/%s/versions/%d", url.PathEscape(c.Period), c.Number), url.Values{"customer": {c.Customer}}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
