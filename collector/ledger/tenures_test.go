package ledger

import (
	"database/sql"
	"fmt"
	"testing"
)

// TestTenures: a host has one from its enrolment on; removed in the very same
// millisecond, it has none.
func TestTenures(t *testing.T) {
	l := onSQLite(t)(t)
	ctx := t.Context()
	step := func(do string, want string) {
		t.Helper()
		got, err := l.Tenures(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, each := range got {
			text += fmt.Sprintf("%s %s %s %v %v;", each.Host, each.Instance, each.Customer, each.From == noon.UnixMilli(), each.Until-each.From)
		}
		if text != want {
			t.Errorf("%s: got %s, want %s", do, text, want)
		}
	}
	step("nothing", "")
	err := l.inTx(ctx, "test", func(tx *sql.Tx) error {
		_, err := listNew(ctx, tx, Host{ID: "h1", Instance: "web-1"}, &TokenState{Token: Token{Customer: "acme"}}, noon.UnixMilli())
		if err == nil {
			err = noteTenure(ctx, tx, "h1", noon.UnixMilli())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	step("enrolled", fmt.Sprintf("h1 web-1 acme true %d;", -noon.UnixMilli()))
	if err := l.RemoveHost(ctx, "h1", "li", "scrapped"); err != nil {
		t.Fatal(err)
	}
	step("removed", "")
}
