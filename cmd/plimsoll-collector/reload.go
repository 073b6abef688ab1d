package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/plimsoll/plimsoll/collector/api"
)

// reloadCmd lets a running collector read its catalogue again.
type reloadCmd struct{ asking }

func (c *reloadCmd) Run(ctx context.Context) error {
	var now api.Reloaded
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/catalogue/reload", nil, &now); err != nil {
		return err
	}
	what := "loaded"
	if !now.Changed {
		what = "unchanged"
	}
	fmt.Printf("%s: version %d: %s, %s, %s\n", what, now.Version, many(now.Components, "component"), many(now.Services, "service"), many(now.Agreements, "agreement version"))
	return nil
}
