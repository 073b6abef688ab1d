package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// How often the collector is asked for its checks.
const (
	askEvery  = time.Minute
	askSoon   = 2 * time.Second // until it has answered once
	askAtMost = 10 * time.Second
)

// assignedFile is where the checks lie that the collector assigned last.
const assignedFile = "assigned.json"

// keptChecks are what lies in that file.
type keptChecks struct {
	ETag string          `json:"etag"`
	Body json.RawMessage `json:"body"` // wire.Checks, as it came
}

// assigned takes up the checks the collector's catalogue asks of this host:
// at the start those kept on disk, then what the collector answers.
type assigned struct {
	cfg      *Config
	own      []*check.Check
	schedule *check.Schedule
	get      func(ctx context.Context, path, tag string, limit int64) (ship.Answer, error)
	note     func(wire.Note) error
	log      *slog.Logger
	now      func() time.Time
	asking   *fault.Condition
	etag     string

	mu             sync.Mutex
	taken, refused int
}

// load takes up what is kept on disk. A file that is damaged is no more than
// one that has to be asked for again.
func (a *assigned) load() {
	kept, err := readKept(a.cfg.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = a.take(kept.Body, false)
	}
	if err != nil {
		a.log.Warn("the kept checks of the collector cannot be read; they are asked for again", "file", filepath.Join(a.cfg.Data, assignedFile), "err", err)
		return
	}
	a.etag = kept.ETag
}

func readKept(data string) (keptChecks, error) {
	var kept keptChecks
	f, err := os.Open(filepath.Join(data, assignedFile))
	if err != nil {
		return kept, err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err == nil && info.Size() > 2*wire.MaxChecks {
		err = fmt.Errorf("it is longer than %d bytes", 2*wire.MaxChecks)
	}
	if err != nil {
		return kept, err
	}
	return kept, json.NewDecoder(f).Decode(&kept)
}

// run asks the collector until ctx ends.
func (a *assigned) run(ctx context.Context) {
	wait := askSoon
	for {
		timer := time.NewTimer(wait + rand.N(wait/4)) // a fleet does not ask at once
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = askEvery
		err := a.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ship.ErrNotDelivering):
			wait = askSoon // why is told already, by who delivers
		case err != nil:
			a.asking.Fail("the collector's checks cannot be taken up; those known before go on", "err", err,
				"remedy", "see whether agent and collector are of versions that fit and the data directory can be written")
		default:
			a.asking.OK()
		}
	}
}

// ask asks once and takes up what is new.
func (a *assigned) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	answer, err := a.get(ctx, wire.ChecksPath, a.etag, wire.MaxChecks)
	if err != nil {
		return err
	}
	switch answer.Status {
	case http.StatusNotModified, http.StatusNotFound: // a collector of before assigns nothing
		return nil
	case http.StatusOK:
	default:
		return fmt.Errorf("the collector answered %d", answer.Status)
	}
	if answer.ETag != "" && answer.ETag == a.etag {
		return nil
	}
	if err := a.take(answer.Body, true); err != nil {
		return err
	}
	a.etag = answer.ETag
	if err := keepChecks(a.cfg.Data, keptChecks{ETag: answer.ETag, Body: answer.Body}); err != nil {
		return fmt.Errorf("keep the collector's checks: %w", err)
	}
	return nil
}

// keepChecks replaces the file whole.
func keepChecks(data string, kept keptChecks) error {
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(data, assignedFile), text, 0o600)
}

// take puts the checks of a document beside the agent's own. What is refused
// is said in the log and, where fresh, to the collector.
func (a *assigned) take(body []byte, fresh bool) error {
	taken, refused, err := a.cfg.readAssigned(body)
	if err != nil {
		return err
	}
	a.schedule.Set(append(slices.Clone(a.own), taken...))
	a.mu.Lock()
	news := a.taken+a.refused+len(taken)+len(refused) > 0
	a.taken, a.refused = len(taken), len(refused)
	a.mu.Unlock()
	if news {
		a.log.Info("checks of the collector taken up", "taken", len(taken), "refused", len(refused))
	}
	for _, r := range refused {
		a.log.Warn("a check of the collector is refused", "component", r.component, "check", r.name, "reason", r.reason,
			"remedy", "correct it in the collector's catalogue, or put it into the agent's own file")
		if !fresh || r.component == "" || len(r.component) > 200 || len(r.name) > 200 {
			continue
		}
		reason := "not taken up by this host: " + r.reason
		reason = strings.ToValidUTF8(reason[:min(len(reason), wire.MaxReason)], "")
		change := wire.CheckChange{Component: r.component, Check: r.name, From: check.Unknown.String(), To: check.Unknown.String(), Reason: reason}
		if err := a.note(wire.Note{At: a.now().UnixMilli(), Change: &change}); err != nil {
			return fmt.Errorf("note a refused check: %w", err)
		}
	}
	return nil
}

// figures are how many checks of the collector are taken up and refused.
func (a *assigned) figures() (taken, refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken, a.refused
}
