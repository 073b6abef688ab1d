package web

import (
	"context"
	"net/url"

	"github.com/plimsoll/plimsoll/collector/people"
)

// decide approves or refuses the paper of the path's number, as its form says,
// and leads back to it below folder. kind names it where there is none.
func decide[P any](v *visit, folder, kind string, approve, refuse func(ctx context.Context, no, comment string, by people.Visitor) (P, error)) (string, error) {
	no, act := v.PathValue("no"), refuse
	if v.PostFormValue("decision") == "approve" {
		act = approve
	}
	_, err := act(v.Context(), no, v.PostFormValue("comment"), v.Visitor)
	return folder + url.PathEscape(no), v.missing(err, kind, no)
}
