package collector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
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
	return nil
}

// inForce is the catalogue that figures are computed by.
func (c *Collector) inForce() *catalogue.Catalogue { return c.catalogue }

// inForceChecks are the checks it asks of a host.
func (c *Collector) inForceChecks(instance string) wire.Checks {
	return c.catalogue.AssignedTo(instance)
}

// agreed is its part about components, services and agreements.
func (c *Collector) agreed() *availability.Catalogue { return c.catalogue.Availability }
