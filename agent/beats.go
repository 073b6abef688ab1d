package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/internal/durable"
)

// Bounds of one beat.
const (
	maxBeatBody = 4 << 10
	beatPath    = "/beat/"
	beatsEvery  = 5 * time.Second // how often new beats are written to disk
)

// beatsFile keeps the last beats over a restart.
func beatsFile(data string) string { return filepath.Join(data, "beats.json") }

// readBeats are those of the runs before; without the file there are none, and
// one that cannot be read is told and begun anew.
func readBeats(data string) (map[string]check.Beat, error) {
	text, err := os.ReadFile(beatsFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last heartbeats: %w", err)
	}
	var known map[string]check.Beat
	if err := json.Unmarshal(text, &known); err != nil {
		return nil, fmt.Errorf("read the last heartbeats in %s: %w", beatsFile(data), err)
	}
	return known, nil
}

// keepBeats writes new beats to disk until ctx ends, and then once more. One
// that is lost with the power makes its check unknown, never down.
func (a *Agent) keepBeats(ctx context.Context) {
	tick := time.NewTicker(beatsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.writeBeats()
			return
		case <-tick.C:
			a.writeBeats()
		}
	}
}

func (a *Agent) writeBeats() {
	all, changed := a.beats.Take()
	if !changed {
		return
	}
	text, err := json.Marshal(all)
	if err == nil {
		err = durable.WriteFile(beatsFile(a.opt.Config.Data), text, 0o600)
	}
	if err != nil {
		a.opt.Log.Warn("the last heartbeats could not be kept for the next start; they are unknown then", "err", err)
	}
}

// hearBeat answers a job that says it ran: POST /beat/NAME, with the status
// and the seconds it took where it tells them, and a text as the body. A page in
// somebody's browser cannot say it: browsers name the origin of what they post.
func (a *Agent) hearBeat(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		http.Error(w, "a heartbeat comes from a job, not from a browser", http.StatusForbidden)
		return
	}
	beat := check.Beat{At: a.opt.Now()}
	var err error
	if text := r.URL.Query().Get("status"); text != "" {
		if beat.Status, err = strconv.Atoi(text); err != nil {
			http.Error(w, "status is no number: "+strconv.Quote(text), http.StatusBadRequest)
			return
		}
	}
	if text := r.URL.Query().Get("took"); text != "" {
		if beat.Took, err = time.ParseDuration(text); err != nil || beat.Took < 0 {
			http.Error(w, "took is no time such as 12.5s: "+strconv.Quote(text), http.StatusBadRequest)
			return
		}
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBeatBody))
	if err != nil {
		http.Error(w, "the text was not read: "+err.Error(), http.StatusBadRequest)
		return
	}
	beat.Text = string(text)
	if err := a.beats.Hear(r.PathValue("name"), beat); err != nil {
		http.Error(w, err.Error()+"; add one to the agent's configuration: {component: …, heartbeat: "+r.PathValue("name")+", expect: {every: 24h, grace: 1h}}", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
