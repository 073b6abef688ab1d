package ship

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Foreign is a server that takes Prometheus remote write and is not our
// collector: Prometheus, VictoriaMetrics, Mimir, Thanos.
//
// It is always spoken to in remote write 1.0. A receiver that knows only that
// answers 204 to a 2.0 message and keeps nothing of it, because to a 1.0
// decoder the message is empty; every receiver understands 1.0.
//
// It gets the records in the order they were made, the backlog before what is
// young: a Prometheus without an out-of-order window keeps nothing that is
// older than what it has. And it gets no notes, which it would not understand.
type Foreign struct {
	URL        string
	Labels     []string // name, value, …: put on each series that has not got the name
	BearerFile string   // read anew for each request, so that a rotated token is taken up; empty: none
}

// postForeign sends one record. nil: the receiver says that it has it.
func (s *Shipper) postForeign(ctx context.Context, client *http.Client, to *Foreign, rec *journal.Record) error {
	env, body, err := wire.Split(rec.Data)
	if err != nil {
		return &refusedError{reason: err.Error()}
	}
	if env.Kind == wire.KindNote {
		return nil
	}
	if env.Kind == wire.KindBatch2 {
		if body, err = write1(body, to.Labels); err != nil {
			return &refusedError{reason: err.Error()}
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request for %s: %w", to.URL, err)
	}
	setHeaders(req.Header, wire.KindBatch1, s.opt.Version)
	if to.BearerFile != "" {
		token, err := os.ReadFile(to.BearerFile)
		if err != nil {
			return &connectError{fmt.Errorf("read the bearer token: %w", err)}
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	got, err := exchange(client, req, maxAnswer)
	if err != nil {
		return err
	}
	return s.verdict(got)
}
