package web

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/words"
)

type reportsView struct {
	Customers []choice
	Period    string
	Langs     []langLink
	AsOf      string
	Command   string
}

type choice struct{ Value, Text string }

// customers lists whose services have an agreement.
func customers(c *availability.Catalogue) []string {
	var all []string
	for _, a := range c.Agreements {
		if s, ok := c.Service(a.Service); ok && !slices.Contains(all, s.Customer) {
			all = append(all, s.Customer)
		}
	}
	slices.Sort(all)
	return all
}

func (s *Site) reports(_ context.Context, v *visit) (string, any, error) {
	view := reportsView{Period: v.AsOf.In(v.Zone).Format("2006-01"), AsOf: v.Params.Get("as_of")}
	for _, c := range customers(s.Figures.Catalogue().Availability) {
		text := c
		if text == "" {
			text = v.T("customer.none")
		}
		view.Customers = append(view.Customers, choice{c, text})
	}
	for _, lang := range words.Languages() {
		view.Langs = append(view.Langs, langLink{Code: lang, Text: s.books[lang].T("language.name"), Here: lang == v.Lang})
	}
	name := "NAME"
	if len(view.Customers) > 0 && view.Customers[0].Value != "" {
		name = view.Customers[0].Value
	}
	view.Command = fmt.Sprintf("%s report --customer %s --period %s --format html --lang %s --out .", s.Program, ShellWord(name), view.Period, v.Lang)
	if s.Asked != nil {
		view.Command += " " + s.Asked()
	}
	return v.T("reports"), view, nil
}
