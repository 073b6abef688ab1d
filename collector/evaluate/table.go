package evaluate

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// table is the figures for a person: one block for each agreement version.
// Shares are cut off, never rounded up.
func table(figures []availability.Figures) string {
	var b strings.Builder
	for i := range figures {
		if i > 0 {
			b.WriteString("\n")
		}
		block(&b, &figures[i])
	}
	if len(figures) == 0 {
		b.WriteString("no agreement is in force in the period\n")
	}
	return b.String()
}

func block(b *strings.Builder, f *availability.Figures) {
	title := f.Service
	if f.Customer != "" {
		title += " for " + f.Customer
	}
	fmt.Fprintf(b, "%s, %s version %d\n", title, f.Agreement, f.Version)
	line := func(name, value string) { fmt.Fprintf(b, "  %-22s %s\n", name, value) }
	line("period", fmt.Sprintf("%s to %s, as of %s", f.From, f.To, f.AsOf))
	line("availability", fmt.Sprintf("%s (between %s and %s; without exclusions %s)", availability.Percent(f.Exact.Availability, 4),
		availability.Percent(f.Exact.AvailabilityLow, 4), availability.PercentUp(f.Exact.AvailabilityHigh, 4), availability.Percent(f.Exact.WithoutExclusion, 4)))
	line("coverage", availability.Percent(f.Exact.Coverage, 2))
	line("agreed time", fmt.Sprintf("%s of %s in the whole period", length(&f.AgreedS), length(&f.AgreedPeriodS)))
	line("  cut out", fmt.Sprintf("calendar %s, existence %s, planned %s, adjusted %s", length(&f.Cut.CalendarS), length(&f.Cut.ExistenceS),
		length(&f.Cut.PlannedS), length(&f.Cut.AdjustedS)))
	line("  states", fmt.Sprintf("up %s, degraded %s, down %s, unknown %s", length(&f.UpS), length(&f.DegradedS), length(&f.DownS), length(&f.UnknownS)))
	line("outages", fmt.Sprintf("%d started, %d restored", f.OutagesStarted, f.OutagesRestored))
	line("time to restore", fmt.Sprintf("mean %s, median %s, 90 %% %s, longest %s", length(f.MTTRS), length(f.MTTRMedianS), length(f.MTTRP90S), length(f.LongestS)))
	line("MTBF", between(f))
	line("MTBSI", fmt.Sprintf("%s, of that down %s", length(f.MTBSIS), length(f.DownPerOutageS)))
	if f.BudgetS != nil {
		line("error budget left", fmt.Sprintf("%s of the whole period, %s of the time elapsed", length(f.BudgetS), length(f.BudgetElapsedS)))
	}
	for _, i := range f.Indicators {
		line("indicator", fmt.Sprintf("%s: %s (%s, target %s)", i.Name, strings.ReplaceAll(i.State, "_", " "), value(i.Kind, i.Actual), value(i.Kind, i.Target)))
	}
	for _, o := range f.Outages {
		line("outage", outageText(o))
	}
}

// between is the MTBF with its 90 % interval.
func between(f *availability.Figures) string {
	if f.MTBFS == nil {
		up, _ := f.Exact.Up.Float64()
		return fmt.Sprintf("> %s (no outage; at least %s with 95 %% confidence)", length(&up), length(f.MTBFLowerS))
	}
	return fmt.Sprintf("%s (90 %% between %s and %s)", length(f.MTBFS), length(f.MTBFLowerS), length(f.MTBFUpperS))
}

func outageText(o availability.Outage) string {
	end := "not restored yet"
	if o.To != nil {
		end = o.To.String()
	}
	text := fmt.Sprintf("%s to %s, counted %s, in the period %s", o.From, end, length(&o.AgreedS), length(&o.DownS))
	if o.Earliest != nil {
		text += fmt.Sprintf(", last seen up %s", o.Earliest)
	}
	if o.Ongoing {
		text += ", ongoing"
	}
	if o.Bridged {
		text += ", bridged"
	}
	if len(o.Components) > 0 {
		text += ": " + strings.Join(o.Components, ", ")
	}
	return text
}

func value(kind availability.Kind, x *float64) string {
	switch {
	case x == nil:
		return "-"
	case kind == availability.KindAvailability:
		return availability.PercentOf(x, 4)
	case kind.IsTime():
		return length(x)
	}
	return fmt.Sprintf("%g", *x)
}

// length prints seconds as days, hours, minutes and seconds.
func length(s *float64) string {
	if s == nil {
		return "-"
	}
	ms := int64(*s * 1000)
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	d := time.Duration(ms) * time.Millisecond
	text := ""
	if days := d / (24 * time.Hour); days > 0 {
		text = fmt.Sprintf("%dd ", days)
		d -= days * 24 * time.Hour
	}
	if h := d / time.Hour; h > 0 || text != "" {
		text += fmt.Sprintf("%dh ", h)
		d -= h * time.Hour
	}
	if m := d / time.Minute; m > 0 || text != "" {
		text += fmt.Sprintf("%dm ", m)
		d -= m * time.Minute
	}
	return sign + text + fmt.Sprintf("%gs", d.Seconds())
}
