// pulumi-resource-hcloud serves the Terraform Hetzner Cloud provider under the names of the npm package @pulumi/hcloud.
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
	ctx := context.Background()
	pf.MainWithMuxer(ctx, "hcloud", provider(ctx), fmt.Appendf(nil, `{"name":"hcloud","version":%q}`, versions.Hcloud))
}
