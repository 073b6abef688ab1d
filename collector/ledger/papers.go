package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Kinds of papers.
const (
	ChangePaper     = "change"
	AdjustmentPaper = "adjustment"
	AnnotationPaper = "annotation"
	ValuePaper      = "value" // of an indicator, entered by a person
)

// Paper is one version of something people write and amend, but never edit.
// It holds from At until the next version of the same No.
type Paper struct {
	Kind   string          `json:"kind"`
	No     string          `json:"no"`
	Seq    int64           `json:"seq"` // 1, 2, 3 … per Kind and No
	At     int64           `json:"at"`
	By     string          `json:"by"`
	Action string          `json:"action"` // for instance change.approved
	Body   json.RawMessage `json:"body"`
}

// Read decodes the body.
func (p *Paper) Read(into any) error {
	if err := json.Unmarshal(p.Body, into); err != nil {
		return fmt.Errorf("read %s: %w", paperSubject(p.Kind, p.No), err)
	}
	return nil
}

// ErrStale is returned for a version that does not follow the newest one:
// somebody else amended the paper meanwhile.
var ErrStale = errors.New("somebody changed it meanwhile; look at it again")

// DrawPaper draws a number for a new paper: name(1), name(2), … of a sequence,
// leaving out those that taken tells of (nil: none). Nothing is kept yet: a
// number that is drawn and not used is missing for ever.
func (l *Ledger) DrawPaper(ctx context.Context, sequence string, name func(n int64) string, taken func(no string) bool) (no string, err error) {
	err = l.inTx(ctx, "draw a number", func(tx *sql.Tx) error {
		for {
			n, err := nextNumber(ctx, tx, sequence)
			if err != nil {
				return err
			}
			if no = name(n); taken == nil || !taken(no) {
				return nil
			}
		}
	})
	return no, err
}

// PutPaper keeps p as the next version of its paper, in one transaction with
// its audit entry; detail is for the chain. ErrStale where p.Seq is not the
// next one.
func (l *Ledger) PutPaper(ctx context.Context, p Paper, detail string) error {
	return l.inTx(ctx, "keep "+p.Action+" of "+p.No, func(tx *sql.Tx) error {
		before, err := versionsOf(ctx, tx, p.Kind, p.No)
		if err != nil {
			return err
		}
		if p.Seq != int64(len(before))+1 || len(before) > 0 && p.At < before[len(before)-1].At {
			return ErrStale
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO papers (kind, no, seq, at, by_whom, action, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.Kind, p.No, p.Seq, p.At, p.By, p.Action, string(p.Body)); err != nil {
			return err
		}
		hash, err := contentHash(append(before, p))
		if err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: p.At, Actor: orSelf(p.By), Action: p.Action, Subject: paperSubject(p.Kind, p.No), Content: hash, Detail: detail})
	})
}

// paperSubject is how the audit chain names a paper.
func paperSubject(kind, no string) string { return kind + " " + no }

const selectPapers = `SELECT kind, no, seq, at, by_whom, action, body FROM papers `

func scanPaper(s scanner) (p Paper, err error) {
	var body string
	err = s.Scan(&p.Kind, &p.No, &p.Seq, &p.At, &p.By, &p.Action, &body)
	p.Body = json.RawMessage(body)
	return p, err
}

func versionsOf(ctx context.Context, q querier, kind, no string) ([]Paper, error) {
	rows, err := q.QueryContext(ctx, selectPapers+`WHERE kind = $1 AND no = $2 ORDER BY seq`, kind, no)
	return collect(rows, err, scanPaper)
}

// Versions are all versions of one paper, oldest first; none where there is
// no such paper.
func (l *Ledger) Versions(ctx context.Context, kind, no string) ([]Paper, error) {
	out, err := versionsOf(ctx, l.read, kind, no)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", paperSubject(kind, no), err)
	}
	return out, nil
}

// Papers are all papers of a kind in the version that held at an instant, by number.
func (l *Ledger) Papers(ctx context.Context, kind string, at int64) ([]Paper, error) {
	rows, err := l.read.QueryContext(ctx, selectPapers+`AS p WHERE kind = $1 AND seq =
		(SELECT max(seq) FROM papers AS n WHERE n.kind = p.kind AND n.no = p.no AND n.at <= $2) ORDER BY no`, kind, at)
	out, err := collect(rows, err, scanPaper)
	if err != nil {
		return nil, fmt.Errorf("read the papers of kind %s: %w", kind, err)
	}
	return out, nil
}

// PaperCount is how many versions of papers there are: it grows with every
// change of one, so what was made of them stands as long as it is the same.
func (l *Ledger) PaperCount(ctx context.Context) (n int64, err error) {
	if err := l.read.QueryRowContext(ctx, `SELECT count(*) FROM papers`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the papers: %w", err)
	}
	return n, nil
}

// paperContents hashes each paper with all its versions.
func paperContents(ctx context.Context, q querier) ([]content, error) {
	rows, err := q.QueryContext(ctx, selectPapers+`ORDER BY kind, no, seq`)
	all, err := collect(rows, err, scanPaper)
	if err != nil {
		return nil, err
	}
	var out []content
	for begin, i := 0, 1; i <= len(all); i++ {
		if i < len(all) && all[i].Kind == all[begin].Kind && all[i].No == all[begin].No {
			continue
		}
		hash, err := contentHash(all[begin:i])
		if err != nil {
			return nil, err
		}
		out = append(out, content{paperSubject(all[begin].Kind, all[begin].No), hash})
		begin = i
	}
	return out, nil
}
