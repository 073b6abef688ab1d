package collector

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// ComponentNews is how a component of the catalogue stands now.
type ComponentNews struct {
	Name   string
	State  availability.State
	Since  int64  // Unix ms
	Reason string // in the words of who checked, while it is not up
	Outage int64  // number of the newest outage; 0: there was none
}

// ProblemNews is a problem record people still have work with.
type ProblemNews struct {
	No, Title string
	Opened    int64 // Unix ms
	Recovered bool  // the breach ended; the record stays open
}

// News is what somebody who watches the collector wants to be told of.
type News struct {
	Components []ComponentNews
	Problems   []ProblemNews
}

// News tells how things stand now.
func (c *Collector) News(ctx context.Context) (News, error) {
	var news News
	states, err := c.figures.States(ctx, c.opt.Now())
	if err != nil {
		return news, err
	}
	agreed := c.agreed()
	for i := range agreed.Components {
		name := agreed.Components[i].Name
		is := states.Components[name]
		told := ComponentNews{Name: name, State: is.State, Since: is.Since}
		if is.State != availability.Up {
			if told.Reason, err = c.reason(ctx, name); err != nil {
				return news, err
			}
		}
		outages, err := c.ledger.Outages(ctx, ledger.OutageFilter{Components: []string{name}, Limit: 1})
		if err != nil {
			return news, err
		}
		if len(outages) > 0 {
			told.Outage = outages[0].ID
		}
		news.Components = append(news.Components, told)
	}
	records, err := c.ledger.Records(ctx, ledger.RecordFilter{OpenOnly: true})
	if err != nil {
		return news, err
	}
	for i := range records {
		news.Problems = append(news.Problems, ProblemNews{records[i].No, records[i].Title.English, records[i].DetectedAt, records[i].Recovered != 0})
	}
	return news, nil
}

// reason is what the newest change of a component's check gave as its reason.
func (c *Collector) reason(ctx context.Context, component string) (string, error) {
	notes, err := c.ledger.Notes(ctx, ledger.NoteFilter{Component: component, Kind: "change", Limit: 1})
	if err != nil || len(notes) == 0 {
		return "", err
	}
	var n wire.Note
	if err := json.Unmarshal([]byte(notes[0].Body), &n); err != nil {
		return "", fmt.Errorf("read a note of %s: %w", notes[0].Instance, err)
	}
	if n.Change == nil {
		return "", nil
	}
	return n.Change.Reason, nil
}
