package portable

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// mode is one of the modes a processor's time is kept in.
type mode struct {
	name string
	of   func(cpu.TimesStat) float64
}

// modes are those the system tells apart; a mode that is always 0 there would
// say more than is known.
func modes(system string) []mode {
	all := []mode{
		{"user", func(t cpu.TimesStat) float64 { return t.User }},
		{"system", func(t cpu.TimesStat) float64 { return t.System }},
		{"idle", func(t cpu.TimesStat) float64 { return t.Idle }},
		{"nice", func(t cpu.TimesStat) float64 { return t.Nice }},
		{"irq", func(t cpu.TimesStat) float64 { return t.Irq }},
		{"iowait", func(t cpu.TimesStat) float64 { return t.Iowait }},
		{"softirq", func(t cpu.TimesStat) float64 { return t.Softirq }},
		{"steal", func(t cpu.TimesStat) float64 { return t.Steal }},
	}
	switch system {
	case "windows":
		return []mode{all[0], all[1], all[2], all[4]}
	case "darwin":
		return all[:4]
	case "freebsd":
		return all[:5]
	}
	return all
}

// CPU adds the time each processor spent in each mode, in seconds.
func CPU(ctx context.Context, out *sample.Set) error {
	times, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return fmt.Errorf("times of the processors: %w", err)
	}
	for _, t := range times {
		for _, m := range modes(runtime.GOOS) {
			out.Add("node_cpu_seconds_total", m.of(t), "cpu", strings.TrimPrefix(t.CPU, "cpu"), "mode", m.name)
		}
	}
	return nil
}
