package main

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type adjustmentCmd struct {
	Request adjustmentRequestCmd `cmd:"" help:"Ask for a correction: shows the figures before and after; another person approves."`
	List    adjustmentListCmd    `cmd:"" help:"Corrections, the newest first."`
	Approve adjustmentApproveCmd `cmd:"" help:"Approve a correction somebody else asked for."`
	Refuse  adjustmentRefuseCmd  `cmd:"" help:"Refuse a correction somebody else asked for."`
}

type standing struct {
	Availability string
	DownS        float64 `json:"down_s"`
}

type shift struct {
	Service, Agreement string
	From               time.Time
	Before, After      standing
}

// percent is an exact fraction as it is printed: cut off, never rounded up.
func percent(fraction string) string {
	r, ok := new(big.Rat).SetString(fraction)
	if !ok {
		return "no value"
	}
	scaled := new(big.Int).Quo(new(big.Int).Mul(r.Num(), big.NewInt(100_000)), r.Denom())
	text := fmt.Sprintf("%04d", scaled)
	return text[:len(text)-3] + "." + text[len(text)-3:] + " %"
}

func printShifts(shifts []shift) {
	if len(shifts) == 0 {
		fmt.Println("no agreement counts this time: no figure changes")
	}
	for _, s := range shifts {
		fmt.Printf("%s (%s), %s: %s -> %s, %.0f s -> %.0f s down\n", s.Service, s.Agreement, s.From.Format("2006-01"), percent(s.Before.Availability), percent(s.After.Availability), s.Before.DownS, s.After.DownS)
	}
}

type adjustmentRequestCmd struct {
	asking
	Outage    int64    `help:"Number of the outage it is about; component and time are its own." placeholder:"N"`
	Service   []string `help:"Service it is about. Repeatable." placeholder:"NAME"`
	Component []string `help:"Component it is about. Repeatable." placeholder:"NAME"`
	From      string   `help:"Beginning, as 2026-11-12T03:12:15+08:00." placeholder:"INSTANT"`
	To        string   `help:"End, excluded." placeholder:"INSTANT"`
	Effect    string   `help:"exclude cuts the time out; up and down correct the state." enum:"exclude,up,down" default:"exclude"`
	Reason    string   `help:"Why."`
	Evidence  string   `help:"Where that can be seen: a ticket, a mail, a log."`
	DryRun    bool     `help:"Only show what it would change; nothing is saved."`
}

func (c *adjustmentRequestCmd) Run(ctx context.Context) error {
	var answer struct {
		Adjustment *struct{ No string }
		Shifts     []shift
	}
	body := map[string]any{"outage": c.Outage, "services": append([]string{}, c.Service...), "components": append([]string{}, c.Component...), "effect": c.Effect,
		"reason": c.Reason, "evidence": c.Evidence, "preview": c.DryRun}
	if c.From != "" {
		body["from"] = c.From
	}
	if c.To != "" {
		body["to"] = c.To
	}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/adjustments", body, &answer); err != nil {
		return err
	}
	printShifts(answer.Shifts)
	if answer.Adjustment != nil {
		fmt.Printf("%s awaits the approval of another person\n", answer.Adjustment.No)
	}
	return nil
}

type adjustmentListCmd struct {
	asking
	State string `help:"Only those: requested, approved or refused." enum:",requested,approved,refused" default:""`
}

func (c *adjustmentListCmd) Run(ctx context.Context) error {
	var answer struct {
		Adjustments []struct {
			No, State, Effect, Reason, Requester, Decider string
			Services, Components                          []string
			From, To                                      time.Time
		}
	}
	path := "/api/v1/adjustments"
	if c.State != "" {
		path += "?state=" + c.State
	}
	if err := c.fetch(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	return table("ADJUSTMENT\tSTATE\tEFFECT\tFROM\tTO\tCONCERNS\tREQUESTED BY\tDECIDED BY\tREASON", len(answer.Adjustments), func(i int) []string {
		a := &answer.Adjustments[i]
		return []string{a.No, a.State, a.Effect, minute(a.From), minute(a.To), strings.Join(slices.Concat(a.Services, a.Components), ","), a.Requester, a.Decider, a.Reason}
	})
}

type adjustmentApproveCmd struct{ decision }

func (c *adjustmentApproveCmd) Run(ctx context.Context) error {
	return c.decide(ctx, "adjustments", "approve")
}

type adjustmentRefuseCmd struct{ decision }

func (c *adjustmentRefuseCmd) Run(ctx context.Context) error {
	return c.decide(ctx, "adjustments", "refuse")
}

type outageCmd struct {
	List     outageListCmd     `cmd:"" help:"Outages of components, the newest first."`
	Annotate outageAnnotateCmd `cmd:"" help:"Say what is known of an outage: cause, category, supplier, incident. Amended, never edited."`
}

type outageListCmd struct {
	asking
	Component string `help:"Only of this one." placeholder:"NAME"`
}

func (c *outageListCmd) Run(ctx context.Context) error {
	var answer struct {
		Outages []struct {
			ID        int64
			Component string
			From      time.Time
			To        *time.Time
			DurationS float64 `json:"duration_s"`
		}
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/outages?"+url.Values{"component": {c.Component}}.Encode(), nil, &answer); err != nil {
		return err
	}
	return table("NUMBER\tCOMPONENT\tFROM\tTO\tSECONDS", len(answer.Outages), func(i int) []string {
		o, to := &answer.Outages[i], "ongoing"
		if o.To != nil {
			to = o.To.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		return []string{strconv.FormatInt(o.ID, 10), o.Component, o.From.UTC().Format("2006-01-02 15:04:05 UTC"), to, strconv.FormatFloat(o.DurationS, 'f', -1, 64)}
	})
}

type outageAnnotateCmd struct {
	asking
	ID       int64  `arg:"" help:"Its number, as list shows it."`
	Cause    string `help:"What happened."`
	Category string `help:"capacity, hardware, software, change, human, supplier, environment or unknown." placeholder:"NAME"`
	Supplier string `help:"Whose fault it was, if a supplier's." placeholder:"NAME"`
	Incident string `help:"Its number in the service desk's tool." placeholder:"NUMBER"`
	Comment  string `help:"Anything else."`
}

func (c *outageAnnotateCmd) Run(ctx context.Context) error {
	var answer struct{ Versions []struct{ Seq int64 } }
	err := c.fetch(ctx, http.MethodPost, fmt.Sprintf("/api/v1/outages/%d/annotations", c.ID),
		map[string]string{"cause": c.Cause, "category": c.Category, "supplier": c.Supplier, "incident": c.Incident, "comment": c.Comment}, &answer)
	if err != nil {
		return err
	}
	fmt.Printf("outage %d: version %d stands\n", c.ID, len(answer.Versions))
	return nil
}

type exportCatalogueCmd struct {
	asking
	Out string `help:"File to write (default: standard output)." placeholder:"FILE"`
}

// Run writes the catalogue in force with the windows and adjustments people
// decided: with the exported facts, evaluate gives the collector's figures.
func (c *exportCatalogueCmd) Run(ctx context.Context) error {
	return c.download(ctx, "/api/v1/catalogue", nil, c.Out)
}
