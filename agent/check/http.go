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
)

// page tests whether a URL answers as it should.
type page struct {
	spec   Spec
	client *http.Client
}

func newHTTP(spec Spec) (*page, error) {
	u, err := url.Parse(spec.HTTP)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", spec.HTTP)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not a URL that begins with http:// or https:// and names a host", spec.HTTP)
	}
	d := dialer()
	transport := &http.Transport{
		DialContext:            d.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true, // each test connects: that is part of what is tested
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
	follow := func(_ *http.Request, via []*http.Request) error {
		if spec.NoFollow {
			return http.ErrUseLastResponse
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		return nil
	}
	return &page{spec: spec, client: &http.Client{Transport: transport, CheckRedirect: follow}}, nil
}

// probe asks for the page once and follows redirects; the phases are those of
// the last request.
func (p *page) probe(ctx context.Context) Result {
	var watch stopwatch
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, watch.trace()), http.MethodGet, p.spec.HTTP, nil)
	if err != nil {
		return Result{State: Unknown, Reason: reasonOf(err)}
	}
	req.Header.Set("User-Agent", "plimsoll-agent")
	resp, err := p.client.Do(req)
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
	state, reason := judge(err)
	return Result{State: state, Reason: reason, Phases: watch.phases()}
}

func (p *page) accepts(status int) bool {
	if len(p.spec.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(p.spec.Status, status)
}
