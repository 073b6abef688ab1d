package wire

// Checks are what the collector's catalogue asks of one host. It travels as
// JSON; keys and the form of their values are those of the checks in an
// agent's own file, so that one reader and one list of faults serve both.
type Checks struct {
	Checks []AssignedCheck `json:"checks"`
}

// MaxChecks bounds encoded Checks, in bytes.
const MaxChecks = 256 << 10

// AssignedCheck is one test. It names one target, over the network alone:
// there is no field for a program, a process, a unit or a path, and an agent
// refuses a check that names one.
type AssignedCheck struct {
	Component  string          `json:"component"`
	Check      string          `json:"check,omitempty"`
	HTTP       string          `json:"http,omitempty"` // URL
	TCP        string          `json:"tcp,omitempty"`  // host:port
	TLS        string          `json:"tls,omitempty"`  // host:port
	DNS        string          `json:"dns,omitempty"`  // name
	ICMP       string          `json:"icmp,omitempty"` // host
	Interval   string          `json:"interval,omitempty"`
	Timeout    string          `json:"timeout,omitempty"`
	Slow       string          `json:"slow,omitempty"`
	ServerName string          `json:"server_name,omitempty"`
	Type       string          `json:"type,omitempty"`
	Server     string          `json:"server,omitempty"`
	Expect     *AssignedExpect `json:"expect,omitempty"`
}

// AssignedExpect is what the answer must be like.
type AssignedExpect struct {
	Status    []int    `json:"status,omitempty"`
	Contains  string   `json:"contains,omitempty"`
	Redirects *bool    `json:"redirects,omitempty"`
	Warning   string   `json:"warning,omitempty"`
	Critical  string   `json:"critical,omitempty"`
	Answers   []string `json:"answers,omitempty"`
}

// Target is the kind of the check and what it tests, for people.
func (c *AssignedCheck) Target() string {
	for _, t := range [...][2]string{{"http", c.HTTP}, {"tcp", c.TCP}, {"tls", c.TLS}, {"dns", c.DNS}, {"icmp", c.ICMP}} {
		if t[1] != "" {
			return t[0] + " " + t[1]
		}
	}
	return "nothing"
}
