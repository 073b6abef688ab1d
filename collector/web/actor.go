package web

import (
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
)

// actor is who did something, as the reader calls them: people by their name,
// the software and those without a name in the reader's language.
func (v *visit) actor(name string) string {
	switch name {
	case "":
		return ""
	case ledger.Actor:
		return v.T("actor.software")
	case people.ActorHost:
		return v.T("actor.host")
	case people.ActorAnybody:
		return v.T("actor.anybody")
	case people.ActorUnknown:
		return v.T("actor.unknown")
	}
	maker, token, ok := people.ByToken(name)
	switch {
	case ok && maker == "":
		return v.T("actor.token", token)
	case ok:
		return v.T("actor.by_token", maker, token)
	}
	return name
}
