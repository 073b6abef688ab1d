package check

import (
	"net/netip"
	"testing"
)

const routeTable = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	100	00000000	0	0	0
eth1	00000000	0101000A	0003	0	0	200	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
eth1	0000110A	FE01000A	0003	0	0	0	0000FFFF	0	0	0
eth1	0000120A	FE01000A	0002	0	0	0	0000FFFF	0	0	0
`

const neighbourTable = `IP address       HW type     Flags       HW address            Mask     Device
192.168.0.1      0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.1.254       0x1         0x2         02:42:ac:11:00:02     *        eth1
`

func TestGateway(t *testing.T) {
	rows := []struct {
		to, gateway string // gateway empty: none is needed or known
		silent      bool
	}{
		{"8.8.8.8", "192.168.0.1", true},   // the default route with the smaller metric, whose gateway is silent
		{"192.168.0.7", "", false},         // a neighbour: no gateway, so the target's own silence
		{"10.17.3.4", "10.0.1.254", false}, // the longer route, whose gateway answers
		{"10.18.3.4", "192.168.0.1", true}, // that route is down
		{"2001:db8::1", "", false},         // IPv6 is not looked at
	}
	for _, row := range rows {
		gateway, ok := gatewayTo(netip.MustParseAddr(row.to), []byte(routeTable))
		if ok != (row.gateway != "") || ok && gateway.String() != row.gateway {
			t.Errorf("to %s: got %v %v, want %q", row.to, gateway, ok, row.gateway)
		}
		if ok && unresolved(gateway, []byte(neighbourTable)) != row.silent {
			t.Errorf("to %s: gateway %s silent: want %v", row.to, gateway, row.silent)
		}
	}
}

func FuzzRoute(f *testing.F) {
	f.Add([]byte(routeTable), []byte(neighbourTable))
	f.Fuzz(func(_ *testing.T, routes, neighbours []byte) {
		if gateway, ok := gatewayTo(netip.MustParseAddr("10.17.3.4"), routes); ok {
			unresolved(gateway, neighbours)
		}
	})
}
