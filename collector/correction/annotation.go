package correction

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Categories are the kinds of cause an outage can have.
func Categories() []string {
	return []string{"capacity", "hardware", "software", "change", "human", "supplier", "environment", "unknown"}
}

// Annotation is what people know of an outage and machines cannot. It changes
// no figure. Each version is whole; the newest stands, all are shown.
type Annotation struct {
	Outage   int64  `json:"outage"`
	Cause    string `json:"cause"`
	Category string `json:"category"` // one of Categories; empty: not said
	Supplier string `json:"supplier"`
	Incident string `json:"incident"` // its number in the service desk's tool
	Comment  string `json:"comment"`
}

// Noted is one version of an annotation.
type Noted struct {
	Annotation
	Seq int64
	At  int64 // Unix milliseconds
	By  string
}

const maxLine = 200

func annotationNo(outage int64) string { return fmt.Sprintf("outage %d", outage) }

// Annotate keeps what is known of an outage now; an earlier version stays.
func (d *Desk) Annotate(ctx context.Context, a Annotation, v people.Visitor) error {
	for _, text := range []*string{&a.Cause, &a.Supplier, &a.Incident, &a.Comment} {
		*text = strings.TrimSpace(*text)
	}
	switch {
	case a.Cause+a.Category+a.Supplier+a.Incident+a.Comment == "":
		return words.Refuse("refused.annotation.empty")
	case a.Category != "" && !slices.Contains(Categories(), a.Category):
		return words.Refuse("refused.category", a.Category, strings.Join(Categories(), ", "))
	case len(a.Supplier) > maxLine || len(a.Incident) > maxLine || len(a.Cause) > maxText || len(a.Comment) > maxText:
		return words.Refuse("refused.reason.long", maxText)
	}
	if _, err := d.store.Outage(ctx, a.Outage); err != nil {
		return err
	}
	before, err := d.Annotations(ctx, a.Outage)
	if err != nil {
		return err
	}
	at, action := d.now().UnixMilli(), "annotation.added"
	if n := len(before); n > 0 {
		if before[n-1].Annotation == a {
			return words.Refuse("refused.annotation.same")
		}
		at, action = max(at, before[n-1].At), "annotation.amended"
	}
	return d.put(ctx, ledger.AnnotationPaper, annotationNo(a.Outage), int64(len(before))+1, at, v, action, a, "")
}

// Annotations are all versions about an outage, oldest first.
func (d *Desk) Annotations(ctx context.Context, outage int64) ([]Noted, error) {
	versions, err := d.store.Versions(ctx, ledger.AnnotationPaper, annotationNo(outage))
	if err != nil {
		return nil, err
	}
	out := make([]Noted, len(versions))
	for i, p := range versions {
		if err := p.Read(&out[i].Annotation); err != nil {
			return nil, err
		}
		out[i].Seq, out[i].At, out[i].By = p.Seq, p.At, p.By
	}
	return out, nil
}

// Causes are the annotations, as they stood at an instant, of those outages of
// the components that meet [from, to); all in Unix milliseconds.
func (d *Desk) Causes(ctx context.Context, components []string, from, to, at int64) ([]Annotation, error) {
	if len(components) == 0 {
		return nil, nil
	}
	outages, err := d.store.Outages(ctx, ledger.OutageFilter{Components: components, From: from, To: to})
	if err != nil {
		return nil, err
	}
	return d.standing(ctx, outages, at)
}

// Blamed are the annotations, as they stood at an instant, that name the
// supplier, of those outages that meet [from, to); all in Unix milliseconds.
// Capital and small letters are the same: people type the name.
func (d *Desk) Blamed(ctx context.Context, supplier string, from, to, at int64) ([]Annotation, error) {
	outages, err := d.store.Outages(ctx, ledger.OutageFilter{From: from, To: to})
	if err != nil {
		return nil, err
	}
	all, err := d.standing(ctx, outages, at)
	return slices.DeleteFunc(all, func(a Annotation) bool { return !strings.EqualFold(a.Supplier, supplier) }), err
}

// standing is the newest annotation at an instant of each of the outages, the
// oldest outage first.
func (d *Desk) standing(ctx context.Context, outages []ledger.Outage, at int64) ([]Annotation, error) {
	var out []Annotation
	for i := len(outages) - 1; i >= 0; i-- {
		noted, err := d.Annotations(ctx, outages[i].ID)
		if err != nil {
			return nil, err
		}
		for k := len(noted) - 1; k >= 0; k-- {
			if noted[k].At <= at {
				out = append(out, noted[k].Annotation)
				break
			}
		}
	}
	return out, nil
}
