package report

// Model is a whole report, ready for any renderer.
type Model struct {
	Lang     string // BCP 47
	Title    string
	Subtitle string
	Mark     string // set apart above everything: what the document must not be taken for
	Cover    []Pair // what identifies the document: customer, period, as of …
	Sections []Section
	Footer   string
}

// Pair is one labelled text.
type Pair struct{ Label, Text string }

// Section is one numbered chapter.
type Section struct {
	Heading string
	Blocks  []Block
}

// Block is Heading, Text, KeyFigures, Table, Chart or Note.
type Block interface{ kind() string }

// Heading starts a part of a section.
type Heading struct{ Text string }

// Text is one paragraph.
type Text struct{ Text string }

// KeyFigures are a few values shown large.
type KeyFigures struct{ Items []KeyFigure }

// KeyFigure is one of them; State colours it (met, below_target, unacceptable, insufficient_data or empty).
type KeyFigure struct{ Label, Value, Note, State string }

// Table is rows of cells under named columns; without rows Empty is said.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]Cell
	Empty   string
}

// Column has a title; numbers are aligned to the right, instants and numbers
// of documents (Whole) break only where a cell has a newline, paths (Long)
// anywhere, so that they push no column off the page.
type Column struct {
	Title               string
	Number, Whole, Long bool
}

// Cell is a text; State marks it as in KeyFigure.
type Cell struct{ Text, State string }

// Chart is a drawing with its caption.
type Chart struct {
	Caption string
	SVG     string // made by internal/chart, which escapes
}

// Note is a remark set apart: what a reader must know before using a figure.
type Note struct{ Text string }

func (Heading) kind() string    { return "heading" }
func (Text) kind() string       { return "text" }
func (KeyFigures) kind() string { return "figures" }
func (Table) kind() string      { return "table" }
func (Chart) kind() string      { return "chart" }
func (Note) kind() string       { return "note" }

// cells makes a row of unmarked cells.
func cells(texts ...string) []Cell {
	row := make([]Cell, len(texts))
	for i, t := range texts {
		row[i].Text = t
	}
	return row
}

// columns makes columns from titles; one that begins with # holds numbers, one with @ is Whole, one with ~ Long.
func columns(titles ...string) []Column {
	all := make([]Column, len(titles))
	for i, t := range titles {
		switch {
		case t != "" && t[0] == '#':
			all[i] = Column{Title: t[1:], Number: true}
		case t != "" && t[0] == '@':
			all[i] = Column{Title: t[1:], Whole: true}
		case t != "" && t[0] == '~':
			all[i] = Column{Title: t[1:], Long: true}
		default:
			all[i] = Column{Title: t}
		}
	}
	return all
}
