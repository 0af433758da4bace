package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/vm"
)

// What follows has the attributes and blocks that this stack's configuration uses; Alloy's own decoder refuses others.

type loggingArgs struct {
	Level  string `alloy:"level,attr,optional"`
	Format string `alloy:"format,attr,optional"`
}

type remoteWriteArgs struct {
	Endpoint struct {
		URL   string `alloy:"url,attr"`
		Queue *struct {
			MaxShards int `alloy:"max_shards,attr,optional"`
		} `alloy:"queue_config,block,optional"`
	} `alloy:"endpoint,block"`
}

type scrapeArgs struct {
	Targets       []map[string]string `alloy:"targets,attr"`
	ForwardTo     []string            `alloy:"forward_to,attr"`
	JobName       string              `alloy:"job_name,attr,optional"`
	MetricsPath   string              `alloy:"metrics_path,attr,optional"`
	Interval      time.Duration       `alloy:"scrape_interval,attr,optional"`
	Timeout       time.Duration       `alloy:"scrape_timeout,attr,optional"`
	Authorization *struct {
		Type            string `alloy:"type,attr,optional"`
		CredentialsFile string `alloy:"credentials_file,attr"`
	} `alloy:"authorization,block,optional"`
}

type discoveryArgs struct {
	Host            string        `alloy:"host,attr"`
	RefreshInterval time.Duration `alloy:"refresh_interval,attr,optional"`
}

type ruleArgs struct {
	SourceLabels []string `alloy:"source_labels,attr,optional"`
	Regex        string   `alloy:"regex,attr,optional"`
	TargetLabel  string   `alloy:"target_label,attr"`
	Replacement  string   `alloy:"replacement,attr,optional"`
	pattern      *regexp.Regexp
}

type relabelArgs struct {
	Targets string      `alloy:"targets,attr"`
	Rules   []*ruleArgs `alloy:"rule,block,optional"`
}

type logSourceArgs struct {
	Host      string   `alloy:"host,attr"`
	Targets   string   `alloy:"targets,attr"`
	ForwardTo []string `alloy:"forward_to,attr"`
}

type logWriteArgs struct {
	Endpoint struct {
		URL string `alloy:"url,attr"`
	} `alloy:"endpoint,block"`
}

// exports are what a component offers to others. Their values are references: what they are, and whose.
var exports = map[string]string{
	"prometheus.remote_write": "receiver",
	"discovery.docker":        "targets",
	"discovery.relabel":       "output",
	"loki.write":              "receiver",
}

type configuration struct {
	remoteWrites map[string]*remoteWriteArgs
	scrapes      map[string]*scrapeArgs
	discoveries  map[string]*discoveryArgs
	relabels     map[string]*relabelArgs
	logSources   map[string]*logSourceArgs
	logWrites    map[string]*logWriteArgs
}

func (c *configuration) components() int {
	return len(c.remoteWrites) + len(c.scrapes) + len(c.discoveries) + len(c.relabels) + len(c.logSources) + len(c.logWrites)
}

func readConfig(path string) (*configuration, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(path, text)
	if err != nil {
		return nil, err
	}
	scope := &vm.Scope{Variables: map[string]any{}}
	blocks, seen := []*ast.BlockStmt{}, map[string]bool{}
	for _, statement := range file.Body {
		block, ok := statement.(*ast.BlockStmt)
		if !ok {
			return nil, fmt.Errorf("%s: attributes are not allowed at the top level", path)
		}
		name := strings.Join(block.Name, ".")
		id := strings.TrimSuffix(name+"."+block.Label, ".")
		if seen[id] {
			return nil, fmt.Errorf("block %s already declared", id)
		}
		seen[id] = true
		if export := exports[name]; export != "" {
			offer(scope.Variables, append(append([]string{}, block.Name...), block.Label), export, id)
		}
		blocks = append(blocks, block)
	}
	c := &configuration{
		remoteWrites: map[string]*remoteWriteArgs{}, scrapes: map[string]*scrapeArgs{}, discoveries: map[string]*discoveryArgs{},
		relabels: map[string]*relabelArgs{}, logSources: map[string]*logSourceArgs{}, logWrites: map[string]*logWriteArgs{},
	}
	for _, block := range blocks {
		if err := c.component(block, scope); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(append(append([]string{}, block.Name...), block.Label), "."), err)
		}
	}
	for id, args := range c.logSources {
		if chain := c.chain(id); chain.Discovery == nil || len(args.ForwardTo) != 1 {
			return nil, fmt.Errorf("%s: this fake of Alloy takes targets of discovery.docker and one receiver", id)
		}
	}
	return c, nil
}

