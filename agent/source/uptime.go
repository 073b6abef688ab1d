package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// uptime is the host's clock and the instant it was started.
type uptime struct {
	stat file
	now  func() time.Time
}

func newUptime(r Roots, now func() time.Time) *uptime {
	return &uptime{stat: file{path: r.Proc + "/stat"}, now: now}
}

func (u *uptime) collect(_ context.Context, out *sample.Set) error {
	text, err := u.stat.read()
	if err != nil {
		return err
	}
	boot, err := parseBootTime(text)
	if err != nil {
		return err
	}
	out.Add("node_boot_time_seconds", float64(boot))
	out.Add("node_time_seconds", float64(u.now().UnixNano())/1e9)
	return nil
}

// parseBootTime reads the line "btime 1763990000" of /proc/stat, Unix seconds.
func parseBootTime(text []byte) (uint64, error) {
	at := bytes.Index(text, []byte("\nbtime "))
	if at < 0 {
		return 0, errors.New("stat: no btime in it")
	}
	first, _, _ := line(text[at+len("\nbtime "):])
	seconds, err := number(bytes.TrimSpace(first))
	if err != nil {
		return 0, fmt.Errorf("stat: btime: %w", err)
	}
	return seconds, nil
}
