package collector

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/receive"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// Limits bound what one host, or anybody, may cost the collector. What each
// refuses is counted by reason.
type Limits struct {
	Body       settings.Size `yaml:"body"`        // one request as sent
	Decoded    settings.Size `yaml:"decoded"`     // the same decompressed; checked before memory is spent
	Ratio      int           `yaml:"ratio"`       // decoded to sent
	Samples    int           `yaml:"samples"`     // in one request
	Labels     int           `yaml:"labels"`      // of one series
	LabelName  settings.Size `yaml:"label_name"`  // one label name
	LabelValue settings.Size `yaml:"label_value"` // one label value
	LabelsSize settings.Size `yaml:"labels_size"` // all names and values of one series

	SeriesPerHost   int               `yaml:"series_per_host"`   // active in the last one to two hours
	NewSeries       int               `yaml:"new_series"`        // of a host in a minute, once it has brought series_per_host
	SeriesPerSender int               `yaml:"series_per_sender"` // active, of a foreign sender with all its hosts
	HostsPerSender  int               `yaml:"hosts_per_sender"`  // a foreign sender may bring
	Ahead           settings.Duration `yaml:"ahead"`             // of the collector's clock a sample may be, its host's clock corrected
	Behind          settings.Duration `yaml:"behind"`            // and how old

	Connections          int               `yaml:"connections"`            // open at once
	ConnectionsPerHost   int               `yaml:"connections_per_host"`   // with one certificate
	ConnectionsPerSender int               `yaml:"connections_per_sender"` // from one address without a certificate
	Handshakes           int               `yaml:"handshakes"`             // under way at once
	HandshakesPerAddress int               `yaml:"handshakes_per_address"` // of one address
	Inflight             settings.Size     `yaml:"inflight"`               // bytes of all requests being worked on, decoded
	InflightPerHost      settings.Size     `yaml:"inflight_per_host"`      // of those of one host or sender
	MinRate              settings.Size     `yaml:"min_rate"`               // at which a body must come, a second
	Header               settings.Duration `yaml:"header"`                 // within which the head of a request must come
}

func defaultLimits() Limits {
	b, c := batch.Defaults(), receive.DefaultBounds()
	return Limits{
		Body: settings.Size(b.CompressedBytes), Decoded: settings.Size(b.DecodedBytes), Ratio: b.Ratio, Samples: b.Samples, Labels: b.Labels,
		LabelName: settings.Size(b.NameBytes), LabelValue: settings.Size(b.ValueBytes), LabelsSize: settings.Size(b.SeriesBytes),
		SeriesPerHost: b.SeriesPerHost, NewSeries: b.NewSeries, SeriesPerSender: b.SeriesPerSender, HostsPerSender: b.HostsPerSender,
		Ahead: settings.Duration(b.Ahead), Behind: settings.Duration(b.Behind),
		Connections: c.Connections, ConnectionsPerHost: c.ConnectionsPerHost, ConnectionsPerSender: c.ConnectionsPerSender,
		Handshakes: c.Handshakes, HandshakesPerAddress: c.HandshakesPerAddress,
		Inflight: settings.Size(c.InflightBytes), InflightPerHost: settings.Size(c.InflightPerHost), MinRate: settings.Size(c.MinRate), Header: settings.Duration(c.Header),
	}
}

func (l *Limits) batch() batch.Limits {
	b := batch.Defaults() // Symbols is of no use to anybody
	b.CompressedBytes, b.DecodedBytes, b.Ratio, b.Samples, b.Labels = int(l.Body), int(l.Decoded), l.Ratio, l.Samples, l.Labels
	b.NameBytes, b.ValueBytes, b.SeriesBytes = int(l.LabelName), int(l.LabelValue), int(l.LabelsSize)
	b.SeriesPerHost, b.NewSeries, b.SeriesPerSender, b.HostsPerSender = l.SeriesPerHost, l.NewSeries, l.SeriesPerSender, l.HostsPerSender
	b.Ahead, b.Behind = l.Ahead.Std(), l.Behind.Std()
	return b
}

func (l *Limits) bounds() receive.Bounds {
	return receive.Bounds{Connections: l.Connections, ConnectionsPerHost: l.ConnectionsPerHost, ConnectionsPerSender: l.ConnectionsPerSender,
		Handshakes: l.Handshakes, HandshakesPerAddress: l.HandshakesPerAddress, InflightBytes: int64(l.Inflight),
		InflightPerHost: int64(l.InflightPerHost), MinRate: int(l.MinRate), Header: l.Header.Std()}
}

// check finds limits that are none, or that contradict each other.
func (l *Limits) check(doc *settings.Document) (faults settings.Faults) {
	fault := func(key, message, remedy string) { faults = append(faults, doc.Fault("limits."+key, message, remedy)) }
	const most = 1 << 30
	for _, n := range [...]struct {
		key   string
		value int64
	}{
		{"body", int64(l.Body)}, {"decoded", int64(l.Decoded)}, {"ratio", int64(l.Ratio)}, {"samples", int64(l.Samples)}, {"labels", int64(l.Labels)},
		{"label_name", int64(l.LabelName)}, {"label_value", int64(l.LabelValue)}, {"labels_size", int64(l.LabelsSize)},
		{"series_per_host", int64(l.SeriesPerHost)}, {"new_series", int64(l.NewSeries)}, {"series_per_sender", int64(l.SeriesPerSender)},
		{"hosts_per_sender", int64(l.HostsPerSender)}, {"connections", int64(l.Connections)}, {"connections_per_host", int64(l.ConnectionsPerHost)},
		{"connections_per_sender", int64(l.ConnectionsPerSender)}, {"handshakes", int64(l.Handshakes)}, {"handshakes_per_address", int64(l.HandshakesPerAddress)},
		{"inflight", int64(l.Inflight)}, {"inflight_per_host", int64(l.InflightPerHost)}, {"min_rate", int64(l.MinRate)},
	} {
		if n.value < 1 || n.value > most {
			fault(n.key, fmt.Sprintf("%d is not from 1 to %d", n.value, most), "leave it out for the default")
		}
	}
	for _, d := range [...]struct {
		key         string
		value       settings.Duration
		least, most time.Duration
	}{{"ahead", l.Ahead, time.Second, 24 * time.Hour}, {"behind", l.Behind, time.Hour, 10 * 365 * 24 * time.Hour}, {"header", l.Header, time.Second, time.Minute}} {
		if d.value.Std() < d.least || d.value.Std() > d.most {
			fault(d.key, fmt.Sprintf("%s is not from %s to %s", d.value, settings.Duration(d.least), settings.Duration(d.most)), "leave it out for the default")
		}
	}
	if l.Body > JournalRecord-(16<<10) {
		fault("body", "a body must fit into a record of the journal, which holds 8MiB with its envelope", "at most 8176KiB")
	}
	if l.InflightPerHost < l.Body+l.Decoded {
		fault("inflight_per_host", "one body of the largest size would never be taken", "at least body and decoded together, "+(l.Body+l.Decoded).String())
	}
	if l.Inflight < l.InflightPerHost {
		fault("inflight", "less than inflight_per_host", "at least "+l.InflightPerHost.String())
	}
	return faults
}
