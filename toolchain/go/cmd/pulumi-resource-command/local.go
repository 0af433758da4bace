package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Local is local.Command: scripts run on this machine when the resource is created, updated and deleted.
type Local struct{}

// LocalArgs are the inputs, as @pulumi/command documents them.
type LocalArgs struct {
	Scripts
	Dir         *string   `pulumi:"dir,optional"`
	Interpreter *[]string `pulumi:"interpreter,optional"`
}

// LocalState is the inputs and what the last script printed.
type LocalState struct {
	LocalArgs
	Printed
}

// Annotate gives the resource the npm package's token.
func (*Local) Annotate(a infer.Annotator) { a.SetToken("local", "Command") }

// Create makes the resource.
func (*Local) Create(ctx context.Context, request infer.CreateRequest[LocalArgs]) (infer.CreateResponse[LocalState], error) {
	state := LocalState{LocalArgs: request.Inputs}
	id, err := state.created(ctx, request.Name, request.DryRun, &state)
	return infer.CreateResponse[LocalState]{ID: id, Output: state}, err
}

// Update brings it to new inputs.
func (*Local) Update(ctx context.Context, request infer.UpdateRequest[LocalArgs, LocalState]) (infer.UpdateResponse[LocalState], error) {
	state := LocalState{LocalArgs: request.Inputs, Printed: request.State.Printed}
	err := state.updated(ctx, request.DryRun, &state)
	return infer.UpdateResponse[LocalState]{Output: state}, err
}

// Delete removes it.
func (*Local) Delete(ctx context.Context, request infer.DeleteRequest[LocalState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, request.State.deleted(ctx, &request.State)
}

// run runs script with the interpreter (default: /bin/sh -c) and keeps what it printed.
func (s *LocalState) run(ctx context.Context, script string) error {
	secrets := secretsOf(s.Environment, s.Stdin, nil)
	printed := newOutput(or(s.Logging, "stdoutAndStderr"), func(line string) {
		provider.GetLogger(ctx).InfoStatus(secrets.hide(line))
	})
	argv := append(append([]string{}, or(s.Interpreter, []string{"/bin/sh", "-c"})...), script)
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Dir = or(s.Dir, "")
	command.Env = os.Environ()
	if or(s.AddPreviousOutputInEnv, true) {
		command.Env = append(command.Env, "PULUMI_COMMAND_STDOUT="+s.Stdout, "PULUMI_COMMAND_STDERR="+s.Stderr)
	}
	for name, value := range s.Environment {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdin = strings.NewReader(or(s.Stdin, ""))
	command.Stdout, command.Stderr = printed.stdout(), printed.stderr()
	err := command.Run()
	printed.flush()
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, script, secrets.hide(printed.both.String()))
	}
	s.Stdout, s.Stderr = strings.TrimSuffix(printed.out.String(), "\n"), strings.TrimSuffix(printed.err.String(), "\n")
	return nil
}
