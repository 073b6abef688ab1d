package collector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// version is a catalogue with its number in the ledger, 0 until it is there.
type version struct {
	*catalogue.Catalogue // as its file says it
	number               int64
	members              *catalogue.Catalogue // the same with the members of its groups; nil: it has none
}

// openCatalogue reads the catalogue strictly and keeps its faults for
// storeCatalogue. Without a file there are no services yet, and hosts are
// watched all the same.
func (c *Collector) openCatalogue() error {
	parsed, err := c.readGood()
	var faults settings.Faults
	if errors.As(err, &faults) {
		c.reload.refused.Store(&faults)
		return nil
	}
	if err != nil {
		return err
	}
	c.catalogue.Store(&version{Catalogue: parsed})
	return nil
}

// readCatalogue is the catalogue as it stands in its files; its faults are settings.Faults.
func (c *Collector) readCatalogue() (*catalogue.Catalogue, error) {
	name := c.opt.Config.cataloguePath()
	texts, err := catalogue.Read(name)
	if errors.Is(err, fs.ErrNotExist) && c.opt.Config.Catalogue == "" {
		c.opt.Log.Warn("there is no catalogue yet: hosts are watched, but no service is; describe them in the file and load it with plimsoll-collector reload", "file", name, "folder", catalogue.Folder(name))
		texts, err = []settings.Text{{File: name}}, nil
	}
	if err != nil {
		return nil, settings.Faults{{File: name, Message: "the catalogue cannot be read: " + err.Error(), Remedy: "name one that can with catalogue: of the configuration"}}
	}
	parsed, faults := catalogue.ParseFiles(name, texts)
	return parsed, faults.Err()
}

// storeCatalogue keeps the loaded version in the ledger: figures of the past
// say by which catalogue they were computed. When the file has faults, the
// version that was in force last goes on, as after a reload with faults; when
// there is none, the collector does not start, and all faults are named.
func (c *Collector) storeCatalogue() error {
	ctx := context.Background()
	if faults := c.catalogueFaults(); len(faults) > 0 {
		last, err := c.lastCatalogue(ctx)
		if err != nil {
			return err
		}
		if last == nil {
			return faults
		}
		c.catalogue.Store(last)
		c.opt.Log.Error("the catalogue has faults; the version that was in force last goes on", "version", last.number, "faults", len(faults), "all", faults.Error(),
			"remedy", "correct the file, then plimsoll-collector reload")
		return c.tell(ctx, "catalogue.refused", "catalogue", faults[0].String())
	}
	loaded, err := c.keepCatalogue(ctx, c.inForce())
	if err != nil {
		return err
	}
	c.catalogue.Store(loaded)
	return nil
}

// lastCatalogue is the version that was in force last; nil when there is none.
func (c *Collector) lastCatalogue(ctx context.Context) (*version, error) {
	stored, err := c.ledger.Catalogue(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parsed, faults := catalogue.Parse(fmt.Sprintf("version %d in the ledger", stored.Number), []byte(stored.Source))
	if len(faults) > 0 {
		c.opt.Log.Error("the version of the catalogue that was in force last cannot be read any more", "version", stored.Number, "faults", faults.Error())
		return nil, nil
	}
	return c.withMembers(ctx, &version{Catalogue: parsed, number: stored.Number})
}

// keepCatalogue gives a catalogue its number.
func (c *Collector) keepCatalogue(ctx context.Context, parsed *catalogue.Catalogue) (*version, error) {
	number, added, err := c.ledger.AddCatalogue(ctx, parsed.Source, parsed.Hash, c.opt.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("keep the catalogue in the ledger: %w", err)
	}
	if added {
		a := parsed.Availability
		c.opt.Log.Info("catalogue loaded", "version", number, "components", len(a.Components), "services", len(a.Services), "agreements", len(a.Agreements))
	}
	return c.withMembers(ctx, &version{Catalogue: parsed, number: number})
}

// inForce is the catalogue that figures are computed by.
func (c *Collector) inForce() *catalogue.Catalogue {
	v := c.catalogue.Load()
	if v.members != nil {
		return v.members
	}
	return v.Catalogue
}

// inForceVersion is its number.
func (c *Collector) inForceVersion() int64 { return c.catalogue.Load().number }

// membersEvery is how soon a host that joins or leaves a group is seen.
const membersEvery = 10 * time.Second

// followMembers keeps the groups' members as the ledger knows the hosts. When
// the ledger cannot be asked, the members stay as they were.
func (c *Collector) followMembers(ctx context.Context) error {
	tick := time.NewTicker(membersEvery)
	defer tick.Stop()
	known := int64(-1)
	for {
		if now, err := c.ledger.TenureCount(ctx); err != nil && ctx.Err() == nil {
			c.opt.Log.Error("look for hosts that joined or left a group; trying again", "err", err)
		} else if err == nil && now != known && c.catalogue.Load().HasGroups() {
			if err := c.takeMembers(ctx); err == nil {
				known = now
			} else if ctx.Err() == nil {
				c.opt.Log.Error("find the members of the groups; trying again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// takeMembers puts the members of now into the version in force.
func (c *Collector) takeMembers(ctx context.Context) error {
	c.reload.one.Lock()
	defer c.reload.one.Unlock()
	v := c.catalogue.Load()
	with, err := c.withMembers(ctx, &version{Catalogue: v.Catalogue, number: v.number})
	if err != nil {
		return err
	}
	c.catalogue.Store(with)
	return nil
}

// withMembers puts the hosts the ledger knows into the groups of a version that
// is not in force yet.
func (c *Collector) withMembers(ctx context.Context, v *version) (*version, error) {
	if !v.HasGroups() {
		return v, nil
	}
	known, err := c.ledger.Tenures(ctx)
	if err != nil {
		return nil, err
	}
	expanded, notes := v.Expand(tenures(known))
	for _, note := range notes {
		c.opt.Log.Warn("a group of the catalogue is not followed in full", "why", note)
	}
	v.members = expanded
	return v, nil
}

// tenures are the ledger's as groups match them: customer and instance are
// labels like those of the enrolment.
func tenures(known []ledger.Tenure) []catalogue.Tenure {
	out := make([]catalogue.Tenure, 0, len(known))
	for _, t := range known {
		labels := maps.Clone(t.Labels)
		labels["customer"], labels["instance"] = t.Customer, t.Instance
		out = append(out, catalogue.Tenure{Host: t.Instance, Labels: labels, From: t.From, Until: t.Until})
	}
	return out
}

// inForceChecks are the checks it asks of a host.
func (c *Collector) inForceChecks(instance string) wire.Checks {
	return c.inForce().AssignedTo(instance)
}

// agreed is its part about components, services and agreements.
func (c *Collector) agreed() *availability.Catalogue { return c.inForce().Availability }
