// Package shim hands out the Docker provider, which upstream keeps in an internal package.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// New returns upstream's provider, telling Docker daemons that it is of this version.
func New(version string) *schema.Provider { return provider.New(version)() }
