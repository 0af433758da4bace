package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// diun watches images and remembers in one file what it has seen of them.
type diun struct {
	version string
	config  *Config
	log     *logger

	mu      sync.Mutex
	healthy bool
	// By repository and tag.
	seen map[string]map[string]manifest
}

func (d *diun) load() error {
	d.seen = map[string]map[string]manifest{}
	text, err := os.ReadFile(d.config.DB.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.save()
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &d.seen)
}

func (d *diun) save() error {
	text, err := json.Marshal(d.seen)
	if err != nil {
		return err
	}
	path := d.config.DB.Path
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

type tally map[string]int

// run looks at every image once.
func (d *diun) run() {
	d.log.say("info", "Cron triggered")
	file := d.config.Providers.File.Filename
	images, err := readImages(file)
	if err != nil {
		d.log.say("error", "Unable to decode into struct "+file, "error", err.Error(), "provider", "file")
	}
	d.log.say("info", fmt.Sprintf("Found %d image(s) to analyze", len(images)), "provider", "file")
	count := tally{}
	for _, each := range images {
		d.look(each, count)
	}
	d.log.say("info", "Jobs completed", "added", count["new"], "updated", count["update"], "unchanged", count["unchange"], "skipped", count["skip"], "failed", count["error"])
}

func (d *diun) look(image *Image, count tally) {
	repository, named := split(image.Name)
	d.mu.Lock()
	first := len(d.seen[repository]) == 0
	d.mu.Unlock()
	source := d.config.registry(repository)
	tags := []string{named}
	if image.WatchRepo {
		found, err := source.tags()
		if err != nil {
			d.log.say("error", "Cannot list tags from registry", "error", err.Error(), "provider", "file", "image", image.Name)
		}
		for _, tag := range image.watched(found) {
			if tag != named {
				tags = append(tags, tag)
			}
		}
	}
	for _, tag := range tags {
		count[d.analyse(image, source, repository, tag, first)]++
	}
}

// analyse compares one tag with what was seen of it, and answers its status.
func (d *diun) analyse(image *Image, source *registry, repository, tag string, first bool) string {
	about := []any{"provider", "file", "image", repository + ":" + tag}
	if !image.wants(tag) {
		d.log.say("debug", "Tag not included", about...)
		return "skip"
	}
	now, err := source.manifest(tag)
	if err != nil {
		d.log.say("warn", "Cannot get remote manifest", append([]any{"error", err.Error()}, about...)...)
		return "error"
	}
	d.mu.Lock()
	before, known := d.seen[repository][tag]
	if d.seen[repository] == nil {
		d.seen[repository] = map[string]manifest{}
	}
	status := "new"
	switch {
	case known && before.Digest == now.Digest:
		status, now = "unchange", before
	case known:
		status = "update"
	}
	d.seen[repository][tag] = now
	err = d.save()
	d.mu.Unlock()
	if err != nil {
		d.log.say("error", "Cannot write manifest to db", append([]any{"error", err.Error()}, about...)...)
		return "error"
	}
	switch status {
	case "unchange":
		d.log.say("debug", "No changes", about...)
		return status
	case "update":
		d.log.say("info", "Image update found", about...)
	default:
		d.log.say("info", "New image found", about...)
	}
	if first && !d.config.Watch.FirstCheckNotif {
		d.log.say("debug", "Skipping notification (first check)", about...)
	} else if slices.Contains(image.NotifyOn, status) {
		d.notify(image, status, repository+":"+tag, now)
	}
	return status
}

func (d *diun) notify(image *Image, status, name string, found manifest) {
	script := d.config.Notif.Script
	if script == nil {
		return
	}
	command := exec.Command(script.Cmd, script.Args...)
	command.Dir = script.Dir
	hostname, _ := os.Hostname()
	command.Env = append(os.Environ(),
		"DIUN_VERSION="+d.version, "DIUN_HOSTNAME="+hostname, "DIUN_ENTRY_STATUS="+status, "DIUN_ENTRY_PROVIDER=file",
		"DIUN_ENTRY_IMAGE="+name, "DIUN_ENTRY_MIMETYPE="+found.MIMEType, "DIUN_ENTRY_DIGEST="+found.Digest,
		"DIUN_ENTRY_CREATED="+found.Created.String(), "DIUN_ENTRY_PLATFORM=linux/"+runtime.GOARCH)
	for key, value := range image.Metadata {
		command.Env = append(command.Env, "DIUN_ENTRY_METADATA_"+strings.ToUpper(key)+"="+value)
	}
	if output, err := command.CombinedOutput(); err != nil {
		d.log.say("error", "script notification failed", "error", fmt.Sprintf("%v: %s", err, strings.TrimSpace(string(output))), "image", name)
	} else {
		d.log.say("debug", strings.TrimSpace(string(output)))
	}
}
