package record

import "fmt"

// State is where a problem stands.
type State string

// The states of a problem.
const (
	New           State = "new"
	Assessing     State = "assessing"
	RootCause     State = "rca"
	KnownError    State = "known_error"
	FixInProgress State = "fix_in_progress"
	Resolved      State = "resolved"
	Closed        State = "closed"
	Duplicate     State = "duplicate"
	Rejected      State = "rejected"
	RiskAccepted  State = "risk_accepted"
)

// Next is the life cycle: the states a person may move a problem in s to,
// none at the end of its life.
func Next(s State) []State {
	switch s {
	case New:
		return []State{Assessing, Duplicate, Rejected, RiskAccepted}
	case Assessing:
		return []State{RootCause, KnownError, Resolved, Duplicate, Rejected, RiskAccepted}
	case RootCause:
		return []State{KnownError, FixInProgress, Resolved, Duplicate, Rejected, RiskAccepted}
	case KnownError:
		return []State{FixInProgress, RootCause, Resolved, RiskAccepted}
	case FixInProgress:
		return []State{Resolved, RootCause, KnownError, RiskAccepted}
	case Resolved:
		return []State{Closed, Assessing}
	case RiskAccepted:
		return []State{Assessing, Closed}
	}
	return nil // closed, duplicate, rejected: the end
}

// Known tells whether s is a state of a problem.
func (s State) Known() bool {
	switch s {
	case New, Assessing, RootCause, KnownError, FixInProgress, Resolved, Closed, Duplicate, Rejected, RiskAccepted:
		return true
	}
	return false
}

// Open tells whether people still have work with a problem in s.
func (s State) Open() bool {
	switch s {
	case New, Assessing, RootCause, KnownError, FixInProgress:
		return true
	}
	return false
}

// Holds tells whether a problem in s takes further breaches of its key: all
// but the ended ones. A resolved problem that repeats and an accepted risk
// that shows again are amended, no second record is opened beside them.
func (s State) Holds() bool {
	return s.Known() && s != Closed && s != Duplicate && s != Rejected
}

// Move checks one step of the life cycle.
func Move(from, to State) error {
	if !to.Known() {
		return fmt.Errorf("problem state %q does not exist", to)
	}
	allowed := Next(from)
	for _, s := range allowed {
		if s == to {
			return nil
		}
	}
	if len(allowed) == 0 {
		return fmt.Errorf("a problem that is %s cannot become %s: it has ended; a further breach opens a new one", from, to)
	}
	return fmt.Errorf("a problem that is %s cannot become %s: choose one of %v", from, to, allowed)
}

// Priority derives 1 (first) to 4 from impact and urgency, each 1 high to 3
// low; values outside are taken as the nearest inside.
//
//	           urgency 1   2   3
//	impact 1           1   2   3
//	impact 2           2   3   4
//	impact 3           3   4   4
func Priority(impact, urgency int) int {
	clamp := func(v int) int { return min(max(v, 1), 3) }
	return min(clamp(impact)+clamp(urgency)-1, 4)
}
