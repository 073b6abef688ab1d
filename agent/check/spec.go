package check

import "time"

// Spec is a check as it is configured. Exactly one of the targets is set.
type Spec struct {
	Component string // what is tested, by the catalogue's name
	Name      string // which test of it; the kind unless given
	Interval  time.Duration
	Timeout   time.Duration // of one test; below Interval
	Slow      time.Duration // longer than this is degraded; 0 = never

	HTTP    string   // URL
	TCP     string   // host:port
	TLS     string   // host:port
	DNS     string   // name to ask for
	ICMP    string   // host
	Process string   // name of the program
	Unit    string   // systemd unit
	File    string   // path; the last element may be a pattern
	Script  []string // program, by absolute path, and its arguments; no shell

	Plugin    []string // program as Script; its exit status is Nagios'
	Heartbeat string   // name of a job that says itself that it ran

	Status   []int  // http: accepted status codes; empty = 200 to 299
	Contains string // http: text the body must contain; empty = any body
	NoFollow bool   // http: take a redirect as the answer

	Certificate Certificate // http, tls
	Lookup      Lookup      // dns
	Count       Count       // process
	Fresh       Fresh       // file
	Rhythm      Rhythm      // heartbeat
	Beats       *Beats      // heartbeat: where it is heard

	Roots Roots
	// Guard limits where a check may connect to that was assigned by the
	// collector; nil for one of the agent's own file, which may go anywhere.
	Guard *Guard
}

// Certificate is what a server's certificate must be like.
type Certificate struct {
	CA         string        // PEM file of the authorities to trust; empty = the system's
	ServerName string        // name it must carry; empty = the host of the target
	Warning    time.Duration // tls: less time left than this is degraded
	Critical   time.Duration // tls: less time left than this is down; 0 = only once it expired
}

// Lookup is what is asked of a name server.
type Lookup struct {
	Type    string   // A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT; empty = A
	Server  string   // host or host:port; empty = the first resolver of this host
	Answers []string // each must be among the answers; empty = any answer will do
}

// Count is how many processes there should be.
type Count struct {
	Min int // fewer is down
	Max int // more is degraded; 0 = no limit
}

// Fresh is what a file should be like.
type Fresh struct {
	MaxAge  time.Duration // since it was last written; 0 = any
	MinSize int64         // bytes; 0 = any
}

// Rhythm is when a job should say that it ran.
type Rhythm struct {
	Every time.Duration // from one beat to the next
	Grace time.Duration // how much later it may be
}

// Roots are where the host's files are seen from.
type Roots struct {
	Proc   string
	RootFS string
}

// Kinds lists the kinds of which the spec has a target: one, when it is right.
func (s Spec) Kinds() []string {
	var names []string
	for _, k := range kinds() {
		if k.target(&s) != "" {
			names = append(names, k.name)
		}
	}
	return names
}

// Kind is the first kind of which the spec has a target, "" without one.
func (s Spec) Kind() string {
	for _, k := range kinds() {
		if k.target(&s) != "" {
			return k.name
		}
	}
	return ""
}
