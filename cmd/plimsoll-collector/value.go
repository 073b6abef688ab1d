package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type valueCmd struct {
	Enter valueEnterCmd `cmd:"" help:"Enter the value of an indicator of kind manual, such as satisfaction, for a month. Amended by a newer one, never edited."`
	List  valueListCmd  `cmd:"" help:"What was entered for an indicator and month; the last one stands."`
}

// valueOf names a value.
type valueOf struct {
	Agreement string `help:"Number of the agreement." required:"" placeholder:"NUMBER"`
	Indicator string `help:"Name of its indicator." required:"" placeholder:"NAME"`
	Period    string `help:"Month, as 2026-10." required:"" placeholder:"YYYY-MM"`
}

// values are all versions of a value as the API tells them.
type values struct {
	Versions []struct {
		Seq            int64
		At             time.Time
		By             string
		Value, Comment string
	}
}

func (v *values) print() error {
	return table("ENTRY\tAT\tBY\tVALUE\tCOMMENT", len(v.Versions), func(i int) []string {
		n := &v.Versions[i]
		return []string{strconv.FormatInt(n.Seq, 10), n.At.UTC().Format("2006-01-02 15:04:05 UTC"), n.By, n.Value, n.Comment}
	})
}

type valueEnterCmd struct {
	asking
	valueOf
	Value   string `help:"A number, as 4.5." required:"" placeholder:"NUMBER"`
	Comment string `help:"Where it comes from."`
}

func (c *valueEnterCmd) Run(ctx context.Context) error {
	var all values
	err := c.fetch(ctx, http.MethodPost, "/api/v1/values",
		map[string]string{"agreement": c.Agreement, "indicator": c.Indicator, "period": c.Period, "value": c.Value, "comment": c.Comment}, &all)
	if err != nil {
		return err
	}
	return all.print()
}

type valueListCmd struct {
	asking
	valueOf
}

func (c *valueListCmd) Run(ctx context.Context) error {
	var all values
	q := url.Values{"agreement": {c.Agreement}, "indicator": {c.Indicator}, "period": {c.Period}}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/values?"+q.Encode(), nil, &all); err != nil {
		return err
	}
	return all.print()
}
