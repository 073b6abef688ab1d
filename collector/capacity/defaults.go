package capacity

import "time"

// notFilling are file systems whose filling says nothing: they live in
// memory, or are images that are full by nature.
const notFilling = `fstype!~"tmpfs|devtmpfs|ramfs|overlay|squashfs|erofs|iso9660|udf|cramfs|efivarfs|rootfs"`

// readOnly are file systems that nobody can fill, such as a mounted image,
// however full they are.
const readOnly = `node_filesystem_readonly == 1`

// Defaults are the resources every host has without being told: they hold
// until the catalogue declares one of the same name. The root file system
// counts whatever its type: in a container it is an overlay, and it fills.
func Defaults() []Resource {
	return []Resource{
		{
			Name: "cpu", Kind: "technical", Unit: "cores", Per: []string{"instance"},
			Used:    `sum by (instance, customer) (rate(node_cpu_seconds_total{mode!~"idle|iowait"}[5m]))`,
			Limit:   `count by (instance, customer) (node_cpu_seconds_total{mode="idle"})`,
			Warning: 0.85, Critical: 0.95, Clear: 0.75, For: 15 * time.Minute,
		},
		{
			Name: "memory", Kind: "technical", Unit: "bytes", Per: []string{"instance"},
			Used:    `node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes`,
			Limit:   `node_memory_MemTotal_bytes`,
			Warning: 0.85, Critical: 0.95, Clear: 0.80, For: 15 * time.Minute,
		},
		{
			Name: "filesystem", Kind: "technical", Unit: "bytes", Per: []string{"instance", "mountpoint"},
			Used: `(node_filesystem_size_bytes{` + notFilling + `} or node_filesystem_size_bytes{mountpoint="/"})` +
				` - (node_filesystem_avail_bytes{` + notFilling + `} or node_filesystem_avail_bytes{mountpoint="/"}) unless ` + readOnly,
			Limit:   `node_filesystem_size_bytes{` + notFilling + `} or node_filesystem_size_bytes{mountpoint="/"}`,
			Warning: 0.80, Critical: 0.90, Clear: 0.75, For: 15 * time.Minute,
		},
	}
}
