package main

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Scripts is what remote.Command and local.Command have in common, as @pulumi/command documents it.
type Scripts struct {
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Logging                *string           `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Printed is what the last script that ran has printed.
type Printed struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// runner runs a script where its resource says.
type runner interface {
	run(ctx context.Context, script string) error
}

// created runs create, if there is one. It returns the new resource's id.
func (s Scripts) created(ctx context.Context, name string, dryRun bool, where runner) (string, error) {
	id, err := resource.NewUniqueHex(name, 8, 0)
	if err == nil && !dryRun && s.Create != nil {
		err = where.run(ctx, *s.Create)
	}
	return id, err
}

// updated runs update or, without one, create.
func (s Scripts) updated(ctx context.Context, dryRun bool, where runner) error {
	script := s.Update
	if script == nil {
		script = s.Create
	}
	if dryRun || script == nil {
		return nil
	}
	return where.run(ctx, *script)
}

// deleted runs delete, if there is one, with the inputs of the last run.
func (s Scripts) deleted(ctx context.Context, where runner) error {
	if s.Delete == nil {
		return nil
	}
	return where.run(ctx, *s.Delete)
}
