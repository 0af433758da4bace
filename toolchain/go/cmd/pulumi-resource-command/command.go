package main

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Command is remote.Command: scripts run over SSH when the resource is created, updated and deleted.
type Command struct{}

// CommandArgs are the inputs, as @pulumi/command documents them.
type CommandArgs struct {
	Scripts
	Connection *Connection `pulumi:"connection" provider:"secret"`
}

// CommandState is the inputs and what the last script printed.
type CommandState struct {
	CommandArgs
	Printed
}

// Annotate gives the resource the npm package's token.
func (*Command) Annotate(a infer.Annotator) { a.SetToken("remote", "Command") }

// Create makes the resource.
func (*Command) Create(ctx context.Context, request infer.CreateRequest[CommandArgs]) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandArgs: request.Inputs}
	id, err := state.created(ctx, request.Name, request.DryRun, &state)
	return infer.CreateResponse[CommandState]{ID: id, Output: state}, err
}

// Update brings it to new inputs.
func (*Command) Update(ctx context.Context, request infer.UpdateRequest[CommandArgs, CommandState]) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandArgs: request.Inputs, Printed: request.State.Printed}
	err := state.updated(ctx, request.DryRun, &state)
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

// Delete removes it.
func (*Command) Delete(ctx context.Context, request infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, request.State.deleted(ctx, &request.State)
}
