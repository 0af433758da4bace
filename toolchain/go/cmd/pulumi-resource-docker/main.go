// pulumi-resource-docker serves the Terraform Docker provider under the names of the npm package @pulumi/docker.
// Not served: docker.Image, which Pulumi wrote itself.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"vpai/toolchain/internal/orphan"
	"vpai/toolchain/internal/versions"
)

func main() {
	orphan.Exit(nil)
	tfbridge.Main("docker", versions.Docker, provider(), nil)
}
