package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

type container struct {
	ID         string `json:"Id"`
	Names      []string
	Labels     map[string]string
	HostConfig struct{ NetworkMode string }
}

// docker asks a daemon over TCP, in the version of its interface that the daemon names.
type docker struct{ base string }

func (d *docker) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		response.Body.Close()
		err = fmt.Errorf("GET %s: %s: %s", path, response.Status, strings.TrimSpace(string(said)))
	}
	return response, err
}

func (d *docker) read(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	response, err := d.get(ctx, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// connect agrees on the version of the interface, as Docker's own client does.
func connect(ctx context.Context, host string) (*docker, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d := &docker{"http" + strings.TrimPrefix(host, "tcp")}
	response, err := d.get(ctx, "/_ping")
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	d.base += "/v" + response.Header.Get("Api-Version")
	return d, nil
}

var noName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// targets are running containers, each with what Docker says of it. Networks are asked for because Alloy asks.
func (d *docker) targets(ctx context.Context) ([]map[string]string, error) {
	var networks []struct{}
	if err := d.read(ctx, "/networks", &networks); err != nil {
		return nil, err
	}
	var containers []container
	if err := d.read(ctx, "/containers/json", &containers); err != nil {
		return nil, err
	}
	var all []map[string]string
	for _, c := range containers {
		labels := map[string]string{
			"__meta_docker_container_id":           c.ID,
			"__meta_docker_container_name":         append(c.Names, "")[0],
			"__meta_docker_container_network_mode": c.HostConfig.NetworkMode,
		}
		for name, value := range c.Labels {
			labels["__meta_docker_container_label_"+noName.ReplaceAllString(name, "_")] = value
		}
		all = append(all, labels)
	}
	return all, nil
}

// relabel applies rules of the kind "replace", in order. A rule whose pattern does not hold changes nothing.
func relabel(labels map[string]string, rules []*ruleArgs) {
	for _, rule := range rules {
		values := make([]string, len(rule.SourceLabels))
		for i, name := range rule.SourceLabels {
			values[i] = labels[name]
		}
		source := strings.Join(values, ";")
		if at := rule.pattern.FindStringSubmatchIndex(source); at != nil {
			labels[rule.TargetLabel] = string(rule.pattern.ExpandString(nil, rule.Replacement, source, at))
		}
	}
}

// logLine is one line of a container, without the time that Docker puts before it.
type logLine struct {
	at   time.Time
	text string
}

// follow hands on a container's lines after a time, until the stream ends or the context does.
func (d *docker) follow(ctx context.Context, id string, after time.Time, hand func(logLine) error) error {
	var details struct{ Config struct{ Tty bool } }
	if err := d.read(ctx, "/containers/"+id+"/json", &details); err != nil {
		return err
	}
	since := int64(0)
	if !after.IsZero() {
		since = after.Unix()
	}
	response, err := d.get(ctx, fmt.Sprintf("/containers/%s/logs?follow=1&stdout=1&stderr=1&timestamps=1&since=%d", id, since))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	emit := func(text string) error {
		at, line, err := parted(text)
		if err != nil {
			serve.Say("level=error msg=\"could not extract timestamp, skipping line\" err=%q", err)
			return nil
		}
		// Docker answers whole seconds again; what is known of them is not told twice.
		if line = strings.TrimRight(line, "\r\n"); line == "" || !at.After(after) {
			return nil
		}
		return hand(logLine{at, line})
	}
	if details.Config.Tty {
		return eachLine(response.Body, emit)
	}
	return eachFrame(response.Body, emit)
}

func parted(text string) (time.Time, string, error) {
	stamp, line, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	return at, line, err
}

func eachLine(from io.Reader, emit func(string) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := emit(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// eachFrame parts the two streams of a container without a terminal. A long line comes in several frames, each with a
// time of its own, and only the last of them ends the line.
func eachFrame(from io.Reader, emit func(string) error) error {
	reader, open := bufio.NewReader(from), map[byte]string{}
	header := make([]byte, 8)
	for {
		if _, err := io.ReadFull(reader, header); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		payload := make([]byte, binary.BigEndian.Uint32(header[4:]))
		if _, err := io.ReadFull(reader, payload); err != nil {
			return err
		}
		text := string(payload)
		if begun := open[header[0]]; begun != "" {
			if _, rest, err := parted(text); err == nil {
				text = rest
			}
			text = begun + text
		}
		if open[header[0]] = text; strings.HasSuffix(text, "\n") {
			open[header[0]] = ""
			if err := emit(text); err != nil {
				return err
			}
		}
	}
}
