package evaluate

import (
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// question asks for the last fact before an instant inside a streak. Streaks
// do not keep the times of the facts between their ends, so the file is read
// once more for the answers.
type question struct {
	first, before int64
	answer        int64
}

// lookup answers the questions figures ask about facts inside streaks.
type lookup struct {
	collector *collector
	asked     bool
}

// ask is the availability.FactBefore of both evaluations: the first collects
// the questions, the second gets the answers.
func (l *lookup) ask(s availability.Streak, before int64) (int64, bool) {
	o := l.collector.things[s.Component].observers[s.Observer]
	i := sort.Search(len(o.questions), func(i int) bool { return o.questions[i].before >= before })
	if i < len(o.questions) && o.questions[i].before == before {
		return o.questions[i].answer, true
	}
	l.asked = true
	o.questions = append(o.questions, nil)
	copy(o.questions[i+1:], o.questions[i:])
	o.questions[i] = &question{first: s.First, before: before, answer: s.First}
	return s.First, false
}

// take takes a known row: it may be the last before the next question.
func (l *lookup) take(r *row) {
	if r.at >= l.collector.asOf || r.received > l.collector.asOf {
		return
	}
	o := l.collector.observerOf(r)
	if o == nil || len(o.questions) == 0 {
		return
	}
	i := sort.Search(len(o.questions), func(i int) bool { return o.questions[i].before > r.at })
	if i < len(o.questions) && o.questions[i].first <= r.at {
		o.questions[i].answer = max(o.questions[i].answer, r.at)
	}
}

// settle finishes the answers when all rows are taken: what was last before
// one question is also before the next one about the same streak.
func (l *lookup) settle() {
	for _, w := range l.collector.things {
		for _, o := range w.observers {
			for i := 1; i < len(o.questions); i++ {
				if before, q := o.questions[i-1], o.questions[i]; before.first == q.first {
					q.answer = max(q.answer, before.answer)
				}
			}
		}
	}
}
