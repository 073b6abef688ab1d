package web_test

import (
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// TestFunctionsOnPages: service page, overview, explanation and API give the
// same weighted figures, in both languages.
func TestFunctionsOnPages(t *testing.T) {
	s, server := open(t)
	all, err := s.Engine.Month(t.Context(), s.Now)
	if err != nil {
		t.Fatal(err)
	}
	var shop *availability.Figures
	for i := range all {
		if all[i].Service == "shop" {
			shop = &all[i]
		}
	}
	browse, pay := &shop.Functions[0], &shop.Functions[1]
	if *browse.Users != 500 || *pay.Users != 60 || *pay.Availability >= *browse.Availability || len(shop.Outages[0].Functions) == 0 {
		t.Fatalf("the seed's functions are of no use here: %+v", shop.Functions)
	}
	of := func(r *big.Rat) string { return strings.TrimSuffix(availability.Percent(r, 3), " %") }
	for _, row := range []struct{ path, lang, want string }{
		{"/services/shop", "en", of(shop.Exact.ByFunctions)},
		{"/services/shop", "en", of(shop.Exact.ByUsers)},
		{"/services/shop", "en", "functions hit: " + strings.Join(shop.Outages[0].Functions, ", ")},
		{"/services/shop", "zh-CN", "受影响的功能：" + strings.Join(shop.Outages[0].Functions, ", ")},
		{"/services/shop", "zh-CN", of(shop.Exact.ByUsers)},
		{"/services/shop/explain", "en", of(shop.Exact.ByFunctions)},
		{"/services/shop/explain?function=pay", "zh-CN", "<small>pay</small>"},
		{"/", "en", "As the users had it"},
		{"/", "zh-CN", "用户实际感受"},
	} {
		join := "?"
		if strings.Contains(row.path, "?") {
			join = "&"
		}
		status, _, body := get(t, server.URL+row.path+join+"lang="+row.lang)
		if status != http.StatusOK || !strings.Contains(body, row.want) {
			t.Errorf("%s in %s: status %d, without %q", row.path, row.lang, status, row.want)
		}
	}
	var answer struct {
		Customers []struct {
			Customer     string   `json:"customer"`
			Availability *float64 `json:"availability_by_users"`
			LostUserS    *float64 `json:"lost_user_s"`
		} `json:"customers"`
		Services []struct {
			Service string   `json:"service"`
			ByUsers *float64 `json:"availability_by_users"`
		} `json:"services"`
	}
	read(t, server.URL+"/api/v1/services", &answer)
	for _, c := range answer.Customers {
		switch c.Customer {
		case "acme": // of its services the shop alone has users
			if c.Availability == nil || *c.Availability != *shop.Availability || *c.LostUserS != *shop.LostUserS {
				t.Errorf("acme: %+v, want the shop's %v and %v", c, *shop.Availability, *shop.LostUserS)
			}
		default:
			if c.Availability != nil || c.LostUserS != nil {
				t.Errorf("%q has no users, and %v", c.Customer, *c.Availability)
			}
		}
	}
	for _, f := range answer.Services {
		if (f.ByUsers != nil) != (f.Service == "shop") {
			t.Errorf("%s by users: %v", f.Service, f.ByUsers)
		}
	}
}
