package quickstart

import (
	"math"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/internal/simulate"
)

// Steps of what is measured besides availability. Rates want two values in
// five minutes, the others one.
const (
	rateStep  = 2 * 60_000 // ms
	levelStep = 4 * 60_000
)

// machine is what a simulated host is like.
type machine struct {
	cores      int
	memory     float64 // bytes
	busy       float64 // share of its cores in the busiest hour of a workday
	used       float64 // share of its memory, without caches
	mount      string  // of its data
	size       float64 // bytes
	fill, grow float64 // share of it that is used at the beginning, and more each day
	zone       string
}

const gib = 1 << 30

func machines() map[string]machine {
	return map[string]machine{
		"nw-web-1": {2, 8 * gib, 0.55, 0.42, "/var/log", 40 * gib, 0.31, 0.0004, zoneNorthwind},
		"nw-web-2": {2, 8 * gib, 0.52, 0.40, "/var/log", 40 * gib, 0.29, 0.0004, zoneNorthwind},
		"nw-app-1": {4, 16 * gib, 0.46, 0.58, "/srv", 120 * gib, 0.48, 0.0008, zoneNorthwind},
		"nw-db-1":  {4, 32 * gib, 0.61, 0.71, "/var/lib/postgresql", 200 * gib, 0.72, 0.0075, zoneNorthwind},
		"pj-app-1": {2, 8 * gib, 0.58, 0.49, "/var/log", 40 * gib, 0.35, 0.0006, zonePujiang},
		"pj-app-2": {2, 8 * gib, 0.54, 0.47, "/var/log", 40 * gib, 0.33, 0.0006, zonePujiang},
		"pj-db-1":  {4, 32 * gib, 0.63, 0.66, "/var/lib/mysql", 250 * gib, 0.44, 0.0012, zonePujiang},
		"pj-nas-1": {2, 4 * gib, 0.24, 0.35, "/srv/share", 2000 * gib, 0.66, 0.0012, zonePujiang},
	}
}

// loads makes what hosts measure. It is asked in order of time.
type loads struct {
	begin    time.Time
	disk     time.Time // when the full disk of the story was cleared
	copied   time.Time // when somebody began to copy an archive onto the share
	machines map[string]machine
	zones    map[string]*time.Location
	meters   map[string]*meters
}

// meters are the counters of a host.
type meters struct {
	at                                            int64
	idle, user, system, wait, read, written, came float64
	went                                          float64
}

// Of the archive: how long before the demonstration begins its copy did, how
// long that took, and its share of the disk. The judge looks an hour back, so
// it sees the threshold passed and opens its record by its own rule.
const (
	copyBefore = 45 * time.Minute
	copyTook   = 12 * time.Minute
	copySize   = 0.075
)

func newLoads(begin, last, now time.Time) *loads {
	l := &loads{begin: begin, disk: clock(last, 6, 16, 10), copied: now.Add(-copyBefore), machines: machines(), zones: map[string]*time.Location{}, meters: map[string]*meters{}}
	for _, name := range [...]string{zoneNorthwind, zonePujiang} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			zone = time.UTC
		}
		l.zones[name] = zone
	}
	return l
}

// rush is how much there is to do, 0 to 1: much in the morning and afternoon of
// a workday, little at night and on Sundays.
func (l *loads) rush(m *machine, at int64) float64 {
	local := time.UnixMilli(at).In(l.zones[m.zone])
	hour := float64(local.Hour()) + float64(local.Minute())/60
	peak := func(at, width float64) float64 { return math.Exp(-(hour - at) / width * (hour - at) / width) }
	day := 0.12 + 0.88*peak(10.5, 2.6) + 0.75*peak(15.5, 2.8)
	switch local.Weekday() {
	case time.Saturday:
		day *= 0.45
	case time.Sunday:
		day *= 0.3
	}
	return min(day, 1)
}

// wobble is noise from -1 to 1 that changes from one step to the next.
func wobble(host string, at int64) float64 {
	x := uint64(at/60_000)*0x9e3779b97f4a7c15 + uint64(len(host))*0xbf58476d1ce4e5b9 + uint64(host[len(host)-1]) + uint64(host[3])<<8
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return float64(x>>11)/(1<<52) - 1
}

