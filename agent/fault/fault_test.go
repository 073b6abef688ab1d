package fault

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestCondition(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	now := time.Unix(1000, 0)
	c := New(log, func() time.Time { now = now.Add(time.Second); return now }, "well again")
	c.OK()                            // well from the start: nothing to say
	c.Fail("away", "err", "refused")  // said, at 1001 s
	c.Fail("away", "err", "refused")  // not again
	c.Fail("away", "err", "reset")    // nor with another text of the error
	c.Fail("full", "err", "no space") // another fault is said
	c.OK("to", "a:1")                 // over, at 1002 s
	c.OK()
	c.Fail("away", "err", "refused")
	want := `level=WARN msg=away err=refused
level=WARN msg=full err="no space"
level=INFO msg="well again" to=a:1 times=4 lasted=1s
level=WARN msg=away err=refused
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if bad, since := c.Failing(); bad != "away" || since.Unix() != 1003 {
		t.Errorf("got %q since %v", bad, since)
	}
}
