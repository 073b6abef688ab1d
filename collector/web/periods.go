package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

type periodsView struct {
	Customers []choice
	Last      string // the month that may be closed
	Months    []monthRow
	Wrong     string
}

// monthRow is a customer's closed month.
type monthRow struct {
	Anchor, Customer, Name, Period, Month, State string
	Versions                                     []versionRow
}

type versionRow struct {
	Version              int64
	State                string
	Waiting              bool
	Made, Decided        string
	MadeBy, Reason, Hash string
	Link                 string
	Differences          []closing.Difference
}

func periodAnchor(customer, period string) string {
	return url.PathEscape("p" + period + customer)
}

// closed says by which version the month stands; nothing while it is open.
func (s *Site) closed(ctx context.Context, v *visit, customer, period string) (string, error) {
	if s.Periods == nil {
		return "", nil
	}
	status, err := s.Periods.Status(ctx, customer, period, v.AsOf)
	if err != nil || status.Standing == nil {
		return "", err
	}
	p := status.Standing
	text := v.T("period.stands", strconv.FormatInt(p.Version, 10), whenMS(p.AsOf, v.Zone).Text, p.Hash[:12])
	if status.Waiting != nil {
		text += " " + v.T("period.waits", strconv.FormatInt(status.Waiting.Version, 10))
	}
	return text, nil
}

// periods lists the closed months with what waits for a decision.
func (s *Site) periods(ctx context.Context, v *visit) (string, any, error) {
	y, m, _ := v.AsOf.In(v.Zone).Date()
	view := periodsView{Last: time.Date(y, m-1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01"), Wrong: v.Wrong}
	for _, c := range customers(s.Figures.Catalogue().Availability) {
		view.Customers = append(view.Customers, choice{c, v.customerName(c)})
	}
	if s.Periods == nil {
		return v.T("periods"), view, nil
	}
	all, err := s.Periods.Versions(ctx)
	if err != nil {
		return "", nil, err
	}
	for i := range all {
		p := &all[i]
		if n := len(view.Months); n == 0 || view.Months[n-1].Customer != p.Customer || view.Months[n-1].Period != p.Period {
			view.Months = append(view.Months, monthRow{Anchor: periodAnchor(p.Customer, p.Period), Customer: p.Customer, Name: v.customerName(p.Customer), Period: p.Period, Month: v.Month(p.Period), State: v.T("period.state.closed")})
		}
		month := &view.Months[len(view.Months)-1]
		if p.State == ledger.PeriodAccepted {
			month.State = v.T("period.restated")
		}
		row, err := v.versionRow(p)
		if err != nil {
			return "", nil, err
		}
		month.Versions = append(month.Versions, row)
	}
	return v.T("periods"), view, nil
}

func (v *visit) customerName(name string) string {
	if name == "" {
		return v.T("customer.none")
	}
	return name
}

func (v *visit) versionRow(p *ledger.Period) (versionRow, error) {
	row := versionRow{Version: p.Version, State: v.T("period.state." + string(p.State)), Waiting: p.State == ledger.PeriodProposed, Made: whenMS(p.MadeAt, v.Zone).Text,
		MadeBy: v.actor(p.MadeBy), Reason: p.Reason, Hash: p.Hash, Link: fmt.Sprintf("/api/v1/periods/%s/versions/%d?%s", p.Period, p.Version, url.Values{"customer": {p.Customer}}.Encode())}
	if p.DecidedAt != 0 {
		row.Decided = v.T("period.decided", whenMS(p.DecidedAt, v.Zone).Text, v.actor(p.DecidedBy), p.Decision)
	}
	if err := json.Unmarshal([]byte(p.Differences), &row.Differences); err != nil {
		return row, fmt.Errorf("read the differences of %s of %q: %w", p.Period, p.Customer, err)
	}
	return row, nil
}

// periodForm closes a month, or decides about a restatement.
func (s *Site) periodForm() form {
	return form{name: "periods", show: s.periods, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Periods == nil {
			return "", notFound(v.T("periods"))
		}
		customer, month, by, why := v.PostFormValue("customer"), v.PostFormValue("period"), v.Visitor.Actor(), v.PostFormValue("reason")
		var err error
		if do := v.PostFormValue("do"); do == "close" {
			_, err = s.Periods.Close(v.Context(), customer, month, by, why)
		} else {
			version, bad := strconv.ParseInt(v.PostFormValue("version"), 10, 64)
			if bad != nil {
				return "", badInput("version")
			}
			_, err = s.Periods.Decide(v.Context(), customer, month, version, do == "accept", by, why)
		}
		return "/periods#" + periodAnchor(customer, month), err
	}}
}