// load is simulate.Plan.Load.
func (l *loads) load(add simulate.Add, host *simulate.Host, at, booted int64) {
	m, ok := l.machines[host.Name]
	if !ok {
		return
	}
	minute := at / demoEvery.Milliseconds() * demoEvery.Milliseconds()
	if minute%rateStep == 0 {
		l.rates(add, host.Name, &m, at)
	}
	if minute%levelStep == 0 {
		l.levels(add, host.Name, &m, at)
		add("node_boot_time_seconds", float64(booted)/1000)
	}
}

func (l *loads) rates(add simulate.Add, host string, m *machine, at int64) {
	c := l.meters[host]
	if c == nil {
		c = &meters{at: at - rateStep}
		l.meters[host] = c
	}
	passed := float64(min(at-c.at, 10*rateStep)) / 1000
	c.at = at
	busy := max(0.01, min(0.99, m.busy*l.rush(m, at)*(1+0.12*wobble(host, at))))
	cores := float64(m.cores)
	wait := 0.02 * l.rush(m, at)
	c.user += passed * cores * busy * 0.78
	c.system += passed * cores * busy * 0.22
	c.wait += passed * cores * wait
	c.idle += passed * cores * max(0, 1-busy-wait)
	c.read += passed * 2e6 * l.rush(m, at)
	c.written += passed * (3e5 + 5e6*busy)
	c.came += passed * (2e4 + 9e6*busy)
	c.went += passed * (2e4 + 2.1e7*busy)
	for i := range m.cores {
		cpu := strconv.Itoa(i)
		for _, mode := range [...]struct {
			name string
			v    float64
		}{{"idle", c.idle}, {"iowait", c.wait}, {"system", c.system}, {"user", c.user}} {
			add("node_cpu_seconds_total", mode.v/cores, "cpu", cpu, "mode", mode.name)
		}
	}
	add("node_disk_read_bytes_total", c.read, "device", "sda")
	add("node_disk_written_bytes_total", c.written, "device", "sda")
	add("node_network_receive_bytes_total", c.came, "device", "eth0")
	add("node_network_transmit_bytes_total", c.went, "device", "eth0")
	load := cores * busy
	add("node_load1", load*(1+0.2*wobble(host, at+60_000)))
	add("node_load5", load)
	add("node_load15", load*0.95)
}

func (l *loads) levels(add simulate.Add, host string, m *machine, at int64) {
	used := m.memory * m.used * (1 + 0.08*l.rush(m, at) + 0.01*wobble(host, at))
	add("node_memory_MemTotal_bytes", m.memory)
	add("node_memory_MemAvailable_bytes", m.memory-used)
	add("node_memory_Cached_bytes", (m.memory-used)*0.7)
	add("node_memory_Buffers_bytes", m.memory*0.02)
	for _, fs := range [...]struct {
		device, mount string
		size, share   float64
	}{{"/dev/sda1", "/", 30 * gib, 0.38 + 0.01*wobble(host, at/86_400_000*86_400_000)}, {"/dev/sdb1", m.mount, m.size, l.share(m, at)}} {
		add("node_filesystem_avail_bytes", fs.size*(1-fs.share), "device", fs.device, "fstype", "ext4", "mountpoint", fs.mount)
		add("node_filesystem_size_bytes", fs.size, "device", fs.device, "fstype", "ext4", "mountpoint", fs.mount)
	}
	add("node_uname_info", 1, "machine", "x86_64", "nodename", host, "release", "6.12.48", "sysname", "Linux")
}

// share is how full the data of a machine are. That of the story was full, and
// got room.
func (l *loads) share(m *machine, at int64) float64 {
	days := float64(at-l.begin.UnixMilli()) / 86_400_000
	share := m.fill + m.grow*days + 0.004*l.rush(m, at)
	if m.grow > 0.005 && at >= l.disk.UnixMilli() {
		since := float64(at-l.disk.UnixMilli()) / 86_400_000
		share = 0.52 + 0.0015*since + 0.004*l.rush(m, at)
	}
	if m.mount == "/srv/share" && at > l.copied.UnixMilli() {
		share += copySize * min(1, float64(at-l.copied.UnixMilli())/float64(copyTook.Milliseconds()))
	}
	return min(share, 0.9995)
}
