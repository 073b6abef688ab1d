package receive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Sender is a foreign sender as the receiver needs it.
type Sender struct {
	ID       string // stable
	Name     string // observer of its facts
	Customer string
	Labels   string // given to its series, as batch.ParseRules reads them
}

// Senders knows the foreign senders. Its methods may be called concurrently.
type Senders interface {
	// Sender finds whom the token with that hash lets in. A token that lets
	// nobody in wraps ErrSenderToken. The answer is believed for
	// Options.HostTTL.
	Sender(ctx context.Context, tokenHash string) (Sender, error)
	// Names is under which name each instance of the sender is listed.
	Names(ctx context.Context, s Sender) (map[string]string, error)
	// List lists instances of the sender as hosts, durably.
	List(ctx context.Context, s Sender, instances []string) error
}

// ErrSenderToken is wrapped by what a Senders answers to a token that does not serve.
var ErrSenderToken = errors.New("token refused")

// maxToken bounds the text of a token, in bytes.
const maxToken = 256

// guest is a foreign sender the receiver has seen.
type guest struct {
	Sender
	member *member
	hash   string
	names  *batch.Names
	until  time.Time // believed until then
}

// lobby remembers for a while what Senders said.
type lobby struct {
	senders  Senders
	ttl      time.Duration
	now      func() time.Time
	maxHosts int
	m        *metrics

	mu     sync.Mutex
	guests map[string]*guest       // by hash of the token
	names  map[string]*batch.Names // by id of the sender, so that two tokens share them
}

func newLobby(opts *Options, m *metrics) *lobby {
	return &lobby{senders: opts.Senders, ttl: opts.HostTTL, now: opts.Now, maxHosts: opts.Limits.HostsPerSender, m: m,
		guests: map[string]*guest{}, names: map[string]*batch.Names{}}
}

// guest finds whom a token lets in. When the ledger cannot be asked, what was
// known before goes on.
func (l *lobby) guest(ctx context.Context, token string) (*guest, error) {
	hash := identity.HashSecret(token)
	l.mu.Lock()
	known := l.guests[hash]
	l.mu.Unlock()
	now := l.now()
	if known != nil && now.Before(known.until) {
		return known, nil
	}
	s, err := l.senders.Sender(ctx, hash)
	switch {
	case errors.Is(err, ErrSenderToken):
		l.mu.Lock()
		delete(l.guests, hash)
		l.mu.Unlock()
		return nil, err
	case err != nil && known == nil:
		return nil, fmt.Errorf("look up a sender: %w", err)
	case err != nil:
		s = known.Sender
	}
	fresh := &guest{Sender: s, member: l.m.member(Host{ID: s.ID, Instance: s.Name, Customer: s.Customer}), hash: hash, until: now.Add(l.ttl)}
	if fresh.names, err = l.read(ctx, s); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guests[hash] = fresh
	return fresh, nil
}

// read asks for the names of a sender's hosts. The same names are the same
// pointer: the decoder looks at every series anew when it changes.
func (l *lobby) read(ctx context.Context, s Sender) (*batch.Names, error) {
	listed, err := l.senders.Names(ctx, s)
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.names[s.ID]
	switch {
	case err != nil && known == nil:
		return nil, fmt.Errorf("look up the hosts of sender %s: %w", s.Name, err)
	case err != nil || known.Same(listed):
		return known, nil
	}
	names := batch.NewNames(listed, len(listed) >= l.maxHosts)
	l.names[s.ID] = names
	return names, nil
}

// list has the sender's instances listed, as many as there is room for.
func (l *lobby) list(ctx context.Context, g *guest, instances []string) (*guest, error) {
	room := max(0, l.maxHosts-g.names.Len())
	if err := l.senders.List(ctx, g.Sender, instances[:min(room, len(instances))]); err != nil {
		return nil, fmt.Errorf("list hosts of sender %s: %w", g.Name, err)
	}
	names, err := l.read(ctx, g.Sender)
	if err != nil {
		return nil, err
	}
	fresh := *g
	fresh.names = names
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guests[g.hash] = &fresh
	return &fresh, nil
}

