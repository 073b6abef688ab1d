package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
)

// CatalogueVersion is one loaded text of the catalogue.
type CatalogueVersion struct {
	Number   int64 // 1, 2, 3 …
	Hash     string
	Source   string
	LoadedAt int64 // it holds from then until the next one
}

func catalogueSubject(number int64) string { return fmt.Sprintf("catalogue %d", number) }

func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// AddCatalogue keeps source as a new version, unless it is the newest one
// already; hash is the caller's own name for the text. It returns the version
// that holds now.
func (l *Ledger) AddCatalogue(ctx context.Context, source []byte, hash string, at int64) (version int64, added bool, err error) {
	err = l.inTx(ctx, "keep a catalogue version", func(tx *sql.Tx) error {
		var newest string
		err := tx.QueryRowContext(ctx, `SELECT number, hash FROM catalogues ORDER BY number DESC LIMIT 1`).Scan(&version, &newest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && newest == hash {
			return nil
		}
		version++
		added = true
		if _, err := tx.ExecContext(ctx, `INSERT INTO catalogues (number, hash, source, loaded_at) VALUES ($1, $2, $3, $4)`,
			version, hash, string(source), at); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: at, Actor: Actor, Action: "catalogue.loaded", Subject: catalogueSubject(version),
			Content: sourceHash(string(source)), Detail: hash})
	})
	return version, added, err
}

// Catalogue returns the newest version, ErrNotFound when there is none.
func (l *Ledger) Catalogue(ctx context.Context) (CatalogueVersion, error) {
	var c CatalogueVersion
	err := l.read.QueryRowContext(ctx, `SELECT number, hash, source, loaded_at FROM catalogues ORDER BY number DESC LIMIT 1`).
		Scan(&c.Number, &c.Hash, &c.Source, &c.LoadedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("read the catalogue: %w", ErrNotFound)
	}
	if err != nil {
		return c, fmt.Errorf("read the catalogue: %w", err)
	}
	return c, nil
}
