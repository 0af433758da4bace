package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Config is what of openclaw.json the fake acts on.
type Config struct {
	Gateway struct {
		Port           int    `json:"port"`
		Bind           string `json:"bind"`
		Auth           struct{ Token string }
		ControlUi      struct{ AllowedOrigins []string }
		TrustedProxies []string
	}
	Models struct {
		Providers map[string]struct {
			BaseURL string `json:"baseUrl"`
			APIKey  string `json:"apiKey"`
			Models  []struct {
				ID        string `json:"id"`
				MaxTokens int    `json:"maxTokens"`
			}
		}
	}
	Agents struct {
		Defaults struct {
			Model     struct{ Primary string }
			Workspace string
		}
	}
	Channels map[string]any
}

type (
	object map[string]any
	oneOf  []string
	listOf struct{ kind any }
	mapOf  struct{ kind any }
	kind   string
)

const (
	text    = kind("string")
	number  = kind("number")
	boolean = kind("boolean")
)

// schema is the part of OpenClaw 2026.9's that this stack uses. OpenClaw knows far more; this fake refuses that.
var schema = object{
	"$schema": text,
	"gateway": object{
		"mode": oneOf{"local"}, "port": number, "bind": oneOf{"auto", "lan", "loopback", "custom", "tailnet"}, "publicOrigin": text,
		"auth":           object{"mode": oneOf{"token"}, "token": text},
		"trustedProxies": listOf{text},
		"controlUi":      object{"enabled": boolean, "allowedOrigins": listOf{text}, "sessionObserver": boolean},
		"terminal":       object{"enabled": boolean},
		"reload":         object{"mode": oneOf{"off", "hybrid"}},
	},
	"logging":   object{"level": text, "maxFileBytes": number},
	"update":    object{"checkOnStart": boolean},
	"telemetry": object{"enabled": boolean},
	"discovery": object{"mdns": object{"mode": oneOf{"off", "minimal", "full"}}},
	"models": object{
		"mode":           oneOf{"merge", "replace"},
		"catalogRefresh": object{"enabled": boolean},
		"providers": mapOf{object{
			"baseUrl": text, "apiKey": text, "api": oneOf{"openai-completions"},
			"models": listOf{object{
				"id": text, "name": text, "input": listOf{text}, "contextWindow": number, "maxTokens": number, "reasoning": boolean,
			}},
		}},
	},
	"agents": object{"defaults": object{
		"model":     object{"primary": text, "fallbacks": listOf{text}},
		"workspace": text,
		"heartbeat": object{"every": text},
		"sandbox":   object{"mode": oneOf{"off", "non-main", "all"}},
	}},
	"channels": object{"telegram": object{
		"enabled": boolean, "botToken": text, "dmPolicy": oneOf{"pairing", "allowlist", "open", "disabled"},
		"allowFrom": listOf{number}, "groupPolicy": oneOf{"open", "disabled", "allowlist"}, "configWrites": boolean,
	}},
	"plugins": object{
		"allow":   listOf{text},
		"slots":   object{"memory": text},
		"entries": mapOf{object{"enabled": boolean}},
	},
}

// check says what is wrong with a value, each in OpenClaw's words.
func check(path string, value any, wanted any) []string {
	say := func(format string, values ...any) []string {
		return []string{fmt.Sprintf("  - %s: %s", map[bool]string{true: "<root>", false: path}[path == ""], fmt.Sprintf(format, values...))}
	}
	under := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	var faults []string
	switch wanted := wanted.(type) {
	case object:
		members, isObject := value.(map[string]any)
		if !isObject {
			return say("Invalid input: expected object, received %s", nameOf(value))
		}
		for _, name := range sorted(members) {
			if each, known := wanted[name]; known {
				faults = append(faults, check(under(name), members[name], each)...)
			} else {
				faults = append(faults, say("Unrecognized key: %q", name)...)
			}
		}
	case mapOf:
		members, isObject := value.(map[string]any)
		if !isObject {
			return say("Invalid input: expected object, received %s", nameOf(value))
		}
		for _, name := range sorted(members) {
			faults = append(faults, check(under(name), members[name], wanted.kind)...)
		}
	case listOf:
		items, isList := value.([]any)
		if !isList {
			return say("Invalid input: expected array, received %s", nameOf(value))
		}
		for i, item := range items {
			faults = append(faults, check(fmt.Sprintf("%s[%d]", path, i), item, wanted.kind)...)
		}
	case oneOf:
		if given, isText := value.(string); !isText || !slices.Contains(wanted, given) {
			return say("Invalid input (allowed: %q), got: %#v", []string(wanted), value)
		}
	case kind:
		if nameOf(value) != string(wanted) {
			return say("Invalid input: expected %s, received %s", wanted, nameOf(value))
		}
		if given, isNumber := value.(float64); isNumber && given <= 0 {
			return say("Too small: expected number to be >0 (must be greater than 0), got: %v", given)
		}
	}
	return faults
}

func nameOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case nil:
		return "null"
	}
	return "object"
}

func sorted(members map[string]any) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

var reference = regexp.MustCompile(`\$\{([A-Z_][A-Z0-9_]*)\}`)

// readConfig reads openclaw.json strictly, then puts in what it takes from the environment. All faults come at once.
func readConfig(path string) (config Config, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		return config, fmt.Errorf("OpenClaw config is invalid\nFile: %s\nProblem:\n  - %v", path, err)
	}
	faults := check("", value, schema)
	if err := json.Unmarshal(content, &config); err == nil {
		faults = append(faults, config.resolve()...)
	}
	if len(faults) > 0 {
		err = fmt.Errorf("OpenClaw config is invalid\nFile: %s\nProblem:\n%s", path, strings.Join(faults, "\n"))
	}
	return config, err
}

// resolve puts secrets in, and says what does not fit together. OpenClaw would only warn.
func (config *Config) resolve() []string {
	var faults []string
	fill := func(path string, value *string) {
		found := reference.FindStringSubmatch(*value)
		if found == nil {
			faults = append(faults, fmt.Sprintf("  - %s: a secret in clear text (this fake refuses)", path))
		} else if *value = os.Getenv(found[1]); *value == "" {
			faults = append(faults, fmt.Sprintf("  - %s: env var %q is missing (this fake refuses)", path, found[1]))
		}
	}
	fill("gateway.auth.token", &config.Gateway.Auth.Token)
	models := []string{}
	for name, provider := range config.Models.Providers {
		fill("models.providers."+name+".apiKey", &provider.APIKey)
		config.Models.Providers[name] = provider
		for _, model := range provider.Models {
			models = append(models, name+"/"+model.ID)
		}
	}
	if primary := config.Agents.Defaults.Model.Primary; primary != "" && !slices.Contains(models, primary) {
		faults = append(faults, fmt.Sprintf("  - agents.defaults.model.primary: %q is no model of models.providers (this fake refuses)", primary))
	}
	if telegram, on := config.Channels["telegram"].(map[string]any); on {
		token, _ := telegram["botToken"].(string)
		fill("channels.telegram.botToken", &token)
	}
	return faults
}

// places are where the configuration and the state lie.
func places() (configPath, stateDir string) {
	stateDir = os.Getenv("OPENCLAW_STATE_DIR")
	if stateDir == "" {
		stateDir = filepath.Join(os.Getenv("HOME"), ".openclaw")
	}
	if configPath = os.Getenv("OPENCLAW_CONFIG_PATH"); configPath == "" {
		configPath = filepath.Join(stateDir, "openclaw.json")
	}
	return configPath, stateDir
}
