// pulumi-resource-command serves remote.Command and local.Command of the npm package @pulumi/command: the part of it
// that this project uses.
package main

import (
	"context"
	"fmt"
	"os"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"vpai/toolchain/internal/orphan"
	"vpai/toolchain/internal/versions"
)

func main() {
	orphan.Exit(nil)
	command, err := infer.NewProviderBuilder().WithResources(infer.Resource(&Command{}), infer.Resource(&Local{})).Build()
	if err == nil {
		err = provider.RunProvider(context.Background(), "command", versions.Command, command)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
