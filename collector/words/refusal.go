package words

// Refusal is why something a person asked for was not done, and what would
// help: a text that each reader gets in their own language.
type Refusal struct {
	Key  string
	Args []any
}

// Refuse makes a refusal.
func Refuse(key string, args ...any) *Refusal { return &Refusal{key, args} }

// Error is the text in the default language, for logs and programs.
func (r *Refusal) Error() string {
	shelf, err := Read()
	if err != nil {
		return r.Key
	}
	return r.In(shelf.Choose("", ""))
}

// In is the text in the language of the book.
func (r *Refusal) In(b *Book) string { return b.T(r.Key, r.Args...) }
