package api

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/internal/settings"
)

// Reloaded is the catalogue in force after it was read again.
type Reloaded struct {
	Version    int64 `json:"version"`
	Changed    bool  `json:"changed" doc:"false: the files say what was in force already"`
	Components int   `json:"components"`
	Services   int   `json:"services"`
	Agreements int   `json:"agreements" doc:"agreement versions"`
}

// ReloadCatalogue reads the catalogue again; with any fault the one in force
// stays, and all faults are in the answer.
func (a *API) ReloadCatalogue(ctx context.Context, _ *struct{}) (*struct{ Body Reloaded }, error) {
	done, err := a.o.Reload(ctx)
	var faults settings.Faults
	if errors.As(err, &faults) {
		all := make([]error, len(faults))
		for i, f := range faults {
			all[i] = errors.New(f.String())
		}
		return nil, huma.Error422UnprocessableEntity("the catalogue has faults; the one before stays in force", all...)
	}
	if err != nil {
		return nil, a.answer(err, "catalogue")
	}
	return &struct{ Body Reloaded }{done}, nil
}