// foreign takes a body of a foreign sender in.
func (r *Receiver) foreign(w http.ResponseWriter, req *http.Request) {
	g, refused := r.bearer(req)
	if refused != nil {
		w.Header().Set("Connection", "close") // whoever it is, its body is not read
		r.refuse(w, "", refused)
		return
	}
	kind, refused := bodyKind(req.Header)
	if refused != nil {
		r.refuse(w, g.Name, refused)
		return
	}
	leave, refused := r.penances.enter(req.Context(), g.ID)
	if refused != nil {
		r.refuse(w, g.Name, refused)
		return
	}
	defer func() { leave(refused.forEver()) }()
	buf := r.scratch()
	defer r.putScratch(buf)
	held, refused := r.readBody(w, req, g.ID, buf, r.opts.Limits.CompressedBytes)
	defer func() { r.budget.give(g.ID, held) }()
	if refused != nil {
		r.refuse(w, g.Name, refused)
		return
	}
	whole := r.opts.Now()
	env := wire.Envelope{Kind: wire.KindForeign1, Host: g.ID, Instance: g.Name, Customer: g.Customer, Labels: g.Labels, ReceivedAt: whole.UnixMilli()}
	if kind == wire.KindBatch2 {
		env.Kind = wire.KindForeign2
	}
	decoded, refused := r.take(req.Context(), env, buf, func(env wire.Envelope, body []byte) (*batch.Batch, error) {
		return r.decodeForeign(req.Context(), g, env, body)
	})
	if refused != nil {
		r.refuse(w, g.Name, refused)
		return
	}
	if decoded.Pos != 0 {
		g.member.batches.Inc()
		g.member.samples.Add(float64(len(decoded.Samples)))
		g.member.bytes.Add(float64(len(buf.body)))
	}
	r.m.ack.Observe(r.opts.Now().Sub(whole).Seconds())
	r.answer(w, g.Name, decoded)
}

// decodeForeign decodes a body, listing first the instances it is the first to
// bring.
func (r *Receiver) decodeForeign(ctx context.Context, g *guest, env wire.Envelope, body []byte) (*batch.Batch, error) {
	for tries := 0; ; tries++ {
		b, err := r.decoder.DecodeForeign(env, body, g.names)
		unlisted := new(batch.Unlisted)
		if !errors.As(err, &unlisted) {
			return b, err
		}
		if tries == 2 { // somebody removes hosts as fast as they are listed
			return nil, &unreachable{err}
		}
		fresh, err := r.lobby.list(ctx, g, unlisted.Instances)
		if err != nil {
			return nil, &unreachable{err}
		}
		g = fresh
	}
}

// unreachable is a body that could not be decoded because the ledger could
// not be asked.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }

// bearer is whom the request's token lets in.
func (r *Receiver) bearer(req *http.Request) (*guest, *refusal) {
	const remedy = `: make one with "plimsoll-collector sender create"`
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch {
	case r.opts.Senders == nil:
		return nil, &refusal{status: http.StatusNotFound, reason: "no_senders", text: "no foreign senders are let in here"}
	case !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken:
		return nil, &refusal{status: http.StatusUnauthorized, reason: "no_token", text: "a sender needs a token, as Authorization: Bearer TOKEN" + remedy}
	}
	g, err := r.lobby.guest(req.Context(), token)
	switch {
	case errors.Is(err, ErrSenderToken):
		r.tell("sender_token", "a foreign sender was refused (further ones are counted, not logged, for an hour)", "remote", req.RemoteAddr, "err", err)
		return nil, &refusal{status: http.StatusUnauthorized, reason: "sender_token", text: err.Error() + remedy}
	case err != nil:
		r.opts.Log.Error("look up a foreign sender", "err", err)
		return nil, &refusal{status: http.StatusServiceUnavailable, reason: "ledger", retry: 5, text: "the collector cannot look up senders now"}
	}
	return g, nil
}

// tell logs one of a kind an hour.
func (r *Receiver) tell(kind, text string, args ...any) {
	now := r.opts.Now()
	if last, ok := r.told.Load(kind); ok && now.Sub(last.(time.Time)) < time.Hour {
		return
	}
	r.told.Store(kind, now)
	r.opts.Log.Warn(text, args...)
}
