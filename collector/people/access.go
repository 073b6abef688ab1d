package people

// Walls is what a customer's own view of a route will be: customers are walls
// (not enforced yet: every user sees all customers).
type Walls string

// What customer walls do to a route.
const (
	Within  Walls = "within"  // answers only what belongs to the visitor's customers
	Nothing Walls = "nothing" // holds nothing of any customer
	Outside Walls = "outside" // for visitors of all customers only
)

// Row says who may use one route.
type Row struct {
	Route    string // as registered: "GET /hosts/{instance}"
	Least    Role   // least role of a person; empty: no person
	Scope    Scope  // scope a program needs; empty: no program
	Open     bool   // to everybody, known or not
	Customer Walls
}

// Table is who may use what. A route that is not in it is for nobody.
type Table map[string]Row

// Allows tells whether v may use the route.
func (t Table) Allows(route string, v Visitor) bool {
	row, listed := t[route]
	switch {
	case !listed:
		return false
	case row.Open:
		return true
	case v.Kind == Program:
		return row.Scope != "" && v.has(row.Scope)
	}
	return row.Least != "" && v.role().atLeast(row.Least)
}

// Access is the whole of it: one row for each route of the people's listener.
func Access() Table {
	t := Table{}
	for _, r := range []Row{
		// Pages.
		{Route: "GET /{$}", Least: Viewer, Customer: Within},
		{Route: "GET /services/{name}", Least: Viewer, Customer: Within},
		{Route: "GET /services/{name}/explain", Least: Viewer, Customer: Within},
		{Route: "GET /suppliers", Least: Viewer, Customer: Within},
		{Route: "GET /suppliers/{name}", Least: Viewer, Customer: Within},
		{Route: "GET /exceptions", Least: Viewer, Customer: Outside},
		{Route: "GET /hosts", Least: Viewer, Customer: Within},
		{Route: "GET /hosts/{instance}", Least: Viewer, Customer: Within},
		{Route: "GET /outages/{id}", Least: Viewer, Customer: Within},
		{Route: "GET /maintenance", Least: Viewer, Customer: Within},
		{Route: "GET /maintenance/{no}", Least: Viewer, Customer: Within},
		{Route: "GET /corrections", Least: Viewer, Customer: Within},
		{Route: "GET /corrections/{no}", Least: Viewer, Customer: Within},
		{Route: "GET /problems", Least: Viewer, Customer: Within},
		{Route: "GET /problems/{no}", Least: Viewer, Customer: Within},
		{Route: "GET /reports", Least: Viewer, Customer: Within},
		{Route: "GET /periods", Least: Viewer, Customer: Within},
		{Route: "/", Least: Viewer, Customer: Nothing},
		{Route: "GET /static/", Open: true, Customer: Nothing},
		// What a person does.
		{Route: "POST /periods", Least: Approver, Customer: Within},
		{Route: "POST /actions/{name}", Least: Operator, Customer: Outside},
		{Route: "POST /outages/{id}/annotations", Least: Operator, Customer: Within},
		{Route: "POST /services/{name}/values", Least: Operator, Customer: Within},
		{Route: "GET /maintenance/new", Least: Operator, Customer: Outside},
		{Route: "POST /maintenance", Least: Operator, Customer: Outside},
		{Route: "POST /maintenance/{no}/decide", Least: Approver, Customer: Outside},
		{Route: "POST /maintenance/{no}/cancel", Least: Operator, Customer: Outside},
		{Route: "GET /corrections/new", Least: Operator, Customer: Outside},
		{Route: "POST /corrections", Least: Operator, Customer: Outside},
		{Route: "POST /corrections/{no}/decide", Least: Approver, Customer: Outside},
		// One's own account.
		{Route: "GET /login", Open: true, Customer: Nothing},
		{Route: "POST /login", Open: true, Customer: Nothing},
		{Route: "GET /setup", Open: true, Customer: Nothing},
		{Route: "POST /setup", Open: true, Customer: Nothing},
		{Route: "POST /logout", Open: true, Customer: Nothing},
		{Route: "GET /account", Least: Viewer, Customer: Nothing},
		{Route: "POST /account/password", Least: Viewer, Customer: Nothing},
		{Route: "POST /account/sign-out", Least: Viewer, Customer: Nothing},
		// The API.
		{Route: "/api/", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/services", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/services/{name}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/services/{name}/outlook", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/services/{name}/explain", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/services/{name}/explain.csv", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/suppliers", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/suppliers/{name}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/hosts", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/damage", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/hosts/{instance}/silences", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/outages", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/outages/{id}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/outages/{id}/annotations", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/outages/{id}/annotations", Least: Operator, Scope: Plan, Customer: Within},
		{Route: "GET /api/v1/changes", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/changes", Least: Operator, Scope: Plan, Customer: Outside},
		{Route: "GET /api/v1/changes/{no}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/changes/{no}/approve", Least: Approver, Scope: Decide, Customer: Outside},
		{Route: "POST /api/v1/changes/{no}/reject", Least: Approver, Scope: Decide, Customer: Outside},
		{Route: "POST /api/v1/changes/{no}/cancel", Least: Operator, Scope: Plan, Customer: Outside},
		{Route: "GET /api/v1/maintenance.ics", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/adjustments", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/adjustments", Least: Operator, Scope: Plan, Customer: Outside},
		{Route: "GET /api/v1/adjustments/{no}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/adjustments/{no}/approve", Least: Approver, Scope: Decide, Customer: Outside},
		{Route: "POST /api/v1/adjustments/{no}/refuse", Least: Approver, Scope: Decide, Customer: Outside},
		{Route: "GET /api/v1/values", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/values", Least: Operator, Scope: Plan, Customer: Within},
		{Route: "GET /api/v1/problems", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/problems/{no}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/facts.csv", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/catalogue", Least: Viewer, Scope: Read, Customer: Outside},
		{Route: "GET /api/v1/report", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/periods", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /api/v1/periods/{period}/versions/{version}", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "POST /api/v1/periods/{period}/close", Least: Approver, Customer: Within},
		{Route: "POST /api/v1/periods/{period}/decide", Least: Approver, Customer: Within},
		{Route: "POST /api/v1/periods/check", Least: Approver, Customer: Outside},
		{Route: "GET /api/v1/audit/verify", Least: Viewer, Scope: Read, Customer: Outside},
		{Route: "POST /api/v1/enrol-tokens", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "GET /api/v1/enrol-tokens", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "DELETE /api/v1/enrol-tokens/{id}", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "POST /api/v1/senders", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "GET /api/v1/senders", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "DELETE /api/v1/senders/{name}", Least: Operator, Scope: Enrol, Customer: Outside},
		{Route: "POST /api/v1/hosts/{instance}/revoke", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "GET /api/v1/authorities", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "POST /api/v1/catalogue/reload", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "POST /api/v1/authorities/rotate", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "POST /api/v1/authorities/retire", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "GET /api/v1/users", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "POST /api/v1/users", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "PATCH /api/v1/users/{name}", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "GET /api/v1/tokens", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "POST /api/v1/tokens", Least: Admin, Scope: Manage, Customer: Outside},
		{Route: "DELETE /api/v1/tokens/{id}", Least: Admin, Scope: Manage, Customer: Outside},
		// Its description.
		{Route: "GET /api/v1/openapi.json", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/openapi.yaml", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/openapi-3.0.json", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/openapi-3.0.yaml", Least: Viewer, Scope: Read, Customer: Nothing},
		{Route: "GET /api/v1/schemas/{schema}", Least: Viewer, Scope: Read, Customer: Nothing},
		// PromQL, and the collector's own metrics and health.
		{Route: "/prometheus/api/v1/", Least: Viewer, Scope: Read, Customer: Within},
		{Route: "GET /metrics", Least: Viewer, Scope: Read, Customer: Outside},
		{Route: "GET /-/healthy", Open: true, Customer: Nothing},
		{Route: "GET /-/ready", Open: true, Customer: Nothing},
	} {
		t[r.Route] = r
	}
	return t
}
