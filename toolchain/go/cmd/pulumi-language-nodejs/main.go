// pulumi-language-nodejs is the part of Pulumi's Node.js language host that preview, up, refresh and destroy need:
// it says which plugins a program needs and runs the program under the @pulumi/pulumi that the program has installed.
// Not served: pulumi install, pulumi new, policy packs, components of other languages.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"vpai/toolchain/internal/orphan"
)

func main() {
	flag.String("tracing", "", "taken, not used")
	flag.String("root", "", "taken, not used")
	flag.Parse()
	if err := serve(&host{engine: flag.Arg(0)}); err != nil {
		cmdutil.Exit(err)
	}
}

// serve answers the engine until it sends SIGINT or ends. A host that ignores SIGINT costs ten seconds a run: the
// engine waits five for it, twice.
func serve(h *host) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	orphan.Exit(h.program.kill)
	if h.engine != "" {
		if err := rpcutil.Healthcheck(ctx, h.engine, 5*time.Minute, stop); err != nil {
			return err
		}
	}
	done := make(chan bool)
	context.AfterFunc(ctx, func() { close(done) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: done,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	err = <-handle.Done
	h.program.kill()
	return err
}
