package source

import "time"

// BootTime is when this host was started, by its own clock; the zero time
// where that is not known.
func BootTime(r Roots) time.Time {
	stat := file{path: r.Proc + "/stat"}
	defer stat.close()
	text, err := stat.read()
	if err != nil {
		return time.Time{}
	}
	seconds, err := parseBootTime(text)
	if err != nil || seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}
