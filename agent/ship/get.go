package ship

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// ErrNotDelivering is a question while no collector of ours is reached.
var ErrNotDelivering = errors.New("not delivering to a collector")

// way is a client and an address that a record was delivered by.
type way struct {
	client  *http.Client
	address string
}

// prove remembers the present way as one that delivers. A receiver that is
// not ours has nothing to be asked for.
func (s *Shipper) prove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven = way{}
	if s.to.Foreign == nil {
		s.proven = way{s.client, s.address()}
	}
}

func (s *Shipper) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven = way{}
}

// Answer is what the collector said to a question.
type Answer struct {
	Status int
	ETag   string
	Body   []byte // of 200 alone
}

// Get asks the collector for a path over the connections that deliver, as
// this host. tag is sent as If-None-Match unless it is empty. It may be called
// beside Run. A body longer than limit bytes is an error.
func (s *Shipper) Get(ctx context.Context, path, tag string, limit int64) (Answer, error) {
	s.mu.Lock()
	to := s.proven
	s.mu.Unlock()
	if to.client == nil {
		return Answer{}, ErrNotDelivering
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+to.address+path, nil)
	if err != nil {
		return Answer{}, fmt.Errorf("make request for %s: %w", to.address, err)
	}
	req.Header.Set("User-Agent", "plimsoll-agent/"+s.opt.Version)
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	got, err := exchange(to.client, req, limit+1)
	switch {
	case err != nil:
		return Answer{}, err
	case int64(len(got.text)) > limit:
		return Answer{}, fmt.Errorf("an answer of more than %d bytes", limit)
	case got.status != http.StatusOK:
		got.text = nil
	}
	return Answer{Status: got.status, ETag: got.header.Get("ETag"), Body: got.text}, nil
}
