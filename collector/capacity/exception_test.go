package capacity

import (
	"fmt"
	"regexp"
	"testing"
)

// TestExceptions: each row is one file system of a resource that warns at 80 %,
// is critical at 90 % and over below 75 %, and what holds for it at 1 000 ms.
func TestExceptions(t *testing.T) {
	whole := func(s string) *regexp.Regexp { return regexp.MustCompile("^(?:" + s + ")$") }
	disk := Resource{Name: "filesystem", Warning: 0.80, Critical: 0.90, Clear: 0.75}
	rules := []Exception{
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"mountpoint": whole("/var/log.*")}, Warning: 0.90, Critical: 0.95, Reason: "logs"},
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"role": whole("backup")}, Not: map[string]*regexp.Regexp{"env": whole("test")}, Ignore: true, Reason: "full by design"},
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"mountpoint": whole("/old")}, Warning: 0.5, Until: 1000, Reason: "over"},
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"mountpoint": whole("/new")}, Warning: 0.5, Critical: 0.6, Clear: 0.2, Until: 1001, Reason: "not over"},
		{Resource: "memory", Match: map[string]*regexp.Regexp{"mountpoint": whole(".*")}, Ignore: true, Reason: "another resource"},
	}
	for _, row := range []struct {
		labels map[string]string
		want   string // warning, critical, clear, and why
	}{
		{map[string]string{"mountpoint": "/"}, "0.80 0.90 0.75 -"},
		{map[string]string{"mountpoint": "/var/log"}, "0.90 0.95 0.85 logs"},
		{map[string]string{"mountpoint": "/var/log/nginx", "role": "backup"}, "0.90 0.95 0.85 logs"}, // the first that matches
		{map[string]string{"mountpoint": "/srv/var/log"}, "0.80 0.90 0.75 -"},                        // the whole value
		{map[string]string{"mountpoint": "/srv", "role": "backup"}, "+Inf 0.00 0.00 full by design"},
		{map[string]string{"mountpoint": "/srv", "role": "backup", "env": "test"}, "0.80 0.90 0.75 -"},
		{map[string]string{"mountpoint": "/old"}, "0.80 0.90 0.75 -"},
		{map[string]string{"mountpoint": "/new"}, "0.50 0.60 0.20 not over"},
	} {
		r, e := For(&disk, rules, func(name string) string { return row.labels[name] }, 1000)
		why := "-"
		if e != nil {
			why = e.Reason
		}
		if got := fmt.Sprintf("%.2f %.2f %.2f %s", r.Warning, r.Critical, r.Clear, why); got != row.want {
			t.Errorf("%v: %s, want %s", row.labels, got, row.want)
		}
		if r.Unbounded() != (e != nil && e.Ignore) {
			t.Errorf("%v: unbounded %v", row.labels, r.Unbounded())
		}
	}
	if disk.Warning != 0.80 {
		t.Error("the resource itself is changed")
	}
}
