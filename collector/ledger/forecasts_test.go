package ledger

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// forecastOnce: the first forecast of a service's month stays, also in a race
// and after a restart, and the chain proves it.
func forecastOnce(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	of := func(service, month, body string) Forecast {
		return Forecast{Service: service, Month: month, Agreement: "SLA-1", Version: 1, BeginsAt: 100, EndsAt: 200, MadeAt: 101, Body: json.RawMessage(body)}
	}
	for i, step := range []struct {
		add  []Forecast
		want int
	}{
		{[]Forecast{of("shop", "2026-10", `{"p50":0.9}`), of("shop", "2026-10", `{"p50":0.1}`)}, 1}, // twice in one pass
		{[]Forecast{of("shop", "2026-10", `{"p50":0.2}`)}, 0},                                       // again
		{[]Forecast{of("shop", "2026-11", `{"p50":0.8}`), of("bank", "2026-10", `{"p50":0.7}`)}, 2},
	} {
		if n, err := l.AddForecasts(ctx, step.add); err != nil || n != step.want {
			t.Errorf("step %d: added %d, %v, want %d", i, n, err, step.want)
		}
	}
	must(t, l.Close())
	l = open(t)
	if n, err := l.AddForecasts(ctx, []Forecast{of("shop", "2026-10", `{"p50":0.3}`)}); err != nil || n != 0 {
		t.Errorf("after a restart: added %d, %v", n, err)
	}
	found, err := l.Forecasts(ctx, "shop")
	if err != nil || len(found) != 2 || found[0].Month != "2026-11" || string(found[1].Body) != `{"p50":0.9}` {
		t.Errorf("got %+v, %v", found, err)
	}
	if months, err := l.ForecastMonths(ctx); err != nil || !months["bank"]["2026-10"] || months["bank"]["2026-11"] {
		t.Errorf("months %v, %v", months, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("chain: %v %v", v.Faults, err)
	}
	if _, err := l.write.ExecContext(ctx, `UPDATE forecasts SET body = '{"p50":0.99}' WHERE service = 'bank'`); err != nil {
		t.Fatal(err)
	}
	if v, err := l.Verify(ctx); err != nil || !strings.Contains(strings.Join(v.Faults, "\n"), `forecast of "bank" for 2026-10 differs`) {
		t.Errorf("faults %v %v, want the forecast named", v.Faults, err)
	}
}
