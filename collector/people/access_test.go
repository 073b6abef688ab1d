package people

import "testing"

// TestDenyByDefault: what is not listed, and who is not known, gets nowhere.
func TestDenyByDefault(t *testing.T) {
	table := Table{"GET /a": {Least: Viewer, Scope: Read}, "POST /a": {Least: Operator}, "GET /m": {Scope: Manage}, "GET /o": {Open: true}, "GET /none": {}}
	person := func(r Role) Visitor { return Visitor{Kind: Person, Role: r} }
	program := func(maker Role, s ...Scope) Visitor { return Visitor{Kind: Program, Role: maker, Scopes: s} }
	for _, c := range []struct {
		who   string
		v     Visitor
		allow string // the routes let in
	}{
		{"nobody", Visitor{}, "GET /o"},
		{"nobody who says it is an admin", Visitor{Role: Admin, Scopes: Scopes()}, "GET /o"},
		{"an unknown kind", Visitor{Kind: "spirit", Role: Admin}, "GET /o"},
		{"a person without role", person(""), "GET /o"},
		{"a role there is none of", person("owner"), "GET /o"},
		{"viewer", person(Viewer), "GET /a GET /o"},
		{"operator", person(Operator), "GET /a POST /a GET /o"},
		{"admin", person(Admin), "GET /a POST /a GET /o"},
		{"the host", Visitor{Kind: Host}, "GET /a POST /a GET /o"},
		{"anybody on loopback", Visitor{Kind: Anybody}, "GET /a POST /a GET /o"},
		{"a read token", program(Admin, Read), "GET /a GET /o"},
		{"an admin token", program(Admin, Manage), "GET /m GET /o"},
		{"an admin token whose maker is an operator now", program(Operator, Manage), "GET /o"},
		{"a token without scopes", program(Admin), "GET /o"},
	} {
		got := ""
		for _, route := range []string{"GET /a", "POST /a", "GET /m", "GET /o", "GET /none", "GET /unlisted"} {
			if table.Allows(route, c.v) {
				got += " " + route
			}
		}
		if got != " "+c.allow {
			t.Errorf("%s: got in at%s, want %s", c.who, got, c.allow)
		}
	}
}

// TestAccessIsComplete: each row names its walls, and a least role or Open.
func TestAccessIsComplete(t *testing.T) {
	for route, row := range Access() {
		if row.Customer == "" || row.Open == (row.Least != "") {
			t.Errorf("%s: %+v says not for whom", route, row)
		}
	}
}
