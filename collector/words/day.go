package words

import "github.com/plimsoll/plimsoll/collector/availability"

// StateTimes lists the times, in ms by state, from the best to the worst and
// what is unknown, and gives the worst that is known; "": there are none.
func (b *Book) StateTimes(in [availability.Down + 1]int64) (text string, worst availability.State) {
	worst = availability.Unknown
	for _, s := range []availability.State{availability.Up, availability.Degraded, availability.Down, availability.Unknown} {
		if in[s] == 0 {
			continue
		}
		if s != availability.Unknown {
			worst = s
		}
		if text != "" {
			text += ", "
		}
		text += b.T("strip.part", b.T("state."+s.String()), b.Millis(in[s]))
	}
	return text, worst
}
