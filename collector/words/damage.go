package words

import (
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/damage"
)

// Lost says of which stretch of time data was lost, how much and why; instant
// writes a time.
func (b *Book) Lost(r *damage.Range, instant func(time.Time) string) string {
	from, count, to, found := b.T("damage.beginning"), b.T("damage.uncounted"), instant(time.UnixMilli(r.To)), instant(time.UnixMilli(r.Found))
	if r.From != 0 {
		from = instant(time.UnixMilli(r.From))
	}
	lost := strconv.FormatInt(r.Lost, 10)
	if r.Store == damage.Journal {
		if r.Lost != 0 {
			count = b.T("damage.counted.journal", lost)
		}
		return b.T("damage.journal", from, to, count, r.What, r.Cause, found)
	}
	if r.Lost != 0 {
		count = b.T("damage.counted.series", lost)
	}
	return b.T("damage.series", from, to, count, r.What, r.Cause, found)
}
