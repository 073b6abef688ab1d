package evaluate

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"time"
)

// writeFleet writes a file of facts in time order: so many components, each
// with a fact every 15 s for so many days, each down for ten minutes on the
// first of June. It returns the number of lines.
func writeFleet(b *testing.B, name string, components, days int) int {
	b.Helper()
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprintln(out, "time,component,state")
	begin := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	lines := 1
	var line []byte
	for at := begin; at.Before(begin.AddDate(0, 0, days)); at = at.Add(15 * time.Second) {
		stamp := at.AppendFormat(nil, time.RFC3339)
		for i := range components {
			state := ",up\n"
			if since := at.Sub(begin); since > time.Duration(i)*time.Minute && since <= time.Duration(i+10)*time.Minute {
				state = ",down\n"
			}
			line = append(append(line[:0], stamp...), ",host-"...)
			line = append(line, byte('0'+i/100%10), byte('0'+i/10%10), byte('0'+i%10))
			if _, err := out.Write(append(line, state...)); err != nil {
				b.Fatal(err)
			}
			lines++
		}
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return lines
}

// fleetCatalogue has one service of ten components for each ten.
func fleetCatalogue(components int) string {
	text, services, agreements := "components:\n", "services:\n", "agreements:\n"
	for i := range components {
		text += fmt.Sprintf("  - {name: host-%03d, interval: 15s}\n", i)
		if i%10 == 0 {
			services += fmt.Sprintf("  - {name: service-%03d, needs: {all_of: [", i)
			agreements += fmt.Sprintf("  - {number: S-%03d, service: service-%03d, zone: Asia/Shanghai, indicators: [{name: availability, target: 99.9%%}]}\n", i, i)
		}
		services += fmt.Sprintf("host-%03d, ", i)
		if i%10 == 9 {
			services += "]}}\n"
		}
	}
	return text + services + agreements
}

// BenchmarkEvaluate is 100 components with a fact every 15 s: a day (0.6 M
// lines) and a month (17 M lines, 0.6 GB in the temporary directory).
func BenchmarkEvaluate(b *testing.B) {
	for name, days := range map[string]int{"day": 1, "month": 30} {
		b.Run(name, func(b *testing.B) {
			o := inputs(b, fleetCatalogue(100), "")
			lines := writeFleet(b, o.FactsPath, 100, days)
			o.From, o.To, o.Now = "2026-06-01", "2026-07-01", time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				if got := run(o); got.status != 0 {
					b.Fatal(got.stderr)
				}
			}
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
