package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed prices.json
var pricesJSON []byte

// price is what a model costs, in US dollars per million tokens.
type price struct {
	Provider string  `json:"provider"`
	Input    float64 `json:"input"`
	Output   float64 `json:"output"`
}

type deployment struct {
	Name   string `yaml:"model_name"`
	Params struct {
		Model     string `yaml:"model"`
		APIKey    string `yaml:"api_key"`
		MaxTokens int    `yaml:"max_tokens"`
	} `yaml:"litellm_params"`

	id, provider, model string
	price               price
}

type cacheParams struct {
	Type      string `yaml:"type"`
	Host      string `yaml:"host"`
	Port      int    `yaml:"port"`
	Username  string `yaml:"username"`
	Password  string `yaml:"password"`
	Namespace string `yaml:"namespace"`
	TTL       int    `yaml:"ttl"`
}

// config has the keys that this stack's config.yaml uses, and no other.
type config struct {
	Models   []*deployment `yaml:"model_list"`
	Settings struct {
		DropParams              bool                  `yaml:"drop_params"`
		NumRetries              int                   `yaml:"num_retries"`
		RequestTimeout          float64               `yaml:"request_timeout"`
		Fallbacks               []map[string][]string `yaml:"fallbacks"`
		MaxBudget               float64               `yaml:"max_budget"`
		BudgetDuration          string                `yaml:"budget_duration"`
		Timezone                string                `yaml:"timezone"`
		Cache                   bool                  `yaml:"cache"`
		CacheParams             cacheParams           `yaml:"cache_params"`
		Callbacks               []string              `yaml:"callbacks"`
		InitializeBudgetMetrics bool                  `yaml:"prometheus_initialize_budget_metrics"`
		RequireAuthForMetrics   *bool                 `yaml:"require_auth_for_metrics_endpoint"`
	} `yaml:"litellm_settings"`
	General struct {
		MasterKey              string `yaml:"master_key"`
		DatabaseURL            string `yaml:"database_url"`
		PoolLimit              int32  `yaml:"database_connection_pool_limit"`
		StoreModelInDB         bool   `yaml:"store_model_in_db"`
		BackgroundHealthChecks bool   `yaml:"background_health_checks"`
	} `yaml:"general_settings"`

	zone *time.Location
}

func readConfig(path string) (*config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var read config
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&read); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	prices := map[string]price{}
	if err := json.Unmarshal(pricesJSON, &prices); err != nil {
		return nil, err
	}
	faults := read.fill(prices)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", path, strings.Join(faults, "; "))
	}
	return &read, nil
}

// fill puts values for references, and lists what is wrong.
func (c *config) fill(prices map[string]price) []string {
	var faults []string
	fault := func(format string, values ...any) { faults = append(faults, fmt.Sprintf(format, values...)) }
	secret := func(name string, value *string) {
		variable, isReference := strings.CutPrefix(*value, "os.environ/")
		if !isReference {
			fault("%s is in clear text (LiteLLM takes that, this fake wants os.environ/NAME)", name)
		} else if *value = os.Getenv(variable); *value == "" {
			fault("%s: %s is not set", name, variable)
		}
	}
	secret("general_settings.master_key", &c.General.MasterKey)
	secret("general_settings.database_url", &c.General.DatabaseURL)
	if !strings.HasPrefix(c.General.MasterKey, "sk-") {
		fault("the master key has to begin with sk-")
	}
	if c.General.StoreModelInDB || c.General.BackgroundHealthChecks {
		fault("this fake does neither store_model_in_db nor background_health_checks")
	}
	names := []string{}
	for _, each := range c.Models {
		secret("the api_key of "+each.Name, &each.Params.APIKey)
		each.provider, each.model, _ = strings.Cut(each.Params.Model, "/")
		known, found := prices[each.model]
		if !found || known.Provider != each.provider {
			fault("%s: no price is known of %q (LiteLLM would book 0 for it)", each.Name, each.Params.Model)
		}
		if slices.Contains(names, each.Name) {
			fault("%s is there twice: this fake does not balance load", each.Name)
		}
		each.price, each.id = known, sha256Hex(each.Name+" "+each.Params.Model)
		names = append(names, each.Name)
	}
	for _, each := range c.Settings.Fallbacks {
		if len(each) != 1 {
			fault("Dictionary '%v' must have exactly one key, but has %d keys.", each, len(each))
		}
		for from, to := range each {
			for _, name := range append([]string{from}, to...) {
				if !slices.Contains(names, name) {
					fault("fallbacks: there is no model %q", name)
				}
			}
		}
	}
	return append(faults, c.fillRest(secret)...)
}

func (c *config) fillRest(secret func(string, *string)) []string {
	var faults []string
	settings := &c.Settings
	if settings.MaxBudget > 0 && settings.BudgetDuration == "" {
		faults = append(faults, "budget_duration not set on Proxy. budget_duration is required to use max_budget.")
	} else if !slices.Contains([]string{"", "1d"}, settings.BudgetDuration) {
		faults = append(faults, "this fake knows the budget_duration 1d alone")
	}
	if settings.Timezone == "" {
		settings.Timezone = "UTC"
	}
	zone, err := time.LoadLocation(settings.Timezone)
	if err != nil {
		faults = append(faults, err.Error())
	}
	c.zone = zone
	for _, each := range settings.Callbacks {
		if each != "prometheus" {
			faults = append(faults, fmt.Sprintf("this fake has no callback %q", each))
		}
	}
	if settings.Cache {
		if settings.CacheParams.Type != "redis" || settings.CacheParams.Namespace == "" {
			faults = append(faults, "this fake caches in redis alone, and in a namespace")
		}
		secret("cache_params.password", &settings.CacheParams.Password)
	}
	return faults
}

// model is the one that is offered under that name.
func (c *config) model(name string) *deployment {
	for _, each := range c.Models {
		if each.Name == name {
			return each
		}
	}
	return nil
}

func (c *config) fallbacks(name string) []string {
	for _, each := range c.Settings.Fallbacks {
		if names, found := each[name]; found {
			return names
		}
	}
	return nil
}

// midnight is when a day's budget begins anew.
func (c *config) midnight() time.Time {
	now := time.Now().In(c.zone)
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, c.zone)
}
