package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

type maintenanceCmd struct {
	Plan     maintenancePlanCmd     `cmd:"" help:"Plan work: says whether its windows will count as planned, and asks for approval."`
	List     maintenanceListCmd     `cmd:"" help:"Changes, the newest first."`
	Approve  maintenanceApproveCmd  `cmd:"" help:"Approve a change somebody else asked for."`
	Reject   maintenanceRejectCmd   `cmd:"" help:"Reject a change somebody else asked for."`
	Cancel   maintenanceCancelCmd   `cmd:"" help:"End a change: what has passed of it stays, one window under way ends now."`
	Calendar maintenanceCalendarCmd `cmd:"" help:"Approved windows as an iCalendar file."`
}

// plannedChange is what the collector tells of one.
type plannedChange struct {
	No, Title, Type, State, Zone, Rule string
	Requester, Approver                string
	Services, Components               []string
	From, To                           time.Time
}

// sight is what an agreement makes of a window.
type sight struct {
	From, To                    time.Time
	Service, Agreement, Verdict string
	Text                        []string
}

type maintenancePlanCmd struct {
	asking
	Title     string   `help:"What is done, on one line." required:""`
	Reason    string   `help:"Why."`
	Service   []string `help:"Service whose windows these are: all their time is planned. Repeatable." placeholder:"NAME"`
	Component []string `help:"Component that is worked on: only what that takes a service down is planned. Repeatable." placeholder:"NAME"`
	From      string   `help:"Beginning of the first window, as 2026-11-28T22:00:00+08:00." required:"" placeholder:"INSTANT"`
	To        string   `help:"Its end, excluded." required:"" placeholder:"INSTANT"`
	Repeat    string   `help:"RRULE of RFC 5545 with an end, as FREQ=MONTHLY;BYDAY=4SA;UNTIL=20271231." placeholder:"RULE"`
	Zone      string   `help:"IANA name of the zone the rule is read in (default: that of the first agreement touched)." placeholder:"ZONE"`
	DryRun    bool     `help:"Only say what will become of it; nothing is saved."`
}

func (c *maintenancePlanCmd) Run(ctx context.Context) error {
	var answer struct {
		Change  *plannedChange
		Counts  bool
		Windows int
		Sights  []sight
	}
	body := map[string]any{"title": c.Title, "reason": c.Reason, "services": append([]string{}, c.Service...), "components": append([]string{}, c.Component...),
		"from": c.From, "to": c.To, "rule": c.Repeat, "zone": c.Zone, "preview": c.DryRun}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/changes", body, &answer); err != nil {
		return err
	}
	fmt.Println(many(answer.Windows, "window"))
	if len(answer.Sights) == 0 {
		fmt.Println("nothing of it names a service with an agreement: no figure changes")
	}
	for _, s := range answer.Sights {
		fmt.Printf("%s  %s (%s)  %s: %s\n", minute(s.From), s.Service, s.Agreement, strings.ReplaceAll(s.Verdict, "_", " "), strings.Join(s.Text, " "))
	}
	if answer.Change != nil {
		fmt.Printf("%s awaits the approval of another person\n", answer.Change.No)
	}
	return nil
}

type maintenanceListCmd struct {
	asking
	State string `help:"Only those: new, scheduled, rejected or cancelled." enum:",new,scheduled,rejected,cancelled" default:""`
}

func (c *maintenanceListCmd) Run(ctx context.Context) error {
	var answer struct{ Changes []plannedChange }
	path := "/api/v1/changes"
	if c.State != "" {
		path += "?state=" + c.State
	}
	if err := c.fetch(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	return table("CHANGE\tSTATE\tTYPE\tFROM\tTO\tREPEATS\tCONCERNS\tREQUESTED BY\tDECIDED BY\tTITLE", len(answer.Changes), func(i int) []string {
		p := &answer.Changes[i]
		return []string{p.No, p.State, p.Type, minute(p.From), minute(p.To), p.Rule, strings.Join(slices.Concat(p.Services, p.Components), ","), p.Requester, p.Approver, p.Title}
	})
}

// decision is a change or adjustment that is decided.
type decision struct {
	asking
	No      string `arg:"" help:"Its number, as list shows it."`
	Comment string `help:"Why, for those who read it later." placeholder:"TEXT"`
}

// decide asks for it and says what it is now.
func (d *decision) decide(ctx context.Context, what, verb string) error {
	var answer struct{ No, State string }
	if err := d.fetch(ctx, http.MethodPost, "/api/v1/"+what+"/"+url.PathEscape(d.No)+"/"+verb, map[string]string{"comment": d.Comment}, &answer); err != nil {
		return err
	}
	fmt.Printf("%s is %s\n", answer.No, answer.State)
	return nil
}

type maintenanceApproveCmd struct{ decision }

func (c *maintenanceApproveCmd) Run(ctx context.Context) error {
	return c.decide(ctx, "changes", "approve")
}

type maintenanceRejectCmd struct{ decision }

func (c *maintenanceRejectCmd) Run(ctx context.Context) error {
	return c.decide(ctx, "changes", "reject")
}

type maintenanceCancelCmd struct{ decision }

func (c *maintenanceCancelCmd) Run(ctx context.Context) error {
	return c.decide(ctx, "changes", "cancel")
}

type maintenanceCalendarCmd struct {
	asking
	Customer string `help:"Only what touches this customer's services." placeholder:"NAME"`
	Service  string `help:"Only what touches this service." placeholder:"NAME"`
	Out      string `help:"File to write (default: standard output)." placeholder:"FILE"`
}

func (c *maintenanceCalendarCmd) Run(ctx context.Context) error {
	return c.download(ctx, "/api/v1/maintenance.ics", url.Values{"customer": {c.Customer}, "service": {c.Service}}, c.Out)
}
