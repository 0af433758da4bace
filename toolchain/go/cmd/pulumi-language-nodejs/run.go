package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The exit status of a program that has printed its own error.
const exitReported = 32

// Run runs the program to its end.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	runner, err := findRunner(request.Info.ProgramDirectory)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, node(), arguments(request, h.engine, runner)...)
	command.Dir = request.Pwd
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if command.Env, err = environment(request); err != nil {
		return nil, err
	}
	var exit *exec.ExitError
	switch err := h.program.run(command); {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: "the program has failed: " + err.Error()}, nil
	}
}

// findRunner looks for the SDK as Node does: in the node_modules of the directory and of each one above it.
func findRunner(directory string) (string, error) {
	for at := directory; ; at = filepath.Dir(at) {
		runner := filepath.Join(at, "node_modules/@pulumi/pulumi/cmd/run")
		if _, err := os.Stat(filepath.Join(runner, "index.js")); err == nil {
			return runner, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("@pulumi/pulumi is not installed for %s: run npm ci there", directory)
		}
	}
}

func arguments(request *pulumirpc.RunRequest, engine, runner string) []string {
	var list []string
	if given, ok := request.Info.GetOptions().AsMap()["nodeargs"].(string); ok {
		list = strings.Fields(given)
	}
	list = append(list, runner,
		"--monitor="+request.MonitorAddress,
		"--engine="+engine,
		"--organization="+request.Organization,
		"--project="+request.Project,
		"--stack="+request.Stack,
		"--pwd="+request.Pwd,
		"--root-directory="+request.Info.RootDirectory,
		"--parallel="+strconv.Itoa(int(request.Parallel)))
	if request.DryRun {
		list = append(list, "--dry-run")
	}
	return append(append(list, request.Info.EntryPoint), request.Args...)
}

// environment carries the configuration, with its secrets: not even a program's argv may.
func environment(request *pulumirpc.RunRequest) ([]string, error) {
	config, secretKeys := request.Config, request.ConfigSecretKeys
	if config == nil {
		config = map[string]string{}
	}
	if secretKeys == nil {
		secretKeys = []string{}
	}
	configText, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keysText, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	list := append(os.Environ(), "PULUMI_CONFIG="+string(configText), "PULUMI_CONFIG_SECRET_KEYS="+string(keysText))
	if request.Info.GetOptions().AsMap()["typescript"] != false {
		list = append(list, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	return list, nil
}

// child is the one program that runs, if any: it must not outlive the host.
type child struct {
	mu      sync.Mutex
	process *os.Process
}

func (c *child) run(command *exec.Cmd) error {
	c.mu.Lock()
	err := command.Start()
	c.process = command.Process
	c.mu.Unlock()
	if err != nil {
		return err
	}
	err = command.Wait()
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	return err
}

func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		c.process.Kill()
	}
}
