package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"vpai.sandbox/fakes/serve"
)

// machine is what does not change.
type machine struct {
	cores  float64
	memory float64
	kernel string
	boot   string
}

func readMachine() (*machine, error) {
	files := map[string]string{}
	for _, path := range []string{"/proc/cpuinfo", "/proc/meminfo", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/random/boot_id"} {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[path] = strings.TrimSpace(string(content))
	}
	total := regexp.MustCompile(`MemTotal:\s+(\d+) kB`).FindStringSubmatch(files["/proc/meminfo"])
	if total == nil {
		return nil, fmt.Errorf("/proc/meminfo tells no MemTotal")
	}
	kilobytes, err := strconv.ParseFloat(total[1], 64)
	if err != nil {
		return nil, err
	}
	return &machine{
		cores:  float64(len(regexp.MustCompile(`(?m)^processor\s`).FindAllString(files["/proc/cpuinfo"], -1))),
		memory: kilobytes * 1024,
		kernel: files["/proc/sys/kernel/osrelease"],
		boot:   files["/proc/sys/kernel/random/boot_id"],
	}, nil
}

func (m *machine) tell(metrics *serve.Metrics, version, docker string) {
	labels := []string{"boot_id", m.boot, "machine_id", "", "system_uuid", ""}
	metrics.Set("machine_cpu_cores", m.cores, labels...)
	metrics.Set("machine_memory_bytes", m.memory, labels...)
	metrics.Set("machine_scrape_error", 0)
	metrics.Set("cadvisor_version_info", 1, "cadvisorRevision", "fake", "cadvisorVersion", version,
		"dockerVersion", docker, "kernelVersion", m.kernel, "osVersion", "sandbox fake")
}

// deviceName is the device's path, by what the kernel says of its numbers.
func deviceName(major, minor uint64) string {
	content, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/uevent", major, minor))
	if found := regexp.MustCompile(`(?m)^DEVNAME=(.+)$`).FindSubmatch(content); err == nil && found != nil {
		return "/dev/" + string(found[1])
	}
	return fmt.Sprintf("%d:%d", major, minor)
}

// link is one network interface of a container.
type link struct {
	name   string
	counts [16]float64
}

// readLinks reads the host's /proc, which is below /rootfs: the numbers are those of the container's own network.
func readLinks(pid int) ([]link, error) {
	content, err := os.ReadFile(fmt.Sprintf("/rootfs/proc/%d/net/dev", pid))
	if err != nil {
		return nil, err
	}
	var links []link
	for _, line := range strings.Split(string(content), "\n") {
		name, rest, found := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !found || len(fields) != 16 || strings.TrimSpace(name) == "lo" {
			continue
		}
		each := link{name: strings.TrimSpace(name)}
		for i, field := range fields {
			each.counts[i], _ = strconv.ParseFloat(field, 64)
		}
		links = append(links, each)
	}
	return links, nil
}

func (l link) tell(m *serve.Metrics, labels []string) {
	labels = with(labels, "interface", l.name)
	for direction, first := range map[string]int{"receive": 0, "transmit": 8} {
		for i, what := range []string{"bytes", "packets", "errors", "packets_dropped"} {
			m.Add("container_network_"+direction+"_"+what+"_total", l.counts[first+i], labels...)
		}
	}
}
