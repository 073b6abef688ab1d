package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/ledger"
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
