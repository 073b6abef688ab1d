package wire

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func anyEnvelope(t *rapid.T) Envelope {
	text := rapid.StringN(0, 40, maxField)
	return Envelope{
		Kind: Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Run:  text.Draw(t, "run"), Boot: text.Draw(t, "boot"), Seq: rapid.Uint64().Draw(t, "seq"),
		Clocks: Clocks{Wall: rapid.Int64().Draw(t, "wall"), Boot: rapid.Int64().Draw(t, "boottime"), Mono: rapid.Int64().Draw(t, "mono")},
		Host:   text.Draw(t, "host"), Instance: text.Draw(t, "instance"), Customer: text.Draw(t, "customer"),
		Job: text.Draw(t, "job"), ReceivedAt: rapid.Int64().Draw(t, "received"),
		Shift: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64()).Draw(t, "shift"),
	}
}

func TestEnvelopeComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, body := anyEnvelope(t), rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		got, rest, err := Split(append(want.Append(nil), body...))
		if err != nil {
			t.Fatalf("split: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("envelope (-want +got):\n%s", diff)
		}
		if !bytes.Equal(rest, body) {
			t.Fatalf("body: got %x, want %x", rest, body)
		}
	})
}

func TestTruncatedEnvelopeIsRefused(t *testing.T) {
	for _, shift := range []int64{0, -3_600_000} {
		e := Envelope{Kind: KindBatch2, Run: "r", Boot: "b", Seq: 300, Host: "h", Instance: "web-1", Job: "node", Shift: shift}
		whole := e.Append(nil)
		for n := range whole {
			if _, _, err := Split(whole[:n]); !errors.Is(err, ErrEnvelope) {
				t.Errorf("shift %d, first %d of %d bytes: got error %v, want ErrEnvelope", shift, n, len(whole), err)
			}
		}
	}
}

func TestHeadersComeBack(t *testing.T) {
	h := http.Header{}
	want := Envelope{Run: "a1", Boot: "b2", Seq: 7, Clocks: Clocks{Wall: 1, Boot: 2, Mono: 3}}
	want.SetHeaders(h, Clocks{Wall: 4, Boot: 5, Mono: 6})
	got, sent, err := FromHeaders(h)
	if err != nil || got != want || sent != (Clocks{4, 5, 6}) {
		t.Fatalf("got %+v sent %+v error %v, want %+v", got, sent, err, want)
	}
}

func TestBadHeadersAreNamed(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{HeaderSeq, "seven", `malformed envelope: header Plimsoll-Seq: "seven" is not a number`},
		{HeaderClock, "1,2", `header Plimsoll-Clock: malformed envelope: "1,2" is not wall,boot,mono`},
		{HeaderSent, "1,2,x", `header Plimsoll-Clock-Sent: malformed envelope: clock "x" is not a number`},
	} {
		h := http.Header{}
		h.Set(c.name, c.value)
		if _, _, err := FromHeaders(h); err == nil || err.Error() != c.want {
			t.Errorf("%s: %s: got %v, want %s", c.name, c.value, err, c.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	e := Envelope{Kind: KindNote, Run: "r", Seq: 1}
	f.Add(e.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, body, err := Split(data)
		if err != nil {
			return
		}
		if again, rest, err := Split(append(e.Append(nil), body...)); err != nil || again != e || !bytes.Equal(rest, body) {
			t.Fatalf("second round differs: %+v, %+v, %v", e, again, err)
		}
	})
}
