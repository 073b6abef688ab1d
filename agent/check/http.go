package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
)

const (
	maxBody      = 1 << 20  // bytes of an answer that are looked at
	maxHeader    = 64 << 10 // bytes of an answer's header
	maxRedirects = 5

	maxRedirectsAssigned = 3 // of a check the collector assigned
)

// page tests whether a URL answers as it should.
type page struct {
	spec   Spec
	client *http.Client // nil: made anew for each test, with the authorities of a file
}

func newHTTP(spec Spec) (prober, error) {
	u, err := url.Parse(spec.HTTP)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", spec.HTTP)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not a URL that begins with http:// or https:// and names a host", spec.HTTP)
	}
	p := &page{spec: spec}
	if spec.Certificate.CA == "" {
		config, err := spec.Certificate.config("")
		if err != nil {
			return nil, err
		}
		p.client = p.newClient(config)
	}
	return p, nil
}

// newClient makes the client of a test.
func (p *page) newClient(config *tls.Config) *http.Client {
	d := dialer(p.spec.Guard)
	transport := &http.Transport{
		DialContext:            d.DialContext,
		TLSClientConfig:        config,
		DisableKeepAlives:      true, // each test connects: that is part of what is tested
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
	return &http.Client{Transport: transport, CheckRedirect: p.follow}
}

func (p *page) follow(_ *http.Request, via []*http.Request) error {
	if p.spec.NoFollow {
		return http.ErrUseLastResponse
	}
	most := maxRedirects
	if p.spec.Guard != nil {
		most = maxRedirectsAssigned
	}
	if len(via) > most {
		return fmt.Errorf("more than %d redirects", most)
	}
	return nil
}

// probe asks for the page once and follows redirects; the phases are those of
// the last request.
func (p *page) probe(ctx context.Context) Result {
	client := p.client
	if client == nil {
		config, err := p.spec.Certificate.config("")
		if err != nil {
			return unknown("%v; see whether ca: names a file the agent may read", err)
		}
		client = p.newClient(config)
	}
	var watch stopwatch
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, watch.trace()), http.MethodGet, p.spec.HTTP, nil)
	if err != nil {
		return unknown("%v", err)
	}
	req.Header.Set("User-Agent", "plimsoll-agent")
	resp, err := client.Do(req)
	if err != nil {
		return p.failed(err, &watch)
	}
	defer func() { _ = resp.Body.Close() }() // only read from
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	watch.mark(done)
	if err != nil && p.spec.Contains != "" {
		return p.failed(fmt.Errorf("the answer broke off: %w", err), &watch)
	}
	r := Result{State: Up, Status: resp.StatusCode, Phases: watch.phases()}
	if resp.TLS != nil {
		r.showExpiry(resp.TLS)
	}
	switch {
	case !p.accepts(resp.StatusCode):
		r.State, r.Reason = Down, fmt.Sprintf("answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case !bytes.Contains(body, []byte(p.spec.Contains)):
		r.State, r.Reason = Down, bounded(fmt.Sprintf("the answer does not contain %q", p.spec.Contains))
	}
	return r
}

func (p *page) failed(err error, watch *stopwatch) Result {
	var wrapped *url.Error
	if errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	r := judged(err)
	r.Phases = watch.phases()
	r.showRefused(err)
	return r
}

func (p *page) accepts(status int) bool {
	if len(p.spec.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(p.spec.Status, status)
}
