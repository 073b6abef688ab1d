package quickstart

import (
	"net/http"
	"testing"
)

// TestSamplePageStopsForReal: a stopped page refuses connections, a started
// one answers at the same address.
func TestSamplePageStopsForReal(t *testing.T) {
	s, err := StartSample("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	answers := func() bool {
		resp, err := http.Get("http://" + s.Addr() + "/")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}
	addr := s.Addr()
	for _, step := range []struct {
		name string
		do   func() error
		want bool
	}{
		{"started", s.Start, true},
		{"stopped", s.Stop, false},
		{"stopped twice", s.Stop, false},
		{"started again", s.Start, true},
		{"started twice", s.Start, true},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := answers(); got != step.want || s.Running() != step.want {
			t.Errorf("%s: answers %v, running %v, want %v", step.name, got, s.Running(), step.want)
		}
	}
	if s.Addr() != addr {
		t.Errorf("the address moved from %s to %s", addr, s.Addr())
	}
}
