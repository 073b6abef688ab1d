package collector

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DemonstrationFile marks a data directory whose history is simulated.
const DemonstrationFile = "demo.json"

// Demonstration is what that file says. Pages and reports tell it, whichever
// command opened the directory.
type Demonstration struct {
	Began     time.Time `json:"began"`     // what is before was played at once
	Customers []string  `json:"customers"` // whose hosts and services are simulated
}

// ReadDemonstration reads the mark in a data directory; the error wraps
// os.ErrNotExist where the data are real.
func ReadDemonstration(data string) (d Demonstration, err error) {
	name := filepath.Join(data, DemonstrationFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("read %s, which marks simulated data: %w; restore it, or move the data directory away", name, err)
	}
	return d, nil
}

// openDemonstration looks for the mark. Data that are simulated must never
// pass for real: a mark that cannot be read is no less a mark.
func (c *Collector) openDemonstration() error {
	d, err := ReadDemonstration(c.opt.Config.Data)
	switch {
	case err == nil:
		c.demo = &d
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return nil
}

// simulated tells whether what is said of the customer is simulated; of no
// customer in particular it is where there is a demonstration.
func (c *Collector) simulated(customer string) bool {
	return c.demo != nil && (customer == "" || slices.Contains(c.demo.Customers, customer))
}
