package api

import (
	"context"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
)

// SilenceBody is a stretch in which an agent did not measure, or of which what
// it measured was lost.
type SilenceBody struct {
	Cause   string     `json:"cause" enum:"lost,stopped,rebooted,crashed,killed,suspended,paused,stalled,late,collector_away,path_cut,network_out,silent,cloned"`
	From    *time.Time `json:"from" doc:"the last sign of life before; null: not known"`
	To      *time.Time `json:"to" doc:"measuring again, or the end of what was lost; null: it lasts"`
	Seconds float64    `json:"seconds"`
	Records int64      `json:"records" doc:"how many records were lost, where they could be counted"`
	Reason  string     `json:"reason"`
	// Host is what the silence says of the host itself.
	Host        string `json:"host" enum:"up,down,unknown" doc:"what the silence proves about the host"`
	Provisional bool   `json:"provisional" doc:"the verdict may change when data returns, for seven days"`
}

// SilencesBody lists them, the newest first.
type SilencesBody struct {
	AsOf     time.Time     `json:"as_of"`
	Instance string        `json:"instance"`
	Silences []SilenceBody `json:"silences"`
}

// Silences answers with when a host's agent did not measure, by its own notes.
func (a *API) Silences(ctx context.Context, in *struct {
	AsOf
	Instance string    `path:"instance"`
	From     time.Time `query:"from" doc:"those noted at or after this"`
}) (*struct{ Body SilencesBody }, error) {
	what := "host " + in.Instance
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	hosts, err := a.o.Store.Hosts(ctx)
	if err != nil {
		return nil, a.answer(err, what)
	}
	if !slices.ContainsFunc(hosts, func(h ledger.Host) bool { return h.Instance == in.Instance }) {
		return nil, a.answer(ledger.ErrNotFound, what)
	}
	var from int64
	if !in.From.IsZero() {
		from = in.From.UnixMilli()
	}
	all, err := a.o.Store.Silences(ctx, in.Instance, from, asOf.UnixMilli()+1)
	if err != nil {
		return nil, a.answer(err, what)
	}
	body := SilencesBody{AsOf: asOf, Instance: in.Instance, Silences: []SilenceBody{}}
	for i := range all {
		s := &all[i]
		body.Silences = append(body.Silences, SilenceBody{string(s.Cause), instant(s.From), instant(s.To), float64(s.Length()) / 1000, s.Records, s.Reason, s.Host().String(), s.Provisional})
	}
	return &struct{ Body SilencesBody }{body}, nil
}
