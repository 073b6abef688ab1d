package catalogue

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// TestWithWhatWasDecided: the text keeps comments and reads back as what was added.
func TestWithWhatWasDecided(t *testing.T) {
	const head = "components: [{name: a}]  # the only one\nservices: [{name: s, needs: {all_of: [a]}}]\n"
	window := availability.Window{Change: "CHG-2026-0001", Services: []string{"s", "gone"}, From: availability.At(1_000), To: availability.At(2_500), ApprovedAt: availability.At(10), CancelledAt: availability.At(2_000)}
	adjustment := availability.Adjustment{ID: "ADJ-2026-0001", Components: []string{"a"}, From: availability.At(3_000), To: availability.At(4_000), Effect: availability.CorrectDown,
		Reason: "was: \"down\" # really\nsee there", Evidence: "- ticket 7", RequestedBy: "li", ApprovedBy: "wang", ApprovedAt: availability.At(5_000)}
	nothing := window
	nothing.Services = []string{"gone"}
	for name, text := range map[string]string{
		"no list yet":   head,
		"an empty list": head + "maintenance: []\nadjustments:\n",
		"a list": head + "maintenance:\n  - {change: CHG-2026-0900, services: [s], from: 2026-01-01, to: 2026-01-02} # by hand\n" +
			"adjustments: [{id: ADJ-2026-0900, services: [s], from: 2026-01-01, to: 2026-01-02}]\n",
	} {
		c, faults := Parse(name, []byte(text))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if same, err := c.With(nil, nil); err != nil || string(same) != text {
			t.Errorf("%s: nothing added gives another text (%v):\n%s", name, err, same)
		}
		got, err := c.With([]availability.Window{window, nothing}, []availability.Adjustment{adjustment})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, faults := Parse(name, got)
		if len(faults) > 0 {
			t.Fatalf("%s: %v\n%s", name, faults, got)
		}
		known := window
		known.Services = []string{"s"}
		compare := cmp.AllowUnexported(availability.Bound{})
		if diff := cmp.Diff(append(c.Availability.Windows, known), again.Availability.Windows, compare); diff != "" {
			t.Errorf("%s: windows (-want +got)\n%s", name, diff)
		}
		if diff := cmp.Diff(append(c.Availability.Adjustments, adjustment), again.Availability.Adjustments, compare); diff != "" {
			t.Errorf("%s: adjustments (-want +got)\n%s", name, diff)
		}
		if !strings.Contains(string(got), "# the only one") {
			t.Errorf("%s: the comment is gone:\n%s", name, got)
		}
	}
	c, _ := Parse("taken", []byte(head+"adjustments: [{id: ADJ-2026-0001, services: [s], from: 2026-01-01, to: 2026-01-02}]\n"))
	if _, err := c.With(nil, []availability.Adjustment{adjustment}); err == nil || !strings.Contains(err.Error(), "ADJ-2026-0001") {
		t.Errorf("two adjustments of one number: got %v, want it named", err)
	}
}
