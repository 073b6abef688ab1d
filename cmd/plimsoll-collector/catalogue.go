package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/plimsoll/plimsoll/collector/catalogue"
)

type catalogueCmd struct {
	Suggest suggestCmd `cmd:"" help:"Draft groups, services and agreements from the labels of the hosts a collector knows."`
	Import  importCmd  `cmd:"" help:"Draft them from an inventory in CSV: host,customer,role and other labels."`
}

// drafting is what both drafts are asked.
type drafting struct {
	Zone string `help:"Time zone of the agreements." default:"UTC" placeholder:"ZONE"`
	Out  string `help:"File to write (default: standard output)." placeholder:"FILE"`
}

func (d drafting) write(hosts []catalogue.Seen) error {
	if _, err := time.LoadLocation(d.Zone); err != nil {
		fmt.Fprintf(os.Stderr, "plimsoll-collector: no time zone %q; use an IANA name like Asia/Shanghai\n", d.Zone)
		return errExit(2)
	}
	text := catalogue.Suggest(hosts, d.Zone)
	if d.Out == "" {
		_, err := os.Stdout.Write(text)
		return err
	}
	_, err := save(d.Out, bytes.NewReader(text))
	return err
}

type suggestCmd struct {
	asking
	drafting
}

// Run prints the draft; the catalogue in force stays as it is.
func (c *suggestCmd) Run(ctx context.Context) error {
	var answer struct {
		Hosts []struct {
			Instance, Customer string
			Labels             map[string]string
		}
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/hosts", nil, &answer); err != nil {
		return err
	}
	var hosts []catalogue.Seen
	for _, h := range answer.Hosts {
		labels := map[string]string{"customer": h.Customer}
		for name, value := range h.Labels {
			labels[name] = value
		}
		hosts = append(hosts, catalogue.Seen{Host: h.Instance, Labels: labels})
	}
	return c.write(hosts)
}

type importCmd struct {
	drafting
	File string `arg:"" help:"Inventory: a header with host and the names of labels, then a line for each host."`
}

// Run prints the draft; the labels themselves come with the enrolment.
func (c *importCmd) Run() error {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the inventory: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	hosts, err := catalogue.ReadInventory(file)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.File, err)
		return errExit(2)
	}
	return c.write(hosts)
}
