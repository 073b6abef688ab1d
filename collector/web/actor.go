package web

import (
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
)

// actor is who did something, as the reader calls them: people by their name,
// the software and those without a name in the reader's language.
func (v *visit) actor(name string) string {
	if name == ledger.Actor {
		return v.T("actor.software")
	}
	return people.Called(v.Book, name)
}
