package people

import "github.com/plimsoll/plimsoll/collector/words"

// Asker is how the visitor stands in what is asked for: a person by name,
// whether they came themselves or by a token.
func (v Visitor) Asker() string {
	if v.Name != "" {
		return v.Name
	}
	return v.Actor()
}

// FourEyes tells why the visitor may not approve what asker asked for; nil
// where nothing is missing. It takes a second person with a name and the role
// approver; an administrator is no exception.
func FourEyes(asker string, v Visitor) error {
	switch {
	case v.Name == "":
		return words.Refuse("refused.nameless", v.Actor())
	case v.Name == asker:
		return words.Refuse("refused.alone", v.Name)
	case !v.Role.atLeast(Approver):
		return words.Refuse("refused.role", v.Name)
	}
	return nil
}