// offer puts a reference where `prometheus.remote_write.metrics.receiver` looks for it.
func offer(variables map[string]any, path []string, export, id string) {
	for _, step := range path {
		inner, ok := variables[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			variables[step] = inner
		}
		variables = inner
	}
	variables[export] = id
}

func decode[T any](block *ast.BlockStmt, scope *vm.Scope, into map[string]*T, args *T) error {
	if block.Label == "" {
		return errors.New("block requires non-empty label")
	}
	into[strings.Join(block.Name, ".")+"."+block.Label] = args
	return vm.New(block.Body).Evaluate(scope, args)
}

func (c *configuration) component(block *ast.BlockStmt, scope *vm.Scope) error {
	switch name := strings.Join(block.Name, "."); name {
	case "logging":
		return vm.New(block.Body).Evaluate(scope, &loggingArgs{})
	case "prometheus.remote_write":
		args := &remoteWriteArgs{}
		return errors.Join(decode(block, scope, c.remoteWrites, args), address(args.Endpoint.URL, "http"))
	case "prometheus.scrape":
		args := &scrapeArgs{MetricsPath: "/metrics", Interval: time.Minute, Timeout: 10 * time.Second, JobName: "prometheus.scrape." + block.Label}
		if err := decode(block, scope, c.scrapes, args); err != nil {
			return err
		}
		if args.Timeout > args.Interval {
			return errors.New("scrape_timeout greater than scrape_interval")
		}
		if args.Authorization != nil && args.Authorization.Type != "Bearer" {
			return errors.New("this fake of Alloy has no authorization but Bearer")
		}
		for _, target := range args.Targets {
			for label := range target {
				if strings.HasPrefix(label, "__") && label != "__address__" {
					return fmt.Errorf("this fake of Alloy takes no %s of a target", label)
				}
			}
		}
		return refers(args.ForwardTo, "prometheus.remote_write.")
	case "discovery.docker":
		args := &discoveryArgs{RefreshInterval: time.Minute}
		return errors.Join(decode(block, scope, c.discoveries, args), address(args.Host, "tcp"))
	case "discovery.relabel":
		args := &relabelArgs{}
		if err := decode(block, scope, c.relabels, args); err != nil {
			return err
		}
		for _, rule := range args.Rules {
			if err := rule.prepare(); err != nil {
				return err
			}
		}
		return refers([]string{args.Targets}, "discovery.docker.")
	case "loki.source.docker":
		args := &logSourceArgs{}
		return errors.Join(decode(block, scope, c.logSources, args), address(args.Host, "tcp"), refers([]string{args.Targets}, "discovery."), refers(args.ForwardTo, "loki.write."))
	case "loki.write":
		args := &logWriteArgs{}
		return errors.Join(decode(block, scope, c.logWrites, args), address(args.Endpoint.URL, "http"))
	default:
		return fmt.Errorf("this fake of Alloy has no component %q", name)
	}
}

func address(text, scheme string) error {
	at, err := url.Parse(text)
	if err == nil && (at.Scheme != scheme || at.Host == "") {
		err = fmt.Errorf("%q: this fake of Alloy takes %s://host:port alone", text, scheme)
	}
	return err
}

func refers(to []string, kind string) error {
	for _, each := range to {
		if !strings.HasPrefix(each, kind) {
			return fmt.Errorf("%q is nothing of %s", each, strings.TrimSuffix(kind, "."))
		}
	}
	return nil
}

func (r *ruleArgs) prepare() (err error) {
	if r.Regex == "" {
		r.Regex = "(.*)"
	}
	if r.Replacement == "" {
		r.Replacement = "$1"
	}
	r.pattern, err = regexp.Compile("^(?:" + r.Regex + ")$")
	return err
}
