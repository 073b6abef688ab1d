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

// explainCmd prints what a figure rests on.
type explainCmd struct {
	asking
	askedMonth
	Service   string `arg:"" help:"Whose figures."`
	Agreement string `help:"Only the agreement of that number." placeholder:"NUMBER"`
	Format    string `help:"sum, rows (CSV), facts (CSV as evaluate reads it), indicators (CSV) or json." enum:"sum,rows,facts,indicators,json" default:"sum"`
}

// explained is the part of the answer the sum shows.
type explained struct {
	AsOf     string `json:"as_of"`
	Versions struct {
		Program       string `json:"program"`
		Zones         string `json:"zone_data"`
		CatalogueHash string `json:"catalogue_sha256"`
	} `json:"versions"`
	Explanations []struct {
		Figures struct {
			Service, Agreement, From, To string
			Version                      int
			Indicators                   []struct {
				Name, State, Why string
				Actual           *float64
			}
		} `json:"figures"`
		Elapsed int64 `json:"elapsed_ms"`
		Sum     []struct {
			Of, Name string
			MS       int64 `json:"ms"`
			Total    int64 `json:"total_ms"`
		} `json:"sum"`
		Share struct {
			D string  `json:"d_ms"`
			K string  `json:"k_ms"`
			A *string `json:"a"`
		} `json:"share"`
		Rows  []json.RawMessage `json:"rows"`
		Facts []json.RawMessage `json:"facts"`
	} `json:"explanations"`
}

func (c *explainCmd) Run(ctx context.Context) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	if c.Agreement != "" {
		q.Set("agreement", c.Agreement)
	}
	path := "/api/v1/services/" + url.PathEscape(c.Service) + "/explain"
	if c.Format == "rows" || c.Format == "facts" || c.Format == "indicators" {
		path += ".csv"
		q.Set("table", c.Format)
	}
	resp, err := c.ask(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if c.Format != "sum" {
		_, err = io.Copy(os.Stdout, resp.Body)
		return err
	}
	var all explained
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return fmt.Errorf("read the collector's answer: %w", err)
	}
	return all.print(os.Stdout)
}

// print writes each sum so that it can be added up by hand.
func (e *explained) print(out io.Writer) error {
	if len(e.Explanations) == 0 {
		_, err := fmt.Fprintln(out, "no agreement about this service is in force in that period")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	for i := range e.Explanations {
		x := &e.Explanations[i]
		fmt.Fprintf(w, "%s, %s version %d, %s to %s, as of %s\n", x.Figures.Service, x.Figures.Agreement, x.Figures.Version, x.Figures.From, x.Figures.To, e.AsOf)
		for _, t := range x.Sum {
			fmt.Fprintf(w, "%s\t%s\t%d ms\t%d ms\t\n", t.Of, t.Name, t.MS, t.Total)
		}
		fmt.Fprintf(w, "\telapsed\t\t%d ms\t\n", x.Elapsed)
		a := "no value"
		if x.Share.A != nil {
			a = *x.Share.A + " = 1 - " + strings.TrimSpace(x.Share.D) + " / " + x.Share.K
		}
		fmt.Fprintf(w, "availability %s\n%d rows, %d streaks of facts; catalogue %s; program %s; zone data %s\n", a, len(x.Rows), len(x.Facts), e.Versions.CatalogueHash, e.Versions.Program, e.Versions.Zones)
		for _, ind := range x.Figures.Indicators {
			if ind.Why == "" {
				continue // it follows from the sum
			}
			value := "no value"
			if ind.Actual != nil {
				value = strconv.FormatFloat(*ind.Actual, 'f', -1, 64)
			}
			fmt.Fprintf(w, "%s: %s, %s. %s\n", ind.Name, value, strings.ReplaceAll(ind.State, "_", " "), ind.Why)
		}
	}
	return w.Flush()
}
