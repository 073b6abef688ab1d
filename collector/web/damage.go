package web

import "time"

// damageShown is how long what was lost stays on the overview, from when it
// was found; pages and reports of its time tell of it for ever.
const damageShown = 30 * 24 * time.Hour

// maxDamageRows bounds the lines on a page; the API lists them all.
const maxDamageRows = 5

// damage says what was lost of [from, to), found not before since; all Unix
// ms. Those found last come first.
func (s *Site) damage(v *visit, from, to, since int64) (lines []string) {
	if s.Damage == nil {
		return nil
	}
	ranges := s.Damage(from, to, v.AsOf.UnixMilli())
	for i := len(ranges) - 1; i >= 0 && len(lines) < maxDamageRows; i-- {
		if ranges[i].Found >= since {
			lines = append(lines, v.Lost(&ranges[i], func(t time.Time) string { return when(t, v.Zone).Text }))
		}
	}
	return lines
}
