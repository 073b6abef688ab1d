package source

import "time"

func all(r Roots, now func() time.Time) []Source {
	table := newTable(r, now)
	return []Source{
		{"cpu", newCPU(r).collect},
		{"memory", newMemory(r).collect},
		{"swap", newSwap(r).collect},
		{"load", newLoad(r).collect},
		{"filesystem", newFilesystem(r).collect},
		{"disk", newDisk(r).collect},
		{"network", newNetwork(r).collect},
		{"connections", newConnections(r, now).collect},
		{"descriptors", newDescriptors(r).collect},
		{"processes", newProcesses(r, table).collect},
		{"pressure", newPressure(r).collect},
		{"temperature", newTemperature(r, now).collect},
		{"systemd", newSystemd(r, now).collect},
		{"top", newTop(table).collect},
		{"uptime", newUptime(r, now).collect},
		{"uname", newUname().collect},
	}
}
