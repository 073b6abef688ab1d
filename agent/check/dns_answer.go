package check

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// answer is what a name server said.
type answer struct {
	code      dnsmessage.RCode
	truncated bool
	records   []string // of the type that was asked for, as zone files write them
}

// errNotOurs is a message that does not answer our question.
var errNotOurs = errors.New("the message does not answer the question")

// readAnswer reads a message as the answer to the question. What is not an
// answer to it is errNotOurs: anybody can send a datagram.
func readAnswer(msg []byte, id uint16, q dnsmessage.Question) (answer, error) {
	var p dnsmessage.Parser
	head, err := p.Start(msg)
	if err != nil || !head.Response || head.ID != id {
		return answer{}, errNotOurs
	}
	got := answer{code: head.RCode, truncated: head.Truncated}
	asked, err := p.AllQuestions()
	switch {
	case err != nil || len(asked) > 1:
		return answer{}, errNotOurs
	case len(asked) == 0 && head.RCode != dnsmessage.RCodeSuccess:
		return got, nil // some servers refuse without repeating the question
	case len(asked) == 0 || asked[0].Type != q.Type || asked[0].Class != q.Class || !sameRecord(asked[0].Name.String(), q.Name.String()):
		return answer{}, errNotOurs
	}
	if got.truncated {
		return got, nil // it is asked for again, whole
	}
	all, err := p.AllAnswers()
	if err != nil {
		return answer{}, fmt.Errorf("the answer cannot be read: %w", err)
	}
	for _, r := range all {
		if text := recordText(r.Body); r.Header.Type == q.Type && r.Header.Class == q.Class && text != "" {
			got.records = append(got.records, text)
		}
	}
	return got, nil
}

// recordText is a record as zone files write it, names without their final dot.
func recordText(body dnsmessage.ResourceBody) string {
	name := func(n dnsmessage.Name) string { return strings.TrimSuffix(n.String(), ".") }
	switch r := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(r.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(r.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return name(r.CNAME)
	case *dnsmessage.NSResource:
		return name(r.NS)
	case *dnsmessage.PTRResource:
		return name(r.PTR)
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", r.Pref, name(r.MX))
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, name(r.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d", name(r.NS), name(r.MBox), r.Serial)
	case *dnsmessage.TXTResource:
		return strings.Join(r.TXT, "")
	}
	return ""
}
