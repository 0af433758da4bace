package main

import (
	"context"

	"github.com/hetznercloud/terraform-provider-hcloud/hcloud"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"vpai/toolchain/internal/versions"
)

func provider(ctx context.Context) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            pf.MuxShimWithPF(ctx, sdkv2.NewProvider(hcloud.Provider()), hcloud.NewPluginProvider()),
		Name:         "hcloud",
		Version:      versions.Hcloud,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources: map[string]*tfbridge.ResourceInfo{
			"hcloud_server": {PreCheckCallback: emptyAliasIPs},
		},
	}
	stringIDs(&info)
	info.MustComputeTokens(tokens.SingleModule("hcloud_", "index", tokens.MakeStandard("hcloud")))
	info.SetAutonaming(255, "-")
	if err := resolveMux(&info); err != nil {
		panic(err)
	}
	return info
}

// stringIDs makes strings of the numbers that some resources have for an id: Pulumi knows no others.
func stringIDs(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, r shim.Resource) bool {
		id, ok := r.Schema().GetOk("id")
		if !ok || id.Type() == shim.TypeString {
			return true
		}
		if info.Resources[name] == nil {
			info.Resources[name] = &tfbridge.ResourceInfo{}
		}
		info.Resources[name].Fields = map[string]*tfbridge.SchemaInfo{"id": {Type: "string"}}
		return true
	})
}

// resolveMux records which of the two providers behind the mux serves which token. The official plugin carries the
// answer in its generated schema; there is none here, and working it out costs little.
func resolveMux(info *tfbridge.ProviderInfo) error {
	mux := info.P.(interface {
		ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	table, err := mux.ResolveDispatch(info)
	if err != nil {
		return err
	}
	return metadata.Set(info.GetMetadata(), "mux", table)
}

// emptyAliasIPs fills in what hcloud would otherwise see as a change in every run
// (hetznercloud/terraform-provider-hcloud#650).
func emptyAliasIPs(_ context.Context, inputs, _ resource.PropertyMap) (resource.PropertyMap, error) {
	networks := inputs["networks"]
	if !networks.IsArray() {
		return inputs, nil
	}
	for _, network := range networks.ArrayValue() {
		if !network.IsObject() {
			continue
		}
		if _, given := network.ObjectValue()["aliasIps"]; !given {
			network.ObjectValue()["aliasIps"] = resource.NewProperty([]resource.PropertyValue{})
		}
	}
	return inputs, nil
}
