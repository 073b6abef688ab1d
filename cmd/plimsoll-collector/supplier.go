package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

type supplierCmd struct {
	List supplierListCmd `cmd:"" help:"The suppliers: what they promised, and what came of it."`
	Show supplierShowCmd `cmd:"" help:"One supplier: components, and the downtime of services that is its own."`
}

// supplierAsk is the period asked about.
type supplierAsk struct {
	asking
	askedMonth
	Format string `help:"table or json." enum:"table,json" default:"table"`
}

// suppliers is the part of the answer the tables show.
type suppliers struct {
	Suppliers []struct {
		Supplier  string `json:"supplier"`
		Contracts []struct {
			Contract   string          `json:"contract"`
			Figures    suppliedFigures `json:"figures"`
			Components []struct {
				Component string          `json:"component"`
				Figures   suppliedFigures `json:"figures"`
			} `json:"components"`
		} `json:"contracts"`
		Services []struct {
			Service     string  `json:"service"`
			Agreement   string  `json:"agreement"`
			Version     int     `json:"version"`
			DownS       float64 `json:"down_s"`
			AttributedS float64 `json:"attributed_s"`
			AloneS      float64 `json:"alone_s"`
			Outages     []struct {
				From        string   `json:"from"`
				To          *string  `json:"to"`
				DownS       float64  `json:"down_s"`
				AttributedS float64  `json:"attributed_s"`
				AloneS      float64  `json:"alone_s"`
				Supplied    []string `json:"supplied"`
			} `json:"outages"`
		} `json:"services"`
		Annotated []struct {
			ID        int64  `json:"id"`
			Component string `json:"component"`
			From      string `json:"from"`
			Cause     string `json:"cause"`
		} `json:"annotated"`
	} `json:"suppliers"`
}

type suppliedFigures struct {
	Availability *float64 `json:"availability"`
	DownS        float64  `json:"down_s"`
	Outages      int64    `json:"outages_started"`
	MTTRS        *float64 `json:"mttr_s"`
	Indicators   []struct {
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"indicators"`
}

// answer asks for the path; nil where the bytes were copied to out as they are.
func (c *supplierAsk) answer(ctx context.Context, path string, out io.Writer) (*suppliers, error) {
	q, err := c.query()
	if err != nil {
		return nil, err
	}
	resp, err := c.ask(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if c.Format == "json" {
		_, err = io.Copy(out, resp.Body)
		return nil, err
	}
	var all suppliers
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the collector's answer: %w", err)
	}
	return &all, nil
}

type supplierListCmd struct{ supplierAsk }

func (c *supplierListCmd) Run(ctx context.Context) error {
	all, err := c.answer(ctx, "/api/v1/suppliers", os.Stdout)
	if err != nil || all == nil {
		return err
	}
	return all.list(os.Stdout)
}

func (s *suppliers) list(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "SUPPLIER\tCONTRACT\tCOMPONENTS\tAVAILABILITY\tDOWN\tOUTAGES\tMTTR\tSTATE\tATTRIBUTED\tALONE")
	for i := range s.Suppliers {
		each := &s.Suppliers[i]
		var attributed, alone float64
		for _, service := range each.Services {
			attributed, alone = attributed+service.AttributedS, alone+service.AloneS
		}
		if len(each.Contracts) == 0 {
			fmt.Fprintf(w, "%s\tnone in force\t\t\t\t\t\t\t%s\t%s\n", each.Supplier, seconds(attributed), seconds(alone))
		}
		for k := range each.Contracts {
			contract := &each.Contracts[k]
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", each.Supplier, contract.Contract, len(contract.Components), contract.Figures.cells(), seconds(attributed), seconds(alone))
		}
	}
	return w.Flush()
}

type supplierShowCmd struct {
	supplierAsk
	Name string `arg:"" help:"The supplier."`
}

func (c *supplierShowCmd) Run(ctx context.Context) error {
	all, err := c.answer(ctx, "/api/v1/suppliers/"+url.PathEscape(c.Name), os.Stdout)
	if err != nil || all == nil {
		return err
	}
	return all.show(os.Stdout)
}

func (s *suppliers) show(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for i := range s.Suppliers {
		each := &s.Suppliers[i]
		fmt.Fprintln(w, "CONTRACT\tCOMPONENT\tAVAILABILITY\tDOWN\tOUTAGES\tMTTR\tSTATE")
		for k := range each.Contracts {
			contract := &each.Contracts[k]
			for n := range contract.Components {
				fmt.Fprintf(w, "%s\t%s\t%s\n", contract.Contract, contract.Components[n].Component, contract.Components[n].Figures.cells())
			}
			fmt.Fprintf(w, "%s\ttogether\t%s\n", contract.Contract, contract.Figures.cells())
		}
		fmt.Fprintln(w, "\nSERVICE\tAGREEMENT\tFROM\tTO\tDOWN\tATTRIBUTED\tALONE\tCOMPONENTS DOWN")
		for k := range each.Services {
			service := &each.Services[k]
			for _, o := range service.Outages {
				to := "ongoing"
				if o.To != nil {
					to = *o.To
				}
				fmt.Fprintf(w, "%s\t%s v%d\t%s\t%s\t%s\t%s\t%s\t%s\n", service.Service, service.Agreement, service.Version, o.From, to, seconds(o.DownS), seconds(o.AttributedS), seconds(o.AloneS), strings.Join(o.Supplied, ", "))
			}
			fmt.Fprintf(w, "%s\t%s v%d\tsum\t\t%s\t%s\t%s\t\n", service.Service, service.Agreement, service.Version, seconds(service.DownS), seconds(service.AttributedS), seconds(service.AloneS))
		}
		if len(each.Annotated) > 0 {
			fmt.Fprintln(w, "\nOUTAGE\tCOMPONENT\tFROM\tCAUSE, AS PEOPLE SAY")
		}
		for _, o := range each.Annotated {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", o.ID, o.Component, o.From, o.Cause)
		}
	}
	return w.Flush()
}

// cells are availability, downtime, outages, repair time and states.
func (f *suppliedFigures) cells() string {
	share, mttr, states := "-", "-", make([]string, len(f.Indicators))
	if f.Availability != nil {
		share = strconv.FormatFloat(*f.Availability, 'f', -1, 64)
	}
	if f.MTTRS != nil {
		mttr = seconds(*f.MTTRS)
	}
	for i, each := range f.Indicators {
		states[i] = each.Name + " " + each.State
	}
	return strings.Join([]string{share, seconds(f.DownS), strconv.FormatInt(f.Outages, 10), mttr, strings.Join(states, ", ")}, "\t")
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) + " s" }
