package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"gopkg.in/yaml.v3"
)

// Config are the keys of Qdrant's configuration that the stack uses, and no other.
type Config struct {
	LogLevel          string `yaml:"log_level"`
	TelemetryDisabled bool   `yaml:"telemetry_disabled"`
	Storage           struct {
		StoragePath   string `yaml:"storage_path"`
		SnapshotsPath string `yaml:"snapshots_path"`
		OnDiskPayload bool   `yaml:"on_disk_payload"`
		Optimizers    struct {
			DefaultSegmentNumber int `yaml:"default_segment_number"`
		} `yaml:"optimizers"`
		Collection struct {
			Vectors struct {
				OnDisk *bool `yaml:"on_disk"`
			} `yaml:"vectors"`
		} `yaml:"collection"`
	} `yaml:"storage"`
	Service struct {
		Host                string `yaml:"host"`
		HTTPPort            int    `yaml:"http_port"`
		GRPCPort            *int   `yaml:"grpc_port"`
		EnableCORS          bool   `yaml:"enable_cors"`
		EnableStaticContent *bool  `yaml:"enable_static_content"`
		MetricsPrefix       string `yaml:"metrics_prefix"`
		APIKey              string `yaml:"api_key"`
		AltAPIKey           string `yaml:"alt_api_key"`
		ReadOnlyAPIKey      string `yaml:"read_only_api_key"`
	} `yaml:"service"`
}

// readConfig reads the file over Qdrant's defaults. As with Qdrant, a file that cannot be read is only a line in the
// log, and the service then runs without its keys; found tells.
func readConfig(path string) (config Config, found bool, err error) {
	config.Storage.StoragePath, config.Storage.SnapshotsPath = "./storage", "./snapshots"
	config.Service.Host, config.Service.HTTPPort = "0.0.0.0", 6333
	if path == "" {
		return config, true, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return config, false, nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&config); err != nil && !errors.Is(err, io.EOF) {
		return config, true, fmt.Errorf("%s: %w (Qdrant ignores what it does not know, this fake refuses)", path, err)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_]*$`).MatchString(config.Service.MetricsPrefix) {
		return config, true, errors.New("Metrics prefix must be of all alphanumeric characters, with an exception for '_'")
	}
	return config, true, nil
}
