package quickstart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Sample is the small service a newcomer may break: one page that can be
// stopped and started. Stopped means stopped: its port refuses connections.
type Sample struct {
	addr string // host:port, fixed after the first start

	mu     sync.Mutex
	server *http.Server // nil while stopped
	done   chan struct{}
}

// StartSample binds addr ("127.0.0.1:0" picks a port) and serves the page.
func StartSample(addr string) (*Sample, error) {
	s := &Sample{addr: addr}
	if err := s.Start(); err != nil {
		return nil, err
	}
	return s, nil
}

// Addr is the host:port of the page; the same after each start.
func (s *Sample) Addr() string { return s.addr }

// Running tells whether the page answers.
func (s *Sample) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server != nil
}

// Start serves the page; nothing happens if it is served already.
func (s *Sample) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("start the sample page: %w", err)
	}
	s.addr = l.Addr().String()
	s.done = make(chan struct{})
	s.server = &http.Server{Handler: s.page(), ReadHeaderTimeout: 5 * time.Second}
	// No connection stays open past its answer: a stop is seen at once.
	s.server.SetKeepAlivesEnabled(false)
	go func(server *http.Server, done chan struct{}) {
		defer close(done)
		_ = server.Serve(l) // ends with ErrServerClosed by Stop
	}(s.server, s.done)
	return nil
}

// Stop closes the port and waits until the page is gone.
func (s *Sample) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	<-s.done
	s.server = nil
	return err
}

func (s *Sample) page() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		fmt.Fprint(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample shop</title>
<h1>Sample shop</h1><p>This page stands for a service of yours. Stop it from Plimsoll's overview and watch an outage being born.</p></html>`)
	})
}
