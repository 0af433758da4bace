package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Config are the keys of diun.yml that this fake knows.
type Config struct {
	DB struct {
		Path string `yaml:"path"`
	} `yaml:"db"`
	Watch struct {
		Workers         int           `yaml:"workers"`
		Schedule        string        `yaml:"schedule"`
		Jitter          time.Duration `yaml:"jitter"`
		FirstCheckNotif bool          `yaml:"firstCheckNotif"`
		RunOnStartup    *bool         `yaml:"runOnStartup"`
		CompareDigest   *bool         `yaml:"compareDigest"`
	} `yaml:"watch"`
	RegOpts []struct {
		Name     string        `yaml:"name"`
		Selector string        `yaml:"selector"`
		Timeout  time.Duration `yaml:"timeout"`
	} `yaml:"regopts"`
	Notif struct {
		Script *struct {
			Cmd  string   `yaml:"cmd"`
			Args []string `yaml:"args"`
			Dir  string   `yaml:"dir"`
		} `yaml:"script"`
	} `yaml:"notif"`
	Providers struct {
		File *struct {
			Filename string `yaml:"filename"`
		} `yaml:"file"`
	} `yaml:"providers"`
}

// Image is one entry of the file provider's list.
type Image struct {
	Name        string            `yaml:"name"`
	WatchRepo   bool              `yaml:"watch_repo"`
	NotifyOn    []string          `yaml:"notify_on"`
	SortTags    string            `yaml:"sort_tags"`
	MaxTags     int               `yaml:"max_tags"`
	IncludeTags []string          `yaml:"include_tags"`
	ExcludeTags []string          `yaml:"exclude_tags"`
	Metadata    map[string]string `yaml:"metadata"`

	include, exclude []*regexp.Regexp
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readConfig(path string) (*Config, error) {
	config := &Config{}
	config.DB.Path, config.Watch.Jitter = "diun.db", 30*time.Second
	if err := readYAML(path, config); err != nil {
		return nil, fmt.Errorf("Failed to decode configuration from file: %w", err)
	}
	// The image sets it, and the environment comes after the file.
	if path := os.Getenv("DIUN_DB_PATH"); path != "" {
		config.DB.Path = path
	}
	switch {
	case config.Providers.File == nil:
		return nil, errors.New("this fake has the file provider alone")
	case config.Notif.Script != nil && config.Notif.Script.Cmd == "":
		return nil, errors.New("notif.script.cmd is required")
	}
	names := map[string]bool{}
	for _, each := range config.RegOpts {
		if each.Name == "" || names[each.Name] || each.Selector != "image" {
			return nil, fmt.Errorf("regopts: %q: this fake wants unique names with selector image", each.Name)
		}
		names[each.Name] = true
	}
	return config, nil
}

func readImages(path string) ([]*Image, error) {
	var images []*Image
	if err := readYAML(path, &images); err != nil {
		return nil, err
	}
	for _, each := range images {
		for list, into := range map[*[]string]*[]*regexp.Regexp{&each.IncludeTags: &each.include, &each.ExcludeTags: &each.exclude} {
			for _, text := range *list {
				compiled, err := regexp.Compile(text)
				if err != nil {
					return nil, err
				}
				*into = append(*into, compiled)
			}
		}
		if !slices.Contains([]string{"", "default", "reverse", "semver", "lexicographical"}, each.SortTags) {
			return nil, fmt.Errorf("unknown sort tags type %q", each.SortTags)
		}
		if len(each.NotifyOn) == 0 {
			each.NotifyOn = []string{"new", "update"}
		}
	}
	return images, nil
}

// wants tells whether a tag is among those that are watched.
func (i *Image) wants(tag string) bool {
	matches := func(each *regexp.Regexp) bool { return each.MatchString(tag) }
	return (len(i.include) == 0 || slices.ContainsFunc(i.include, matches)) && !slices.ContainsFunc(i.exclude, matches)
}

// split takes `host/path:tag` apart.
func split(name string) (repository, tag string) {
	at := strings.LastIndex(name, ":")
	if at < strings.LastIndex(name, "/") {
		return name, "latest"
	}
	return name[:at], name[at+1:]
}
