package people

import "github.com/plimsoll/plimsoll/collector/words"

// Called is an actor as the reader calls them: people by their name, those
// without one in the reader's language.
func Called(b *words.Book, actor string) string {
	switch actor {
	case "":
		return ""
	case ActorHost:
		return b.T("actor.host")
	case ActorAnybody:
		return b.T("actor.anybody")
	case ActorUnknown:
		return b.T("actor.unknown")
	}
	maker, token, ok := ByToken(actor)
	switch {
	case ok && maker == "":
		return b.T("actor.token", token)
	case ok:
		return b.T("actor.by_token", maker, token)
	}
	return actor
}
