package people

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a user is here to do. Each role may do what the ones before it
// may; approving one's own request is refused elsewhere, whatever the role.
type Role string

// The roles, from the least to the most.
const (
	Viewer   Role = "viewer"   // looks
	Operator Role = "operator" // acknowledges, plans, lets hosts in
	Approver Role = "approver" // approves what others ask for
	Admin    Role = "admin"    // users and tokens
)

// Roles lists them from the least to the most.
func Roles() []Role { return []Role{Viewer, Operator, Approver, Admin} }

// ParseRole reads a role's name.
func ParseRole(text string) (Role, error) {
	if slices.Contains(Roles(), Role(text)) {
		return Role(text), nil
	}
	return "", &Refusal{fmt.Sprintf("%q is no role: viewer, operator, approver or admin", text)}
}

// atLeast tells whether r includes other.
func (r Role) atLeast(other Role) bool {
	return slices.Contains(Roles(), r) && slices.Index(Roles(), r) >= slices.Index(Roles(), other)
}

// Scope is what a token may be used for.
type Scope string

// The scopes. A token never does more than its maker may at that moment.
const (
	Read   Scope = "read"    // API, PromQL, metrics
	Enrol  Scope = "enrol"   // lets hosts in
	Plan   Scope = "plan"    // plans work, asks for corrections, annotates
	Decide Scope = "approve" // approves and refuses what others ask for
	Manage Scope = "admin"   // users and tokens
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{Read, Enrol, Plan, Decide, Manage} }

// needs is the least role whose user may make and use a token of that scope.
func (s Scope) needs() Role {
	switch s {
	case Read:
		return Viewer
	case Enrol, Plan:
		return Operator
	case Decide:
		return Approver
	}
	return Admin
}

// ParseScopes reads "read,enrol"; each once, in the order of Scopes.
func ParseScopes(text string) ([]Scope, error) {
	asked := map[Scope]bool{}
	for _, part := range strings.Split(text, ",") {
		s := Scope(strings.TrimSpace(part))
		if !slices.Contains(Scopes(), s) {
			return nil, &Refusal{fmt.Sprintf("%q is no scope: read, enrol, plan, approve or admin, several with commas", part)}
		}
		asked[s] = true
	}
	var out []Scope
	for _, s := range Scopes() {
		if asked[s] {
			out = append(out, s)
		}
	}
	return out, nil
}

// Refusal is a sentence for the one who asked.
type Refusal struct{ Text string }

func (r *Refusal) Error() string { return r.Text }
