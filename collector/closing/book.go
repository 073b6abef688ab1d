package closing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/collector/zone"
)

// Ledger keeps the versions.
type Ledger interface {
	Periods(ctx context.Context, period string) ([]ledger.Period, error)
	PeriodVersion(ctx context.Context, customer, period string, version int64) (ledger.Period, error)
	ClosePeriod(ctx context.Context, p ledger.Period) (ledger.Period, error)
	ProposePeriod(ctx context.Context, p ledger.Period) (ledger.Period, error)
	WithdrawProposal(ctx context.Context, customer, period string, at int64, by, why string) error
	DecidePeriod(ctx context.Context, customer, period string, version int64, accept bool, at int64, by, why string) (ledger.Period, error)
}

// Figures gives months as they come out now.
type Figures interface {
	Catalogue() *catalogue.Catalogue
	Live(ctx context.Context, from, to string, asOf time.Time) ([]availability.Explanation, error)
	Fingerprint(ctx context.Context, before time.Time) (string, error)
}

// Options are what a book is made of.
type Options struct {
	Ledger  Ledger
	Figures Figures
	Program string // its version
	// Ready tells whether all that was received can be asked for; nil: always.
	// Until it is, nothing is frozen or compared.
	Ready func() bool
	Now   func() time.Time
	Log   *slog.Logger
	// Every is how often closed months are compared with what comes out now;
	// 30 s by default.
	Every time.Duration
}

// Book closes and restates months. It is safe for concurrent use.
type Book struct {
	o Options

	mu      sync.Mutex
	thawed  map[string]*Frozen // by hash
	checked map[string]string  // fingerprint last compared, by customer and month
}

// maxThawed bounds the frozen months kept in memory; the ledger has all.
const maxThawed = 200

// New makes a book.
func New(o Options) *Book {
	if o.Every <= 0 {
		o.Every = 30 * time.Second
	}
	if o.Ready == nil {
		o.Ready = func() bool { return true }
	}
	return &Book{o: o, thawed: map[string]*Frozen{}, checked: map[string]string{}}
}

// Refusal is why something is not done, with the remedy.
type Refusal struct{ Why string }

func (r *Refusal) Error() string { return r.Why }

// ready refuses, as a *Refusal, what needs all that was received.
func (b *Book) ready() error {
	if !b.o.Ready() {
		return &Refusal{"the collector has started a moment ago and still reads what it received before; try again when /-/ready says ready"}
	}
	return nil
}

// Close freezes the customer's month as it comes out now. A month that is not
// over, has nothing agreed or is closed already is refused, as a *Refusal.
func (b *Book) Close(ctx context.Context, customer, month, by, reason string) (ledger.Period, error) {
	if err := b.ready(); err != nil {
		return ledger.Period{}, err
	}
	now := b.o.Now().Truncate(time.Millisecond)
	f, err := b.freeze(ctx, customer, month, now)
	if err != nil {
		return ledger.Period{}, err
	}
	if len(f.Results) == 0 {
		return ledger.Period{}, &Refusal{fmt.Sprintf("nothing was agreed with %q in %s, so there is nothing to close", customer, month)}
	}
	for i := range f.Results {
		if end := f.Results[i].Explanation.Figures.To; end.MS > now.UnixMilli() {
			return ledger.Period{}, &Refusal{fmt.Sprintf("%s is not over: it ends at %s; close it then", month, end)}
		}
	}
	text, hash, err := f.Text()
	if err != nil {
		return ledger.Period{}, err
	}
	p, err := b.o.Ledger.ClosePeriod(ctx, ledger.Period{Customer: customer, Period: month, AsOf: now.UnixMilli(), MadeAt: now.UnixMilli(), MadeBy: by, Reason: reason, Hash: hash, Differences: "[]", Frozen: text})
	if errors.Is(err, ledger.ErrPeriodClosed) {
		return p, &Refusal{fmt.Sprintf("%s of %q is closed already; what changed since is proposed as its next version", month, customer)}
	}
	return p, err
}

