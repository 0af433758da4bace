// Package shim hands out the random provider, which upstream keeps in an internal package.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	internal "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// New returns upstream's provider.
func New() provider.Provider { return internal.New() }
