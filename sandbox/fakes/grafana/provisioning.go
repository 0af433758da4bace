package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

type datasource struct {
	ID        int            `yaml:"-" json:"id"`
	UID       string         `yaml:"uid" json:"uid"`
	OrgID     int            `yaml:"orgId" json:"orgId"`
	Name      string         `yaml:"name" json:"name"`
	Type      string         `yaml:"type" json:"type"`
	Access    string         `yaml:"access" json:"access"`
	URL       string         `yaml:"url" json:"url"`
	IsDefault bool           `yaml:"isDefault" json:"isDefault"`
	JSONData  map[string]any `yaml:"jsonData" json:"jsonData"`
	Editable  bool           `yaml:"editable" json:"-"`
	ReadOnly  bool           `yaml:"-" json:"readOnly"`
}

type provider struct {
	Name                  string `yaml:"name"`
	OrgID                 int    `yaml:"orgId"`
	Type                  string `yaml:"type"`
	DisableDeletion       bool   `yaml:"disableDeletion"`
	AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
	UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
	Options               struct {
		Path string `yaml:"path"`
	} `yaml:"options"`
}

// files are what each directory of provisioning may hold.
type datasourcesFile struct {
	APIVersion  int           `yaml:"apiVersion"`
	Prune       bool          `yaml:"prune"`
	Datasources []*datasource `yaml:"datasources"`
}

type dashboardsFile struct {
	APIVersion int        `yaml:"apiVersion"`
	Providers  []provider `yaml:"providers"`
}

type emptyFile struct {
	APIVersion int `yaml:"apiVersion"`
}

var sourceSettings = map[string][]string{"prometheus": {"httpMethod", "timeInterval"}, "loki": {"maxLines"}}

type provisioned struct {
	datasources []*datasource
	providers   []provider

	mu         sync.Mutex
	dashboards map[string]*dashboard
}

// readProvisioning reads everything strictly. Grafana logs many of these faults and starts all the same.
func readProvisioning(s *settings) (*provisioned, error) {
	p := &provisioned{}
	kinds, err := os.ReadDir(s.provisioning)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, kind := range kinds {
		seen[kind.Name()] = true
	}
	for _, kind := range []string{"datasources", "dashboards", "plugins", "alerting"} {
		if !seen[kind] {
			return nil, fmt.Errorf("%s/%s: can't read %s provisioning files from directory", s.provisioning, kind, kind)
		}
	}
	// Sources first: dashboards name them.
	for _, kind := range []string{"datasources", "dashboards", "plugins", "alerting"} {
		files, _ := filepath.Glob(filepath.Join(s.provisioning, kind, "*.yaml"))
		for _, file := range files {
			if err := p.read(kind, file, s); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	p.dashboards, err = p.readDashboards()
	return p, err
}

func decode(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}

func (p *provisioned) read(kind, path string, s *settings) error {
	switch kind {
	case "datasources":
		var file datasourcesFile
		if err := errors.Join(decode(path, &file), version(file.APIVersion)); err != nil {
			return err
		}
		for _, each := range file.Datasources {
			each.ID, each.ReadOnly = len(p.datasources)+1, !each.Editable
			if err := p.judge(each, s); err != nil {
				return fmt.Errorf("%s: %w", each.Name, err)
			}
			p.datasources = append(p.datasources, each)
		}
		return nil
	case "dashboards":
		var file dashboardsFile
		if err := errors.Join(decode(path, &file), version(file.APIVersion)); err != nil {
			return err
		}
		for _, each := range file.Providers {
			if each.Type != "file" || each.Name == "" {
				return errors.New("this fake of Grafana has providers with a name and of type file alone")
			}
			p.providers = append(p.providers, each)
		}
		return nil
	default:
		var file emptyFile
		return errors.Join(decode(path, &file), version(file.APIVersion))
	}
}

func version(version int) error {
	if version != 1 {
		return fmt.Errorf("apiVersion is %d, not 1", version)
	}
	return nil
}

func (p *provisioned) judge(d *datasource, s *settings) error {
	allowed, known := sourceSettings[d.Type]
	switch {
	case d.UID == "":
		return errors.New("no uid: Grafana would invent one, and no dashboard would find it")
	case !known || slices.Contains(s.disabled, d.Type):
		return fmt.Errorf("plugin %q is not registered", d.Type)
	case d.Access != "proxy":
		return fmt.Errorf("access is %q; this fake of Grafana has proxy alone", d.Access)
	case !strings.HasPrefix(d.URL, "http://"):
		return fmt.Errorf("url is %q", d.URL)
	}
	for name := range d.JSONData {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("jsonData.%s is unknown", name)
		}
	}
	for _, other := range p.datasources {
		if other.UID == d.UID || other.Name == d.Name {
			return errors.New("its uid or name is another's too")
		}
		if other.IsDefault && d.IsDefault {
			return errors.New("datasource.yaml config is invalid: only one datasource per organization can be marked as default")
		}
	}
	return nil
}

func (p *provisioned) source(uid string) *datasource {
	for _, each := range p.datasources {
		if each.UID == uid {
			return each
		}
	}
	return nil
}

// parse reads a dashboard, and refuses one of which a panel would say "datasource not found", or nothing at all.
func (p *provisioned) parse(content []byte) (*dashboard, error) {
	d := &dashboard{raw: bytes.TrimSpace(content)}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, err
	}
	return d, d.judge(p)
}
