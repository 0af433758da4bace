package main

import (
	"context"
	"errors"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	random "github.com/terraform-providers/terraform-provider-random/shim"

	"vpai/toolchain/internal/versions"
)

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            pf.ShimProvider(random.New()),
		Name:         "random",
		Version:      versions.Random,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources: map[string]*tfbridge.ResourceInfo{
			"random_bytes": {ComputeID: bytesID},
		},
		EnableAccurateBridgePreview: true,
		EnableRawStateDelta:         true,
	}
	standard := tokens.MakeStandard("random")
	info.MustComputeTokens(tokens.SingleModule("random_", "index", func(module, name string) (string, error) {
		return standard(module, "Random"+name)
	}))
	return info
}

// bytesID makes up for random_bytes having no id: it is the base64 text.
func bytesID(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	text := state["base64"]
	if text.IsSecret() {
		text = text.SecretValue().Element
	}
	if !text.IsString() {
		return "", errors.New("random_bytes: base64 is no string")
	}
	return resource.ID(text.StringValue()), nil
}
