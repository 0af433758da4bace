package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"vpai.sandbox/fakes/serve"
)

type settings struct {
	rootURL       string
	port          string
	provisioning  string
	data          string
	adminUser     string
	adminPassword string
	secretKey     string
	cookieSecure  bool
	metrics       bool
	disabled      []string
}

const anything, boolean = "", "true|false"

// variables are those of the image and of this stack, and which values the fake goes along with.
var variables = map[string]string{
	"GF_PATHS_CONFIG": anything, "GF_PATHS_DATA": anything, "GF_PATHS_HOME": anything, "GF_PATHS_LOGS": anything,
	"GF_PATHS_PLUGINS": anything, "GF_PATHS_PROVISIONING": anything,
	"GF_SERVER_ROOT_URL": anything, "GF_SERVER_HTTP_PORT": anything, "GF_SERVER_SERVE_FROM_SUB_PATH": "false", "GF_SERVER_ENABLE_GZIP": "false",
	"GF_SECURITY_ADMIN_USER": anything, "GF_SECURITY_ADMIN_PASSWORD": anything, "GF_SECURITY_SECRET_KEY": anything,
	"GF_SECURITY_COOKIE_SECURE": boolean, "GF_SECURITY_DISABLE_GRAVATAR": boolean,
	"GF_USERS_ALLOW_SIGN_UP": "false", "GF_AUTH_ANONYMOUS_ENABLED": "false",
	"GF_METRICS_ENABLED": boolean, "GF_LOG_MODE": "console", "GF_LOG_LEVEL": "debug|info|warn|error",
	"GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
	"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false", "GF_NEWS_NEWS_FEED_ENABLED": "false", "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
	"GF_PLUGINS_PREINSTALL_DISABLED": "true", "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false", "GF_PLUGINS_DISABLE_PLUGINS": anything,
}

// needed have a default in Grafana that the fake does not go along with: it calls out, or is known to everybody.
var needed = []string{
	"GF_SERVER_ROOT_URL", "GF_ANALYTICS_REPORTING_ENABLED", "GF_ANALYTICS_CHECK_FOR_UPDATES", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
	"GF_PLUGINS_PREINSTALL_DISABLED", "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_SECRET_KEY",
}

func readSettings() (*settings, error) {
	known := []string{}
	for name := range variables {
		known = append(known, name, name+"__FILE")
	}
	faults := []error{serve.UnknownVariables([]string{"GF_"}, known)}
	values := map[string]string{"GF_SERVER_HTTP_PORT": "3000", "GF_SECURITY_ADMIN_USER": "admin", "GF_METRICS_ENABLED": "true"}
	for name, allowed := range variables {
		if os.Getenv(name) != "" && os.Getenv(name+"__FILE") != "" {
			faults = append(faults, fmt.Errorf("both %s and %s__FILE are set (but are exclusive)", name, name))
		}
		value, err := serve.Secret(name, "__FILE")
		faults = append(faults, err)
		if value == "" {
			continue
		}
		if allowed != anything && !slices.Contains(strings.Split(allowed, "|"), value) {
			faults = append(faults, fmt.Errorf("%s is %q; this fake of Grafana does %s alone", name, value, allowed))
		}
		values[name] = value
	}
	for _, name := range needed {
		if values[name] == "" {
			faults = append(faults, fmt.Errorf("%s is not set; this fake of Grafana does not go along with the default", name))
		}
	}
	// A path that Grafana does not serve from ends in redirects, or in pages without scripts.
	if at, err := url.Parse(values["GF_SERVER_ROOT_URL"]); err != nil || at.Host == "" || at.Path != "/" {
		faults = append(faults, fmt.Errorf("GF_SERVER_ROOT_URL %q: a host without a path, and a slash at the end", values["GF_SERVER_ROOT_URL"]))
	}
	return &settings{
		rootURL: values["GF_SERVER_ROOT_URL"], port: values["GF_SERVER_HTTP_PORT"],
		provisioning: values["GF_PATHS_PROVISIONING"], data: values["GF_PATHS_DATA"],
		adminUser: values["GF_SECURITY_ADMIN_USER"], adminPassword: values["GF_SECURITY_ADMIN_PASSWORD"], secretKey: values["GF_SECURITY_SECRET_KEY"],
		cookieSecure: values["GF_SECURITY_COOKIE_SECURE"] == "true", metrics: values["GF_METRICS_ENABLED"] == "true",
		disabled: strings.Split(values["GF_PLUGINS_DISABLE_PLUGINS"], ","),
	}, errors.Join(faults...)
}
