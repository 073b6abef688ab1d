package collector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// openCatalogue reads the catalogue strictly: with a fault the collector does
// not start, and all of them are named. Without a file there are no services
// yet, and hosts are watched all the same.
func (c *Collector) openCatalogue() error {
	name := c.opt.Config.cataloguePath()
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && c.opt.Config.Catalogue == "" {
		c.opt.Log.Warn("there is no catalogue yet: hosts are watched, but no service is; describe them in the file and start again", "file", name)
		text, err = nil, nil
	}
	if err != nil {
		return settings.Faults{{File: name, Message: "the catalogue cannot be read: " + err.Error(), Remedy: "name one that can with catalogue: of the configuration"}}
	}
	parsed, faults := catalogue.Parse(name, text)
	if err := faults.Err(); err != nil {
		return err
	}
	c.catalogue = parsed
	return nil
}

// storeCatalogue keeps the loaded version in the ledger: figures of the past
// say by which catalogue they were computed.
func (c *Collector) storeCatalogue() error {
	version, added, err := c.ledger.AddCatalogue(context.Background(), c.catalogue.Source, c.catalogue.Hash, c.opt.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep the catalogue in the ledger: %w", err)
	}
	if added {
		a := c.catalogue.Availability
		c.opt.Log.Info("catalogue loaded", "version", version, "components", len(a.Components), "services", len(a.Services), "agreements", len(a.Agreements))
	}
	return c.expandGroups(context.Background())
}

// inForce is the catalogue that figures are computed by.
func (c *Collector) inForce() *catalogue.Catalogue {
	if with := c.members.Load(); with != nil {
		return with
	}
	return c.catalogue
}

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
		} else if err == nil && now != known && c.catalogue.HasGroups() {
			if err := c.expandGroups(ctx); err == nil {
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

// expandGroups puts the hosts the ledger knows into the catalogue's groups.
func (c *Collector) expandGroups(ctx context.Context) error {
	if !c.catalogue.HasGroups() {
		return nil
	}
	known, err := c.ledger.Tenures(ctx)
	if err != nil {
		return err
	}
	expanded, notes := c.catalogue.Expand(tenures(known))
	for _, note := range notes {
		c.opt.Log.Warn("a group of the catalogue is not followed in full", "why", note)
	}
	c.members.Store(expanded)
	return nil
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
