package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// asking is shared by the commands that ask a running collector.
type asking struct {
	Collector string `help:"Address of the running collector." default:"http://127.0.0.1:1876" placeholder:"URL"`
	Data      string `help:"Ask the collector on this host through its data directory instead, as the host's administrator." placeholder:"DIR"`
	TokenFile string `help:"File that holds an API token; else the environment's PLIMSOLL_TOKEN." placeholder:"FILE"`
	CAFile    string `help:"Authority to trust for https: the collector's own is identity/ca.pem in its data directory." placeholder:"FILE"`
}

// askedMonth is what figures are asked about.
type askedMonth struct {
	Period string `help:"Month, as 2026-11 (default: the one of --as-of)." placeholder:"YYYY-MM"`
	AsOf   asOf   `help:"As known at that instant, as 2026-11-25T12:00:00Z, or at the begin of a date in UTC (default: now)." placeholder:"INSTANT"`
}

// query has what was given of it.
func (m askedMonth) query() (url.Values, error) {
	q := url.Values{}
	if m.Period != "" {
		q.Set("period", m.Period)
	}
	return q, m.AsOf.ask(q)
}

// problem is the part of an RFC 9457 answer a person reads.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// ask sends one request and returns the open body of a good answer.
func (a asking) ask(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(text)
	}
	client, base, err := a.client()
	if err != nil {
		return nil, err
	}
	address := strings.TrimRight(base, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := a.authorize(req); err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the collector: %w\n%s", err, a.remedy(err))
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var p problem
	if json.Unmarshal(text, &p) == nil && p.Detail != "" {
		for _, e := range p.Errors {
			p.Detail += "\n" + e.Message
		}
		return nil, fmt.Errorf("the collector refused: %s%s", p.Detail, loginRemedy(resp.StatusCode))
	}
	return nil, fmt.Errorf("the collector answered %s to %s %s: %s", resp.Status, method, path, strings.TrimSpace(string(text)))
}

// fetch sends one request and decodes the JSON of a good answer; answer nil:
// it says nothing that is needed.
func (a asking) fetch(ctx context.Context, method, path string, body, answer any) error {
	resp, err := a.ask(ctx, method, path, nil, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the collector's answer: %w", err)
	}
	return nil
}

// save streams the answer into name by way of a temporary file, so that a
// file of that name is whole or not there.
func save(name string, body io.Reader) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".plimsoll-*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // fails once it is renamed, as it should
	n, err := io.Copy(f, body)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return n, fmt.Errorf("write %s: %w", name, err)
	}
	return n, nil
}

type reportCmd struct {
	asking
	Customer string `help:"Whose report." required:""`
	Period   string `help:"Month, as 2026-11." required:"" placeholder:"YYYY-MM"`
	AsOf     asOf   `help:"As known at that instant, as 2026-11-25T12:00:00Z, or at the begin of a date in UTC (default: now)." placeholder:"INSTANT"`
	Format   string `help:"Only html yet." enum:"html" default:"html"`
	Lang     string `help:"en or zh-CN; zh is the same." enum:"en,zh,zh-CN" default:"en"`
	Out      string `help:"Folder the file is written to." default:"." placeholder:"DIR"`
}

func (c *reportCmd) Run(ctx context.Context) error {
	q := url.Values{"customer": {c.Customer}, "period": {c.Period}, "lang": {c.Lang}}
	if err := c.AsOf.ask(q); err != nil {
		return err
	}
	resp, err := c.ask(ctx, http.MethodGet, "/api/v1/report", q, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, c.Customer)
	name := filepath.Join(c.Out, fmt.Sprintf("service-report-%s-%s-%s.html", safe, c.Period, c.Lang))
	if _, err := save(name, resp.Body); err != nil {
		return err
	}
	fmt.Println(name)
	return nil
}

type exportCmd struct {
	Facts     exportFactsCmd     `cmd:"" help:"The raw facts as evaluate reads them (CSV)."`
	Catalogue exportCatalogueCmd `cmd:"" help:"The catalogue in force, with the windows and adjustments people decided."`
}

type exportFactsCmd struct {
	asking
	From string `help:"First instant or date (UTC)." required:""`
	To   string `help:"End, excluded." required:""`
	AsOf asOf   `help:"Only those known at that instant, as 2026-11-25T12:00:00Z, or at the begin of a date in UTC (default: all)." placeholder:"INSTANT"`
	Out  string `help:"File to write (default: standard output)." placeholder:"FILE"`
}

func (c *exportFactsCmd) Run(ctx context.Context) error {
	q := url.Values{"from": {c.From}, "to": {c.To}}
	if err := c.AsOf.ask(q); err != nil {
		return err
	}
	return c.download(ctx, "/api/v1/facts.csv", q, c.Out)
}

// download writes an answer to a file, and says how long it is, or to standard
// output where out is empty.
func (a asking) download(ctx context.Context, path string, query url.Values, out string) error {
	resp, err := a.ask(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == "" {
		_, err = io.Copy(os.Stdout, resp.Body)
		return err
	}
	n, err := save(out, resp.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d bytes\n", out, n)
	return nil
}

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Prove that no entry of the audit chain was changed, removed or inserted."`
}

type auditVerifyCmd struct{ asking }

func (c *auditVerifyCmd) Run(ctx context.Context) error {
	var v struct {
		Entries int64    `json:"entries"`
		Head    string   `json:"head"`
		Faults  []string `json:"faults"`
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/audit/verify", nil, &v); err != nil {
		return err
	}
	if len(v.Faults) > 0 {
		return fmt.Errorf("the audit chain does not hold:\n%s", strings.Join(v.Faults, "\n"))
	}
	fmt.Printf("good: %d entries, head %s\n", v.Entries, v.Head)
	return nil
}
