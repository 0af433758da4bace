// The stock Caddy: the same main as upstream's cmd/caddy, built from the same module, with no plugin added.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() {
	caddycmd.Main()
}
