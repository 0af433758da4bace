package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// docker is the daemon behind a socket; an unusable one has no containers.
type docker struct {
	client  http.Client
	version string
	// Whether containers can be told at all.
	usable  bool
	systemd bool
}

// What `docker inspect` says of a container, as far as it is told.
type inspected struct {
	ID           string `json:"Id"`
	Name         string
	Created      time.Time
	RestartCount int
	State        struct {
		Pid       int
		StartedAt time.Time
		Health    *struct{ Status string }
	}
	Config struct {
		Image  string
		Labels map[string]string
	}
	HostConfig struct {
		Memory            float64
		MemorySwap        float64
		MemoryReservation float64
		NanoCpus          float64
		CPUShares         float64 `json:"CpuShares"`
	}
}

type blkio struct {
	Major uint64
	Minor uint64
	Op    string
	Value float64
}

// One answer of `/containers/{id}/stats`.
type stats struct {
	CPU struct {
		Usage struct {
			Total  float64 `json:"total_usage"`
			User   float64 `json:"usage_in_usermode"`
			Kernel float64 `json:"usage_in_kernelmode"`
		} `json:"cpu_usage"`
		Throttling struct {
			Periods   float64 `json:"periods"`
			Throttled float64 `json:"throttled_periods"`
			Time      float64 `json:"throttled_time"`
		} `json:"throttling_data"`
	} `json:"cpu_stats"`
	Memory struct {
		Usage   float64            `json:"usage"`
		Max     float64            `json:"max_usage"`
		Failcnt float64            `json:"failcnt"`
		Stats   map[string]float64 `json:"stats"`
	} `json:"memory_stats"`
	Blkio struct {
		Bytes    []blkio `json:"io_service_bytes_recursive"`
		Serviced []blkio `json:"io_serviced_recursive"`
	} `json:"blkio_stats"`
}

// connect asks the daemon who it is. cAdvisor goes on without one, and then lists nothing but the machine's own group.
func connect(socket string) *docker {
	d := &docker{}
	d.client.Timeout = 20 * time.Second
	d.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	var info struct {
		ServerVersion string
		CgroupDriver  string
	}
	if err := d.get(context.Background(), "/info", &info); err != nil {
		serve.Say("Registration of the docker container factory failed: %v", err)
		return d
	}
	d.version, d.systemd = info.ServerVersion, info.CgroupDriver == "systemd"
	if own, err := os.ReadFile("/proc/self/cgroup"); err != nil || !seesHost(string(own)) {
		serve.Say("this container has a cgroup namespace of its own: no container can be told from another")
		return d
	}
	d.usable = true
	return d
}

// seesHost tells whether the paths of /proc/self/cgroup begin at the host's root: in a namespace of its own a
// container is at the root itself.
func seesHost(cgroups string) bool {
	for _, line := range strings.Split(strings.TrimSpace(cgroups), "\n") {
		if parts := strings.SplitN(line, ":", 3); len(parts) == 3 && parts[2] != "/" {
			return true
		}
	}
	return false
}

func (d *docker) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker"+path, nil)
	if err != nil {
		return err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return fmt.Errorf("GET %s: %d %s", path, response.StatusCode, strings.TrimSpace(string(body)))
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// running are the containers that run now. One that ends while it is asked about is left out.
func (d *docker) running(ctx context.Context) ([]inspected, error) {
	if !d.usable {
		return nil, nil
	}
	var listed []struct {
		ID string `json:"Id"`
	}
	if err := d.get(ctx, "/containers/json", &listed); err != nil {
		return nil, err
	}
	containers := make([]inspected, 0, len(listed))
	for _, each := range listed {
		var container inspected
		if err := d.get(ctx, "/containers/"+each.ID+"/json", &container); err == nil && container.State.Pid > 0 {
			containers = append(containers, container)
		}
	}
	return containers, nil
}

func (d *docker) stats(ctx context.Context, id string) (*stats, error) {
	found := &stats{}
	return found, d.get(ctx, "/containers/"+id+"/stats?stream=false&one-shot=true", found)
}

// path is the container's control group, which cAdvisor calls its id.
func (d *docker) path(id string) string {
	if d.systemd {
		return "/system.slice/docker-" + id + ".scope"
	}
	return "/docker/" + id
}
