package quickstart

import (
	"fmt"
	"strings"
	"time"
)

// additions are what the demonstration puts into the first catalogue, by section.
type additions struct{ calendars, components, services, agreements, after string }

// demoCatalogue is what the two customers were promised.
func demoCatalogue(now time.Time) additions {
	before, last, _ := months(now)
	from := before.Format(time.RFC3339)
	u := theUpgrade(last)
	var a additions
	a.calendars = `calendars:
  northwind-office:
    zone: ` + zoneNorthwind + `
    week: {mon-fri: ["07:00-19:00"]}
    closed: [` + strings.Join(eachYear(now, "%d-01-01", "%d-05-01", "%d-10-03", "%d-12-25/%[1]d-12-26"), ", ") + `]
  pujiang-office:                 # Chinese public holidays and the workdays that make up for them
    zone: ` + zonePujiang + `
    week: {mon-fri: ["08:30-12:00", "13:30-18:00"]}
    holidays: [cn-2026]           # comes with the program
    closed: [` + strings.Join(holidays(now), ", ") + `]

`
	var b strings.Builder
	b.WriteString("  # Simulated, of the demonstration:\n")
	for _, h := range demoHosts() {
		fmt.Fprintf(&b, "  - {name: %s, interval: 1m}\n", h.Name)
	}
	for _, c := range demoChecks() {
		fmt.Fprintf(&b, "  - {name: %s, interval: 1m}\n", c.Component)
	}
	a.components = b.String()
	a.services = fmt.Sprintf(`  # Simulated, of the demonstration:
  - {name: online-shop, customer: %[2]q, users: 1200, functions: [{name: browse, needs: {all_of: [{any_of: [shop-web-1, shop-web-2]}, shop-database]}}, order, {name: pay, weight: 3, users: 300, needs: [shop-database, payment-gateway]}], needs: {all_of: [{any_of: [shop-web-1, shop-web-2]}, shop-database, payment-gateway]}, from: %[1]q}
  - {name: warehouse, customer: %[2]q, users: 40, functions: [picking], needs: {all_of: [warehouse-app, shop-database]}, from: %[1]q}
  - {name: 订单系统, customer: %[3]q, users: 800, functions: [下单, {name: 支付, weight: 3, users: 260}], needs: {all_of: [order-app, order-database]}, from: %[1]q}
  - {name: 文件共享, customer: %[3]q, users: 150, functions: [办公文件], needs: {all_of: [file-share]}, from: %[1]q}
`, from, northwind, pujiang)
	b.Reset()
	for _, g := range [...]struct {
		number, service, zone, calendar, target, bad string
		names                                        [3]string
	}{
		{"NW-2026-01", "online-shop", zoneNorthwind, "always", "99.9%", "99.7%", [3]string{"availability", "repair time", "outages"}},
		{"NW-2026-02", "warehouse", zoneNorthwind, "northwind-office", "99.5%", "99%", [3]string{"availability", "repair time", "outages"}},
		{"PJ-2026-001", "订单系统", zonePujiang, "always", "99.9%", "99.5%", [3]string{"可用率", "平均恢复时间", "中断次数"}},
		{"PJ-2026-002", "文件共享", zonePujiang, "pujiang-office", "99.5%", "98%", [3]string{"可用率", "平均恢复时间", "中断次数"}},
	} {
		fmt.Fprintf(&b, `  - number: %s
    version: 1
    service: %s
    zone: %s
    calendar: %s
    policies: {planned: exclude, unknown: exclude, degraded: up, before_existence: exclude}
    planned: {notice: 24h, cap: 8h/month}
    coverage_limit: 95%%
    indicators:
      - {name: %s, kind: availability, target: %s, unacceptable: %s, period: month}
      - {name: %s, kind: mttr, target: 45m, unacceptable: 2h, period: month}
      - {name: %s, kind: outages, target: 2, period: month}
`, g.number, g.service, g.zone, g.calendar, g.names[0], g.target, g.bad, g.names[1], g.names[2])
	}
	a.agreements = b.String()
	a.after = fmt.Sprintf(`
maintenance:
  - {change: CHG-2026-0117, services: [订单系统], from: %q, to: %q, approved_at: %q}
suppliers:
  - name: Clearway Payments
    contract: UC-2026-04
    zone: %s
    effective: {from: %q}
    components: [payment-gateway]
    indicators:
      - {name: availability, target: 99.95%%, unacceptable: 99.9%%}
      - {name: repair time, kind: mttr, target: 30m, unacceptable: 2h}
exceptions:
  - {resource: filesystem, match: {instance: "nw-web-.*", mountpoint: /var/log}, warning: 90%%, critical: 95%%, reason: logs are thrown away on Sundays}
`, u.from.Format(time.RFC3339), u.agreed.Format(time.RFC3339), u.approved.Format(time.RFC3339), zoneNorthwind, from)
	return a
}

// eachYear fills the forms with the years the demonstration touches.
func eachYear(now time.Time, forms ...string) (days []string) {
	before, _, _ := months(now)
	for year := before.Year(); year <= now.Year(); year++ {
		for _, form := range forms {
			days = append(days, fmt.Sprintf("%q", fmt.Sprintf(form, year)))
		}
	}
	return days
}

// holidays are those of China whose date is fixed, of the years that the
// demonstration touches and no shipped year has.
func holidays(now time.Time) (days []string) {
	before, _, _ := months(now)
	for year := before.Year(); year <= now.Year(); year++ {
		if year != 2026 {
			days = append(days, fmt.Sprintf(`"%d-01-01"`, year), fmt.Sprintf(`"%[1]d-05-01/%[1]d-05-05"`, year), fmt.Sprintf(`"%[1]d-10-01/%[1]d-10-07"`, year))
		}
	}
	return days
}
