package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"
)

type kvstore struct {
	Store string `yaml:"store"`
}

type ring struct {
	InstanceAddr      string  `yaml:"instance_addr"`
	KVStore           kvstore `yaml:"kvstore"`
	ReplicationFactor int     `yaml:"replication_factor"`
}

type cache struct {
	EmbeddedCache struct {
		Enabled   bool `yaml:"enabled"`
		MaxSizeMB int  `yaml:"max_size_mb"`
	} `yaml:"embedded_cache"`
}

type period struct {
	From        string `yaml:"from"`
	Store       string `yaml:"store"`
	ObjectStore string `yaml:"object_store"`
	Schema      string `yaml:"schema"`
	Index       struct {
		Prefix string        `yaml:"prefix"`
		Period time.Duration `yaml:"period"`
	} `yaml:"index"`
}

// config has the keys that this stack's configuration uses, and no other.
type config struct {
	AuthEnabled *bool `yaml:"auth_enabled"`
	Server      struct {
		HTTPListenPort    int    `yaml:"http_listen_port"`
		GRPCListenAddress string `yaml:"grpc_listen_address"`
		GRPCListenPort    int    `yaml:"grpc_listen_port"`
		LogLevel          string `yaml:"log_level"`
	} `yaml:"server"`
	Common struct {
		InstanceAddr      string `yaml:"instance_addr"`
		PathPrefix        string `yaml:"path_prefix"`
		ReplicationFactor int    `yaml:"replication_factor"`
		Ring              ring   `yaml:"ring"`
		Storage           struct {
			Filesystem struct {
				ChunksDirectory string `yaml:"chunks_directory"`
				RulesDirectory  string `yaml:"rules_directory"`
			} `yaml:"filesystem"`
		} `yaml:"storage"`
	} `yaml:"common"`
	Memberlist struct {
		JoinMembers []string `yaml:"join_members"`
	} `yaml:"memberlist"`
	Ingester struct {
		Lifecycler struct {
			Address          string        `yaml:"address"`
			FinalSleep       time.Duration `yaml:"final_sleep"`
			MinReadyDuration time.Duration `yaml:"min_ready_duration"`
			Ring             ring          `yaml:"ring"`
		} `yaml:"lifecycler"`
		WAL struct {
			Dir                 string `yaml:"dir"`
			ReplayMemoryCeiling string `yaml:"replay_memory_ceiling"`
		} `yaml:"wal"`
	} `yaml:"ingester"`
	SchemaConfig struct {
		Configs []period `yaml:"configs"`
	} `yaml:"schema_config"`
	Compactor struct {
		WorkingDirectory     string        `yaml:"working_directory"`
		CompactionInterval   time.Duration `yaml:"compaction_interval"`
		RetentionEnabled     bool          `yaml:"retention_enabled"`
		RetentionDeleteDelay time.Duration `yaml:"retention_delete_delay"`
		DeleteRequestStore   string        `yaml:"delete_request_store"`
	} `yaml:"compactor"`
	LimitsConfig struct {
		RetentionPeriod        time.Duration `yaml:"retention_period"`
		MaxQueryLookback       time.Duration `yaml:"max_query_lookback"`
		MaxQueryLength         time.Duration `yaml:"max_query_length"`
		RejectOldSamples       bool          `yaml:"reject_old_samples"`
		RejectOldSamplesMaxAge time.Duration `yaml:"reject_old_samples_max_age"`
		DiscoverServiceName    []string      `yaml:"discover_service_name"`
	} `yaml:"limits_config"`
	ChunkStoreConfig struct {
		ChunkCacheConfig cache `yaml:"chunk_cache_config"`
	} `yaml:"chunk_store_config"`
	QueryRange struct {
		ResultsCache struct {
			Cache cache `yaml:"cache"`
		} `yaml:"results_cache"`
	} `yaml:"query_range"`
	Analytics struct {
		ReportingEnabled bool `yaml:"reporting_enabled"`
	} `yaml:"analytics"`
}

func readConfig(path string) (*config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var c config
	c.Analytics.ReportingEnabled = true
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("failed parsing config: %s: %w", path, err)
	}
	return &c, errors.Join(c.faults()...)
}

var size = regexp.MustCompile(`^[1-9]\d*(KB|MB|GB)$`)

// faults are those that Loki has too, and what the fake does not do.
func (c *config) faults() (all []error) {
	refuse := func(fault bool, format string, values ...any) {
		if fault {
			all = append(all, fmt.Errorf(format, values...))
		}
	}
	refuse(c.AuthEnabled == nil || *c.AuthEnabled, "auth_enabled: this fake has no tenants, so it is false")
	refuse(c.Server.HTTPListenPort == 0, "server.http_listen_port is not set")
	// With a ring that is elsewhere Loki finds no instance, and never becomes ready.
	for where, store := range map[string]string{"common": c.Common.Ring.KVStore.Store, "ingester.lifecycler": c.Ingester.Lifecycler.Ring.KVStore.Store} {
		refuse(store != "inmemory", "%s.ring.kvstore.store is %q: empty ring, for there is one instance alone", where, store)
	}
	refuse(len(c.Memberlist.JoinMembers) > 0, "memberlist.join_members: there is nobody to join")
	refuse(c.Common.InstanceAddr == "" || c.Ingester.Lifecycler.Address == "", "common.instance_addr and ingester.lifecycler.address have to be set")
	refuse(c.Common.ReplicationFactor != 1, "common.replication_factor is %d: at least that many live replicas required, could only find 1", c.Common.ReplicationFactor)
	for _, p := range c.SchemaConfig.Configs {
		refuse(p.Store != "tsdb" || p.ObjectStore != "filesystem" || p.Schema != "v13", "schema_config: this fake stores as tsdb, filesystem, v13 alone")
		refuse(p.Store == "tsdb" && p.Index.Period != 24*time.Hour, "schema_config: tsdb must always have periodic config for index set to 24h")
	}
	refuse(len(c.SchemaConfig.Configs) == 0, "schema_config.configs: at least one schema config is required")
	refuse(c.Compactor.RetentionEnabled && c.Compactor.DeleteRequestStore == "", "compactor.delete-request-store should be configured when retention is enabled")
	refuse(c.LimitsConfig.RetentionPeriod < 24*time.Hour, "limits_config.retention_period: the minimum is 24h")
	refuse(!size.MatchString(c.Ingester.WAL.ReplayMemoryCeiling), "ingester.wal.replay_memory_ceiling: %q is no size", c.Ingester.WAL.ReplayMemoryCeiling)
	refuse(len(c.LimitsConfig.DiscoverServiceName) > 0, "limits_config.discover_service_name: this fake adds no label")
	refuse(c.Analytics.ReportingEnabled, "analytics.reporting_enabled: this fake reports to nobody")
	for _, directory := range []string{c.Common.PathPrefix, c.chunks(), c.Common.Storage.Filesystem.RulesDirectory, c.Ingester.WAL.Dir, c.Compactor.WorkingDirectory} {
		err := writable(directory)
		refuse(err != nil, "%q: %w", directory, err)
	}
	return all
}

func (c *config) chunks() string { return c.Common.Storage.Filesystem.ChunksDirectory }

func writable(directory string) error {
	if !filepath.IsAbs(directory) {
		return errors.New("no absolute path")
	}
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	probe, err := os.CreateTemp(directory, ".probe-")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
