package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// maxSensors bounds how many values of sensors are kept open and reported.
const maxSensors = 128

// temperature is how warm the chips that say so are. Which there are is looked
// up once a minute.
type temperature struct {
	sys     string
	now     func() time.Time
	when    minute
	sensors []*sensor
	facts   []fact
}

// sensor is one value in thousandths of a degree Celsius.
type sensor struct {
	file
	metric string
	labels []string
}

// fact is a series that says something of a sensor and is always 1.
type fact struct {
	metric string
	labels []string
}

func newTemperature(r Roots, now func() time.Time) *temperature {
	return &temperature{sys: r.Sys, now: now}
}

func (t *temperature) collect(_ context.Context, out *sample.Set) error {
	if t.when.due(t.now()) {
		t.find()
	}
	if len(t.sensors) == 0 {
		return ErrNothing
	}
	for _, f := range t.facts {
		out.Add(f.metric, 1, f.labels...)
	}
	var all []error
	for _, s := range t.sensors {
		text, err := s.read()
		if err != nil {
			continue // asleep, unplugged or not filled in: nothing to measure there now
		}
		milli, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 32)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %q is not a number", s.path, shorten(bytes.TrimSpace(text))))
			continue
		}
		out.Add(s.metric, float64(milli)/1000, s.labels...)
	}
	return errors.Join(all...)
}

// find lists the sensors; those that are known stay open.
func (t *temperature) find() {
	old := make(map[string]*sensor, len(t.sensors))
	for _, s := range t.sensors {
		old[s.path+s.metric] = s
	}
	t.sensors, t.facts = t.sensors[:0], t.facts[:0]
	t.findChips()
	t.findZones()
	for i, s := range t.sensors {
		if was := old[s.path+s.metric]; was != nil {
			t.sensors[i] = was
			was.labels = s.labels
			delete(old, s.path+s.metric)
		}
	}
	for _, gone := range old {
		gone.close()
	}
}

func (t *temperature) add(path, metric string, labels ...string) {
	if len(t.sensors) < maxSensors {
		t.sensors = append(t.sensors, &sensor{file: file{path: path, buf: make([]byte, 32)}, metric: metric, labels: labels})
	}
}

// glob is what matches in the order of its names, numbers by their value.
func glob(pattern string) []string {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the roots hold a bracket; no such path was meant
	}
	sort.Slice(found, func(i, j int) bool {
		if len(found[i]) != len(found[j]) {
			return len(found[i]) < len(found[j])
		}
		return found[i] < found[j]
	})
	return found
}

// content is a small file's text without blanks around it; empty if it is not there.
func content(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text[:min(len(text), 128)]))
}

// findChips looks through hwmon: temp1_input with temp1_max, temp1_crit and
// temp1_label beside it.
func (t *temperature) findChips() {
	for _, dir := range glob(t.sys + "/class/hwmon/hwmon*") {
		chip := chipName(dir)
		inputs := glob(dir + "/temp*_input")
		if len(inputs) == 0 {
			continue
		}
		if name := content(dir + "/name"); name != "" {
			t.facts = append(t.facts, fact{"node_hwmon_chip_names", []string{"chip", chip, "chip_name", labelText(name)}})
		}
		for _, input := range inputs {
			stem := strings.TrimSuffix(input, "_input")
			name := filepath.Base(stem)
			t.add(input, "node_hwmon_temp_celsius", "chip", chip, "sensor", name)
			if label := content(stem + "_label"); label != "" {
				t.facts = append(t.facts, fact{"node_hwmon_sensor_label", []string{"chip", chip, "label", labelText(label), "sensor", name}})
			}
			for _, limit := range [...]struct{ suffix, metric string }{{"_max", "node_hwmon_temp_max_celsius"}, {"_crit", "node_hwmon_temp_crit_celsius"}} {
				if _, err := os.Stat(stem + limit.suffix); err == nil {
					t.add(stem+limit.suffix, limit.metric, "chip", chip, "sensor", name)
				}
			}
		}
	}
}

// findZones looks through the thermal zones of the firmware.
func (t *temperature) findZones() {
	for _, dir := range glob(t.sys + "/class/thermal/thermal_zone*") {
		zone := strings.TrimPrefix(filepath.Base(dir), "thermal_zone")
		t.add(dir+"/temp", "node_thermal_zone_temp", "type", labelText(content(dir+"/type")), "zone", zone)
	}
}

// chipName is node_exporter's name of a chip: the bus and the device it sits
// on, which stay the same where the number of hwmon does not.
func chipName(dir string) string {
	if device, err := filepath.EvalSymlinks(dir + "/device"); err == nil {
		kind, name := metricText(filepath.Base(filepath.Dir(device))), metricText(filepath.Base(device))
		if kind != "" && name != "" {
			return kind + "_" + name
		}
		if name != "" {
			return name
		}
	}
	if name := metricText(content(dir + "/name")); name != "" {
		return name
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return metricText(filepath.Base(dir))
}

// metricText is a name in small letters with "_" for what metrics may not hold.
func metricText(name string) string {
	text := []byte(strings.ToLower(name))
	for i, c := range text {
		if c != ':' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			text[i] = '_'
		}
	}
	return strings.Trim(string(text), "_")
}

// labelText keeps a text of the firmware from breaking a label.
func labelText(text string) string { return strings.ToValidUTF8(text, "_") }
