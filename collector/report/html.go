package report

import (
	"crypto/sha256"
	_ "embed" // the template and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html
var page string

//go:embed report.css
var style string

// HTML writes m as one self-contained document: style inside, nothing loaded
// from elsewhere, A4 when printed.
func HTML(w io.Writer, m *Model) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"kind":    func(b Block) string { return b.kind() },
		"drawing": func(c Chart) template.HTML { return template.HTML(c.SVG) }, // escaped by internal/chart
		"number":  func(i int) int { return i + 1 },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("parse the report's template: %w", err)
	}
	data := struct {
		*Model
		Style template.CSS
	}{m, template.CSS(style)}
	if err := t.Execute(w, data); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// ContentSecurityPolicy allows the document its own style and nothing else.
func ContentSecurityPolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
}
