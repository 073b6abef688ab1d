package api

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// AuditVerify recomputes the audit chain.
func (a *API) AuditVerify(ctx context.Context, _ *struct{}) (*struct{ Body ledger.Verification }, error) {
	v, err := a.o.Store.Verify(ctx)
	if err != nil {
		return nil, a.answer(err, "audit chain")
	}
	if len(v.Faults) > 0 {
		faults := make([]error, len(v.Faults))
		for i, f := range v.Faults {
			faults[i] = fmt.Errorf("%s", f)
		}
		return nil, huma.Error409Conflict("the audit chain and the ledger do not agree", faults...)
	}
	return &struct{ Body ledger.Verification }{v}, nil
}

// NewToken makes a one-time enrolment token.
func (a *API) NewToken(ctx context.Context, in *struct {
	Body struct {
		TTL      string `json:"ttl,omitempty" doc:"how long it is good for; default 24h"`
		Customer string `json:"customer,omitempty" doc:"whose host enrols with it"`
	}
}) (*struct{ Body Token }, error) {
	ttl := 24 * time.Hour
	if in.Body.TTL != "" {
		parsed, err := settings.ParseDuration(in.Body.TTL)
		if err != nil || parsed <= 0 || parsed.Std() > 30*24*time.Hour {
			return nil, huma.Error400BadRequest(fmt.Sprintf("ttl %q is not a time up to 30d; write it like 24h", in.Body.TTL))
		}
		ttl = parsed.Std()
	}
	t, err := a.o.NewToken(ctx, in.Body.Customer, ttl)
	if err != nil {
		return nil, a.answer(err, "token")
	}
	return &struct{ Body Token }{t}, nil
}