// Decide accepts or rejects the proposal of that number.
func (b *Book) Decide(ctx context.Context, customer, month string, version int64, accept bool, by, why string) (ledger.Period, error) {
	p, err := b.o.Ledger.DecidePeriod(ctx, customer, month, version, accept, b.o.Now().UnixMilli(), by, why)
	if errors.Is(err, ledger.ErrNoProposal) {
		return p, &Refusal{fmt.Sprintf("version %d of %s of %q waits for no decision: it is %s", version, month, customer, p.State)}
	}
	return p, err
}

// freeze takes the customer's month as it comes out at asOf.
func (b *Book) freeze(ctx context.Context, customer, month string, asOf time.Time) (*Frozen, error) {
	begin, err := words.ParseMonth(month)
	if err != nil {
		return nil, &Refusal{"the period " + err.Error()}
	}
	all, err := b.o.Figures.Live(ctx, begin.Format(time.DateOnly), begin.AddDate(0, 1, 0).Format(time.DateOnly), asOf)
	if err != nil {
		return nil, err
	}
	var own []availability.Explanation
	for i := range all {
		if all[i].Figures.Customer == customer {
			own = append(own, all[i])
		}
	}
	f := Freeze(customer, month, b.o.Figures.Catalogue().Hash, b.o.Program, runtime.Version(), asOf.UnixMilli(), own)
	f.Zones = zone.Find(runtime.Version()).String()
	return &f, nil
}

// Versions lists all versions of closed months without what is frozen.
func (b *Book) Versions(ctx context.Context) ([]ledger.Period, error) {
	return b.o.Ledger.Periods(ctx, "")
}

// Version is one version with what is frozen; ledger.ErrNotFound.
func (b *Book) Version(ctx context.Context, customer, month string, version int64) (ledger.Period, *Frozen, error) {
	p, err := b.o.Ledger.PeriodVersion(ctx, customer, month, version)
	if err != nil {
		return p, nil, err
	}
	f, err := b.thaw(&p)
	return p, f, err
}

func (b *Book) thaw(p *ledger.Period) (*Frozen, error) {
	b.mu.Lock()
	f := b.thawed[p.Hash]
	b.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := Thaw(p.Frozen, p.Hash)
	if err != nil {
		return nil, fmt.Errorf("%s of %q, version %d: %w", p.Period, p.Customer, p.Version, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.thawed) >= maxThawed {
		clear(b.thawed)
	}
	b.thawed[p.Hash] = f
	return f, nil
}

// Standing gives, by customer, the explanations of the month's version that
// stood at asOf: none where it was open.
func (b *Book) Standing(ctx context.Context, month string, asOf time.Time) (map[string][]availability.Explanation, error) {
	all, err := b.o.Ledger.Periods(ctx, month)
	if err != nil {
		return nil, err
	}
	out := map[string][]availability.Explanation{}
	for customer, p := range standing(all, asOf.UnixMilli()) {
		_, f, err := b.Version(ctx, customer, month, p.Version)
		if err != nil {
			return nil, err
		}
		out[customer] = append([]availability.Explanation{}, f.Explanations()...)
	}
	return out, nil
}

// standing picks, by customer, the version of one month that counted at an instant.
func standing(all []ledger.Period, at int64) map[string]*ledger.Period {
	out := map[string]*ledger.Period{}
	for i := range all {
		p := &all[i]
		if p.Stands() && p.Since() <= at && (out[p.Customer] == nil || out[p.Customer].Version < p.Version) {
			out[p.Customer] = p
		}
	}
	return out
}

// Status is how a customer's month stands: open (the zero value), or by which
// version, and whether another one waits.
type Status struct {
	Standing *ledger.Period
	Waiting  *ledger.Period
}

// Status of the month at asOf.
func (b *Book) Status(ctx context.Context, customer, month string, asOf time.Time) (Status, error) {
	all, err := b.o.Ledger.Periods(ctx, month)
	if err != nil {
		return Status{}, err
	}
	s := Status{Standing: standing(all, asOf.UnixMilli())[customer]}
	for i := range all {
		if p := &all[i]; p.Customer == customer && p.State == ledger.PeriodProposed {
			s.Waiting = p
		}
	}
	return s, nil
}

// Closed tells whether the customer's month that an instant lies in is closed:
// a correction to it needs a restatement. zone is the agreement's.
func (b *Book) Closed(ctx context.Context, customer string, at time.Time, zone *time.Location) (bool, error) {
	s, err := b.Status(ctx, customer, at.In(zone).Format("2006-01"), b.o.Now())
	return s.Standing != nil, err
}

// Run compares closed months with what comes out now until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if b.ready() != nil {
				continue
			}
			if err := b.Check(ctx); err != nil && ctx.Err() == nil {
				b.o.Log.Error("compare closed periods with what comes out now", "err", err)
			}
		}
	}
}

