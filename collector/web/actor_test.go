package web

import (
	"testing"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestActors: who has no name of their own is called in the reader's language,
// whoever acted; people and tokens keep theirs.
func TestActors(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, english, chinese string }{
		{ledger.Actor, "Plimsoll itself", "系统自动（Plimsoll）"},
		{people.Visitor{Kind: people.Host}.Actor(), "the host's administrator", "本机管理员"},
		{people.Visitor{Kind: people.Anybody}.Actor(), "somebody on this host, without login", "本机用户（未登录）"},
		{people.Visitor{}.Actor(), "somebody unknown", "身份未知者"},
		{people.Visitor{Kind: people.Program, Token: "ci"}.Actor(), "token ci", "令牌 ci"},
		{people.Visitor{Kind: people.Program, Name: "li", Token: "ci"}.Actor(), "li by token ci", "li（经令牌 ci）"},
		{people.Visitor{Kind: people.Person, Name: "王芳"}.Actor(), "王芳", "王芳"},
		{"", "", ""},
	} {
		for lang, want := range map[string]string{"en": c.english, "zh-CN": c.chinese} {
			v := &visit{Book: shelf.Choose(lang, "")}
			if got := v.actor(c.name); got != want {
				t.Errorf("%q in %s: %q, want %q", c.name, lang, got, want)
			}
		}
	}
}
