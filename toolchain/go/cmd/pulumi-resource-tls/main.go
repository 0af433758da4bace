// pulumi-resource-tls serves PrivateKey of the npm package @pulumi/tls: the part of it that this project uses.
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
	tls, err := infer.NewProviderBuilder().WithResources(infer.Resource(&PrivateKey{})).Build()
	if err == nil {
		err = provider.RunProvider(context.Background(), "tls", versions.TLS, tls)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
