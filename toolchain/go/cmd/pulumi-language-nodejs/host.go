package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"vpai/toolchain/internal/versions"
)

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine  string
	program child
}

// Handshake carries the engine's address instead of the argument.
func (h *host) Handshake(_ context.Context, request *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo returns the plugin's version.
func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: versions.Pulumi}, nil
}

// About says which Node.js runs the programs.
func (*host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	version, err := exec.CommandContext(ctx, node(), "--version").Output()
	return &pulumirpc.AboutResponse{Executable: node(), Version: strings.TrimSpace(string(version))}, err
}

// GetRequiredPackages lists what the installed npm packages ask for, so that a missing plugin is named before the run
// and not in the middle of it.
func (*host) GetRequiredPackages(_ context.Context, request *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	found, err := requiredPackages(request.Info.RootDirectory)
	return &pulumirpc.GetRequiredPackagesResponse{Packages: found}, err
}

func requiredPackages(root string) ([]*pulumirpc.PackageDependency, error) {
	manifests, err := filepath.Glob(filepath.Join(root, "node_modules/@pulumi/*/package.json"))
	if err != nil {
		return nil, err
	}
	var found []*pulumirpc.PackageDependency
	for _, manifest := range manifests {
		var content struct {
			Pulumi struct {
				Resource bool
				Name     string
				Version  string
			}
		}
		text, err := os.ReadFile(manifest)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &content); err != nil {
			return nil, err
		}
		if content.Pulumi.Resource {
			found = append(found, &pulumirpc.PackageDependency{
				Kind: "resource", Name: content.Pulumi.Name, Version: strings.TrimPrefix(content.Pulumi.Version, "v"),
			})
		}
	}
	return found, nil
}

// node is the Node.js that runs programs: PULUMI_NODE, else the first one on PATH.
func node() string {
	if path := os.Getenv("PULUMI_NODE"); path != "" {
		return path
	}
	return "node"
}
