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

// version is a catalogue with its number in the ledger, 0 until it is there.
type version struct {
	*catalogue.Catalogue
	number int64
}

// openCatalogue reads the catalogue strictly: with a fault the collector does
// not start, and all of them are named. Without a file there are no services
// yet, and hosts are watched all the same.
func (c *Collector) openCatalogue() error {
	parsed, err := c.readCatalogue()
	if err != nil {
		return err
	}
	c.catalogue.Store(&version{Catalogue: parsed})
	return nil
}

// readCatalogue is the catalogue as it stands in the file; its faults are settings.Faults.
func (c *Collector) readCatalogue() (*catalogue.Catalogue, error) {
	name := c.opt.Config.cataloguePath()
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && c.opt.Config.Catalogue == "" {
		c.opt.Log.Warn("there is no catalogue yet: hosts are watched, but no service is; describe them in the file and load it with plimsoll-collector reload", "file", name)
		text, err = nil, nil
	}
	if err != nil {
		return nil, settings.Faults{{File: name, Message: "the catalogue cannot be read: " + err.Error(), Remedy: "name one that can with catalogue: of the configuration"}}
	}
	parsed, faults := catalogue.Parse(name, text)
	return parsed, faults.Err()
}

// storeCatalogue keeps the loaded version in the ledger: figures of the past
// say by which catalogue they were computed.
func (c *Collector) storeCatalogue() error {
	loaded, err := c.keepCatalogue(context.Background(), c.inForce())
	if err != nil {
		return err
	}
	c.catalogue.Store(loaded)
	return nil
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
	return &version{parsed, number}, nil
}

// inForce is the catalogue that figures are computed by.
func (c *Collector) inForce() *catalogue.Catalogue { return c.catalogue.Load().Catalogue }

// inForceVersion is its number.
func (c *Collector) inForceVersion() int64 { return c.catalogue.Load().number }

// inForceChecks are the checks it asks of a host.
func (c *Collector) inForceChecks(instance string) wire.Checks {
	return c.inForce().AssignedTo(instance)
}

// agreed is its part about components, services and agreements.
func (c *Collector) agreed() *availability.Catalogue { return c.inForce().Availability }
