package collector

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// reloading is how the catalogue is read again while the collector runs:
//
//	SIGHUP, POST /api/v1/catalogue/reload
//	  └▶ read, checked whole ─▶ the ledger ─▶ in force, at once for all who ask
//	       └ any fault: the old one stays in force, and every page says so
type reloading struct {
	one     sync.Mutex                      // one at a time
	refused atomic.Pointer[settings.Faults] // of the newest attempt; nil: it was good
	done    *prometheus.CounterVec          // by result
}

// Results of a reload, in its counter.
const (
	reloadLoaded    = "loaded"
	reloadUnchanged = "unchanged"
	reloadRefused   = "refused"
	reloadFailed    = "failed"
)

// openReload registers what is counted.
func (c *Collector) openReload() error {
	c.reload.done = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "plimsoll_catalogue_reloads_total",
		Help: "Attempts to load the catalogue again, by result: loaded, unchanged, refused (it has faults) or failed (the ledger)."}, []string{"result"})
	for _, result := range [...]string{reloadLoaded, reloadUnchanged, reloadRefused, reloadFailed} {
		c.reload.done.WithLabelValues(result)
	}
	for _, m := range [...]prometheus.Collector{c.reload.done,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "plimsoll_catalogue_version", Help: "Number of the catalogue version in force."},
			func() float64 { return float64(c.inForceVersion()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "plimsoll_catalogue_faults", Help: "Faults of the newest catalogue that was refused; 0 when the newest is in force."},
			func() float64 { return float64(len(c.catalogueFaults())) })} {
		if err := c.registry.Register(m); err != nil {
			return err
		}
	}
	return nil
}

// catalogueFaults are those for which the newest catalogue is not in force; none: it is.
func (c *Collector) catalogueFaults() settings.Faults {
	if f := c.reload.refused.Load(); f != nil {
		return *f
	}
	return nil
}

// ReloadCatalogue reads the catalogue again. With any fault, which are
// settings.Faults, the one in force stays. Facts are not touched: what is
// computed from them is computed anew.
func (c *Collector) ReloadCatalogue(ctx context.Context) (api.Reloaded, error) {
	c.reload.one.Lock()
	defer c.reload.one.Unlock()
	parsed, err := c.readGood()
	var faults settings.Faults
	if errors.As(err, &faults) {
		return api.Reloaded{}, c.refuseCatalogue(ctx, faults)
	}
	before := c.catalogue.Load()
	result, loaded := reloadUnchanged, before
	if err == nil && parsed.Hash != before.Hash {
		result = reloadLoaded
		loaded, err = c.keepCatalogue(ctx, parsed)
	}
	if err != nil {
		c.reload.done.WithLabelValues(reloadFailed).Inc()
		c.opt.Log.Error("load the catalogue again; the one before stays in force", "version", before.number, "err", err)
		return api.Reloaded{}, err
	}
	c.catalogue.Store(loaded)
	c.reload.refused.Store(nil)
	c.reload.done.WithLabelValues(result).Inc()
	c.judge.Wake()
	a := loaded.Availability
	return api.Reloaded{Version: loaded.number, Changed: result == reloadLoaded, Components: len(a.Components), Services: len(a.Services),
		Agreements: len(a.Agreements)}, c.tell(ctx, "catalogue.reload", "catalogue", result)
}

// readGood is the catalogue of the file, also as far as the judge reads it.
func (c *Collector) readGood() (*catalogue.Catalogue, error) {
	parsed, err := c.readCatalogue()
	if err != nil {
		return nil, err
	}
	if err := checkResources(parsed); err != nil {
		return nil, settings.Faults{{File: c.opt.Config.cataloguePath(), Path: "resources", Message: err.Error(), Remedy: "correct the expression"}}
	}
	return parsed, nil
}

// checkResources finds expressions of resources that are no PromQL.
func checkResources(parsed *catalogue.Catalogue) error {
	parse := series.NewParser()
	return checkExpressions(figures.Resources(parsed), func(expr string) error {
		_, err := parse.ParseExpr(expr)
		return err
	})
}

// refuseCatalogue says everywhere that the newest catalogue is not in force.
func (c *Collector) refuseCatalogue(ctx context.Context, faults settings.Faults) error {
	c.reload.refused.Store(&faults)
	c.reload.done.WithLabelValues(reloadRefused).Inc()
	c.opt.Log.Error("the catalogue was refused; the one before stays in force", "version", c.inForceVersion(), "faults", len(faults), "all", faults.Error())
	return errors.Join(faults, c.tell(ctx, "catalogue.refused", "catalogue", faults[0].String()))
}

// reloadOn reads the catalogue again at each SIGHUP, until ctx ends.
func (c *Collector) reloadOn(ctx context.Context, hup <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			_, _ = c.ReloadCatalogue(ctx) // it was said in the log
		}
	}
}