// Check proposes the next version of each closed month that comes out
// otherwise now, and withdraws a proposal that is no longer needed. Nothing
// that stands is changed.
func (b *Book) Check(ctx context.Context) error {
	if err := b.ready(); err != nil {
		return err
	}
	all, err := b.o.Ledger.Periods(ctx, "")
	if err != nil {
		return err
	}
	months := map[string][]ledger.Period{}
	for _, p := range all {
		months[p.Period] = append(months[p.Period], p)
	}
	for month, versions := range months {
		for customer, p := range standing(versions, b.o.Now().UnixMilli()) {
			if err := b.check(ctx, customer, month, p, versions); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Book) check(ctx context.Context, customer, month string, p *ledger.Period, versions []ledger.Period) error {
	begin, err := words.ParseMonth(month)
	if err != nil {
		return err
	}
	mark, err := b.o.Figures.Fingerprint(ctx, begin.AddDate(0, 1, 1))
	if err != nil {
		return err
	}
	key := customer + "\x00" + month
	mark += fmt.Sprint(" ", len(versions), p.Version)
	b.mu.Lock()
	same := b.checked[key] == mark
	b.mu.Unlock()
	if same {
		return nil
	}
	if err := b.compare(ctx, p, versions); err != nil {
		return err
	}
	b.mu.Lock()
	b.checked[key] = mark
	b.mu.Unlock()
	return nil
}

// actor is who proposes.
const actor = ledger.Actor

// compare works out the month again and proposes what differs from the version
// that stands, unless that very result waits or was rejected.
func (b *Book) compare(ctx context.Context, p *ledger.Period, versions []ledger.Period) error {
	_, stands, err := b.Version(ctx, p.Customer, p.Period, p.Version)
	if err != nil {
		return err
	}
	now, err := b.freeze(ctx, p.Customer, p.Period, b.o.Now().Truncate(time.Millisecond))
	if err != nil {
		return err
	}
	carry(stands, p.Version, now)
	differs, err := Differences(stands, now)
	if err != nil {
		return err
	}
	if len(differs) == 0 {
		return b.o.Ledger.WithdrawProposal(ctx, p.Customer, p.Period, now.AsOf, actor, "the period comes out as it stands again")
	}
	list, err := json.Marshal(differs)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.Customer == p.Customer && v.Version > p.Version && v.Differences == string(list) &&
			(v.State == ledger.PeriodProposed || v.State == ledger.PeriodRejected) {
			return nil
		}
	}
	text, hash, err := now.Text()
	if err != nil {
		return err
	}
	made, err := b.o.Ledger.ProposePeriod(ctx, ledger.Period{Customer: p.Customer, Period: p.Period, AsOf: now.AsOf, MadeAt: now.AsOf, MadeBy: actor,
		Reason: fmt.Sprintf("%d figures come out otherwise than in version %d", len(differs), p.Version), Hash: hash, Differences: string(list), Frozen: text})
	if err == nil {
		b.o.Log.Info("a closed period comes out otherwise: the next version waits for an approver", "customer", p.Customer, "period", p.Period, "version", made.Version, "differences", len(differs))
	}
	return err
}
