package check

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// step is a moment in the course of a request.
type step int

const (
	started step = iota
	resolved
	connected
	secured
	answered
	done
	steps
)

// stopwatch notes when the steps of a request happen. Connections are tried
// side by side, so it is told from several goroutines.
type stopwatch struct {
	mu     sync.Mutex
	at     [steps]time.Time
	secure bool
}

func (w *stopwatch) mark(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s == started { // of a redirect too: its phases are those that count
		w.at, w.secure = [steps]time.Time{}, false
	}
	w.at[s] = time.Now()
}

func (w *stopwatch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { w.mark(started) },
		DNSDone:      func(httptrace.DNSDoneInfo) { w.mark(resolved) },
		ConnectStart: func(string, string) { w.mark(resolved) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				w.mark(connected)
			}
		},
		TLSHandshakeStart: func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.secure = true
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				w.mark(secured)
			}
		},
		GotFirstResponseByte: func() { w.mark(answered) },
	}
}

// phases are the parts that were gone through to their end.
func (w *stopwatch) phases() []Phase {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.at
	if !w.secure {
		at[secured] = at[connected]
	}
	var out []Phase
	for i, name := range httpPhases() {
		if at[i].IsZero() || at[i+1].IsZero() {
			break
		}
		out = append(out, Phase{name, max(at[i+1].Sub(at[i]), 0)})
	}
	return out
}
