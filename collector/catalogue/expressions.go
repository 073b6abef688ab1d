package catalogue

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// expression checks one expression of a resource as the engine reads it: it
// is PromQL, and its value is one that samples can have. What passes here does
// not stop a collector.
func (c *checker) expression(path, expr string) {
	if expr == "" {
		return // reported as missing
	}
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		c.fault(path, fmt.Sprintf("%q is not PromQL: %s", expr, promQLFault(err)), "")
		return
	}
	switch t := parsed.Type(); t {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
	case parser.ValueTypeMatrix:
		c.fault(path, fmt.Sprintf("%q is a range of samples", expr), "take one value of it, with rate(…) or max_over_time(…)")
	default:
		c.fault(path, fmt.Sprintf("%q is a %s", expr, parser.DocumentedType(t)), "write an expression that gives numbers, without quotes of its own")
	}
}

// promQLFault is the first fault the parser found, with its place in the
// expression and without a line: the one that counts is the file's.
func promQLFault(err error) string {
	var all parser.ParseErrors
	if !errors.As(err, &all) || len(all) == 0 || all[0].Err == nil {
		return err.Error()
	}
	return fmt.Sprintf("%v, at character %d", all[0].Err, int(all[0].PositionRange.Start)+1)
}
