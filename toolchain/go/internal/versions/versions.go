// Package versions holds what the builder sets with -ldflags -X, from package.json: the only place
// that names the versions of the npm SDKs, which these plugins serve.
package versions

// A build without the flags says so; the engine refuses such a plugin.
var (
	Pulumi  = "0.0.0-unset"
	Docker  = "0.0.0-unset"
	Random  = "0.0.0-unset"
	Hcloud  = "0.0.0-unset"
	Command = "0.0.0-unset"
	TLS     = "0.0.0-unset"
)
