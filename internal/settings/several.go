package settings

// Several is a list that may be written as its only element: 200 or [200, 204].
type Several[T any] []T

// ReadYAML reads one element or a list of them.
func (s *Several[T]) ReadYAML(c Cursor) {
	if c.Kind() != List {
		var one T
		c.Into(&one)
		*s = Several[T]{one}
		return
	}
	var list []T
	c.Into(&list)
	*s = list
}
