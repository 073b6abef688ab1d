package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/evaluate"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/collector/zone"
	"github.com/plimsoll/plimsoll/internal/quickstart"
)

// commands is the whole command line.
type commands struct {
	Quickstart  quickstartCmd  `cmd:"" help:"Watch this very host: collector and agent in one process, no configuration, loopback only."`
	Run         runCmd         `cmd:"" help:"Run the collector."`
	Check       checkCmd       `cmd:"" help:"Check a configuration or catalogue; names all faults at once."`
	Reload      reloadCmd      `cmd:"" help:"Let a running collector read its catalogue again."`
	Evaluate    evaluateCmd    `cmd:"" help:"Compute SLA figures from a file of facts and a catalogue, without a collector."`
	Explain     explainCmd     `cmd:"" help:"Why a figure is what it is: the sum, its rows, the facts."`
	Draft       catalogueCmd   `cmd:"" name:"catalogue" help:"Draft a catalogue from the hosts there are, or from an inventory."`
	Report      reportCmd      `cmd:"" help:"Write the service report of a customer and month."`
	Period      periodCmd      `cmd:"" help:"Close months, and restate them."`
	Export      exportCmd      `cmd:"" help:"Take raw data out of a running collector."`
	Enrol       enrolCmd       `cmd:"" help:"Let new agents in."`
	Sender      senderCmd      `cmd:"" help:"Let an existing Prometheus, vmagent, Telegraf or OpenTelemetry collector in."`
	Host        hostCmd        `cmd:"" help:"The hosts that were let in."`
	CA          caCmd          `cmd:"" name:"ca" help:"The authority that signs hosts."`
	Maintenance maintenanceCmd `cmd:"" help:"Planned work: changes and their maintenance windows."`
	Adjustment  adjustmentCmd  `cmd:"" help:"Corrections of figures, with four eyes."`
	Outage      outageCmd      `cmd:"" help:"Outages, and what people know of them."`
	Value       valueCmd       `cmd:"" help:"Values of indicators that no machine measures."`
	Supplier    supplierCmd    `cmd:"" help:"Suppliers, and what became of what they promised."`
	Audit       auditCmd       `cmd:"" help:"The audit chain."`
	User        userCmd        `cmd:"" help:"Who may log in."`
	Token       tokenCmd       `cmd:"" help:"What lets programs in: Grafana, scripts, these commands."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

type quickstartCmd struct {
	Demo         bool    `help:"Beside this host, show two simulated customers over three months, clearly marked; in a data directory of its own."`
	Data         string  `help:"Where everything is kept (default: plimsoll in the user's state directory)." placeholder:"DIR"`
	Listen       address `help:"Address of the pages, the API and the metrics; loopback only." default:"127.0.0.1:1876"`
	ListenAgents address `help:"Address agents deliver to." default:"127.0.0.1:1877"`
	ListenSample address `help:"Address of the sample page." default:"127.0.0.1:1879"`
}

func (c *quickstartCmd) Run(ctx context.Context) error {
	return quickstart.Run(ctx, quickstart.Options{Data: c.Data, Listen: string(c.Listen), ListenAgents: string(c.ListenAgents),
		ListenSample: string(c.ListenSample), Demo: c.Demo, Version: version, Stdout: os.Stdout, Program: invocation(), Arguments: os.Args[1:]})
}

type runCmd struct {
	Config       string  `help:"Configuration file; an empty one is a good one." placeholder:"FILE" type:"existingfile"`
	Data         string  `help:"Data directory; overrides the configuration." placeholder:"DIR"`
	Listen       address `help:"Address of the pages, the API and the metrics; beyond loopback over TLS and with a login." placeholder:"ADDR"`
	ListenAgents address `help:"Address agents deliver to." placeholder:"ADDR"`
}

func (c *runCmd) Run(ctx context.Context) error {
	config, faults := collector.LoadConfig(c.Config)
	if len(faults) > 0 {
		fmt.Fprintln(os.Stderr, faults.Error())
		return errExit(2)
	}
	config.Override(c.Data, string(c.Listen), string(c.ListenAgents))
	return collector.Run(ctx, collector.Options{Config: config, Version: version, Log: collector.NewLog(os.Stderr), Program: invocation(), Arguments: os.Args[1:]})
}

type checkCmd struct {
	Config    string `help:"Configuration file of the collector." placeholder:"FILE"`
	Catalogue string `help:"Catalogue of services and agreements: a file with the folder .d beside it, or a folder of *.yaml." placeholder:"PATH"`
	Schema    bool   `help:"Write the JSON Schema of the catalogue, for editors."`
	Lang      string `help:"Language of what each agreement allows." enum:"en,zh-CN" default:"en"`
}

func (c *checkCmd) Run() error {
	if c.Schema {
		text, err := catalogue.Schema()
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(text)
		return err
	}
	if c.Config == "" && c.Catalogue == "" {
		return fmt.Errorf("nothing to check: name a file with --config or --catalogue")
	}
	bad := false
	if c.Config != "" {
		if _, faults := collector.LoadConfig(c.Config); len(faults) > 0 {
			fmt.Fprintln(os.Stderr, faults.Error())
			bad = true
		} else {
			fmt.Printf("%s: good\n", c.Config)
		}
	}
	if c.Catalogue != "" {
		texts, err := catalogue.Read(c.Catalogue)
		if err != nil {
			fmt.Fprintln(os.Stderr, "plimsoll-collector: read the catalogue:", err)
			return errExit(2)
		}
		parsed, faults := catalogue.ParseFiles(c.Catalogue, texts)
		if len(faults) > 0 {
			fmt.Fprintln(os.Stderr, faults.Error())
			bad = true
		} else {
			a := parsed.Availability
			fmt.Printf("%s: good: %s, %s, %s, %s, %s\n", c.Catalogue, many(len(a.Components), "component"), many(len(a.Services), "service"),
				many(len(a.Agreements), "agreement version"), many(len(parsed.Resources), "resource"), many(len(parsed.Checks), "check"))
			if len(a.Services) == 0 {
				fmt.Println("  0 services: nothing is agreed yet")
			}
			for _, k := range parsed.Checks {
				fmt.Printf("  check of %s from %s: %s\n", k.Component, strings.Join(k.From, ", "), k.Target())
			}
			if err := c.tell(parsed, time.Now()); err != nil {
				return err
			}
		}
	}
	if bad {
		return errExit(2)
	}
	return nil
}

// tell says what each agreement in force allows this month, and what will be
// wrong some day.
func (c *checkCmd) tell(parsed *catalogue.Catalogue, now time.Time) error {
	shelf, err := words.Read()
	if err != nil {
		return err
	}
	for i := range parsed.Availability.Agreements {
		a := &parsed.Availability.Agreements[i]
		if in := a.InForce(); now.UnixMilli() < in.From || now.UnixMilli() >= in.To {
			continue
		}
		text, err := shelf[c.Lang].Allowance(parsed.Availability, a, now.UnixMilli())
		if err != nil {
			return err
		}
		fmt.Println("  " + text)
	}
	for i := range parsed.Availability.Contracts {
		contract := &parsed.Availability.Contracts[i]
		if in := contract.Terms.InForce(); now.UnixMilli() < in.From || now.UnixMilli() >= in.To {
			continue
		}
		text, err := shelf[c.Lang].Underpinned(parsed.Availability, contract, now.UnixMilli())
		if err != nil {
			return err
		}
		fmt.Println("  " + text)
	}
	for _, warning := range parsed.Warnings(now, zone.Find(runtime.Version())) {
		fmt.Fprintln(os.Stderr, c.Catalogue+": warning: "+warning)
	}
	return nil
}

// many is a number of things: 1 check, 2 checks.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

type evaluateCmd struct {
	Facts     string `help:"CSV of facts: time,component,state and optionally observer,latency_ms,received_at,hold." required:"" placeholder:"FILE"`
	Catalogue string `help:"Catalogue of services and agreements." required:"" placeholder:"FILE"`
	From      string `help:"Beginning of the period: a date or an instant." required:""`
	To        string `help:"End of the period, excluded." required:""`
	AsOf      asOf   `help:"What was known then: an instant, as 2026-11-25T12:00:00Z, or the begin of a date in UTC (default: now)." placeholder:"INSTANT"`
	Format    string `help:"json or table." enum:"json,table" default:"json"`
}

func (c *evaluateCmd) Run(ctx context.Context) error {
	at, err := c.AsOf.rfc3339()
	if err != nil {
		return err
	}
	status := evaluate.Run(ctx, evaluate.Options{FactsPath: c.Facts, CataloguePath: c.Catalogue, From: c.From, To: c.To,
		AsOf: at, Format: c.Format, Now: time.Now()}, os.Stdout, os.Stderr)
	if status != 0 {
		return errExit(status)
	}
	return nil
}

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println("plimsoll-collector", version)
	return nil
}
