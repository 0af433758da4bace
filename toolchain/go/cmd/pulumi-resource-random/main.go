// pulumi-resource-random serves the Terraform random provider under the names of the npm package @pulumi/random.
package main

import (
	"context"
	"fmt"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"vpai/toolchain/internal/orphan"
	"vpai/toolchain/internal/versions"
)

func main() {
	orphan.Exit(nil)
	pf.Main(context.Background(), "random", provider(), pf.ProviderMetadata{
		PackageSchema: fmt.Appendf(nil, `{"name":"random","version":%q}`, versions.Random),
	})
}
