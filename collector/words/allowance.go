package words

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Allowance says what an agreement allows in the month that has at (Unix ms)
// in it: "SLA-2026-003: 44 min in October 2026, planned work up to 8 h a month
// if approved 24 h before". Times are cut off, never rounded up.
func (b *Book) Allowance(c *availability.Catalogue, a *availability.Agreement, at int64) (string, error) {
	allowed, err := c.Allowed(a, at)
	if err != nil {
		return "", err
	}
	month := b.Month(allowed.Month.Format("2006-01"))
	text := b.T("allow.no.target", a.Number, month)
	switch {
	case allowed.Agreed == 0:
		text = b.T("allow.nothing.agreed", a.Number, month)
	case allowed.Down != nil:
		text = b.T("allow.down", a.Number, b.whole(allowed.Down), month)
	}
	switch {
	case a.Policies.Planned == availability.AsDown:
		return text + b.T("allow.planned.counts"), nil
	case a.Cap == nil:
		text += b.T("allow.planned", b.approved(a))
	default:
		text += b.T("allow.planned.cap", b.whole(big.NewRat(a.Cap.Length, 1000)), b.T([...]string{"allow.per.month", "allow.per.quarter", "allow.per.year"}[a.Cap.Per]), b.approved(a))
	}
	return text, nil
}

// Underpinned says what an underpinning contract allows, as Allowance does of
// an agreement: for each of its components, for the target is one of their sums.
func (b *Book) Underpinned(c *availability.Catalogue, contract *availability.Contract, at int64) (string, error) {
	terms := contract.Terms
	terms.Number = b.T("allow.contract", terms.Number, contract.Supplier, strconv.Itoa(len(contract.Components)))
	return b.Allowance(c, &terms, at)
}

// approved says when a planned window must be approved to count.
func (b *Book) approved(a *availability.Agreement) string {
	if a.Notice > 0 {
		return b.T("allow.notice", b.whole(big.NewRat(a.Notice, 1000)))
	}
	return b.T("allow.approved")
}

// whole is a time of s seconds in hours and minutes, below a minute in
// seconds; what is finer is cut off.
func (b *Book) whole(s *big.Rat) string {
	n := new(big.Int).Quo(s.Num(), s.Denom()).Int64()
	hours, minutes := n/3600, n/60%60
	switch {
	case n < 60:
		return fmt.Sprintf("%d s", n)
	case hours == 0:
		return fmt.Sprintf("%d min", minutes)
	case minutes == 0:
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d h %d min", hours, minutes)
}
