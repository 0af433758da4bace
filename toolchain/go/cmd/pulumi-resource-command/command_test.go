package main

import (
	"context"
	"strings"
	"testing"

	"github.com/blang/semver"
	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var urn = resource.NewURN("s", "p", "", "command:remote:Command", "it")

func serve(t *testing.T) integration.Server {
	t.Helper()
	command, err := infer.NewProviderBuilder().WithResources(infer.Resource(&Command{})).Build()
	if err != nil {
		t.Fatal(err)
	}
	server, err := integration.NewServer(context.Background(), "command", semver.MustParse("1.0.0"), integration.WithProvider(command))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func (s *sshd) inputs(fields map[string]property.Value) property.Map {
	all := map[string]property.Value{
		"logging": property.New("none"),
		"connection": property.New(property.NewMap(map[string]property.Value{
			"host": property.New("127.0.0.1"), "port": property.New(s.port), "user": property.New("root"),
			"privateKey": property.New(s.clientKey), "hostKey": property.New(s.hostKey), "dialErrorLimit": property.New(0.0),
		})),
	}
	for name, value := range fields {
		all[name] = value
	}
	return property.NewMap(all)
}

func TestStdinReachesTheScriptAndOutputTheState(t *testing.T) {
	made, err := serve(t).Create(provider.CreateRequest{Urn: urn, Properties: startSSHD(t).inputs(map[string]property.Value{
		"create": property.New("cat; echo problem >&2"), "stdin": property.New("hello\n"),
	})})
	if err != nil {
		t.Fatal(err)
	}
	if out, problem := made.Properties.Get("stdout").AsString(), made.Properties.Get("stderr").AsString(); out != "hello" || problem != "problem" {
		t.Errorf("stdout %q, stderr %q", out, problem)
	}
	if !strings.HasPrefix(made.ID, "it") {
		t.Errorf("id %q", made.ID)
	}
}

func TestPreviewDoesNotConnect(t *testing.T) {
	host := startSSHD(t)
	_, err := serve(t).Create(provider.CreateRequest{Urn: urn, DryRun: true, Properties: host.inputs(map[string]property.Value{"create": property.New("true")})})
	if err != nil || host.logins != 0 {
		t.Errorf("%v, %d logins", err, host.logins)
	}
}

func TestUpdateFallsBackToCreate(t *testing.T) {
	server, host := serve(t), startSSHD(t)
	for want, fields := range map[string]map[string]property.Value{
		"made":    {"create": property.New("echo made")},
		"updated": {"create": property.New("echo made"), "update": property.New("echo updated")},
	} {
		changed, err := server.Update(provider.UpdateRequest{Urn: urn, ID: "x", State: host.inputs(map[string]property.Value{"stdout": property.New(""), "stderr": property.New("")}), Inputs: host.inputs(fields)})
		if err != nil {
			t.Fatal(err)
		}
		if got := changed.Properties.Get("stdout").AsString(); got != want {
			t.Errorf("ran %q, not %q", got, want)
		}
	}
}

// The npm package has the engine replace on triggers[*]: the plugin's part is to name the element that differs.
func TestEveryChangedInputIsAnUpdate(t *testing.T) {
	server, host := serve(t), startSSHD(t)
	triggers := func(value string) property.Value {
		return property.New([]property.Value{property.New(value)})
	}
	before := host.inputs(map[string]property.Value{
		"triggers": triggers("a"), "stdin": property.New("a"), "stdout": property.New("printed"), "stderr": property.New(""),
	})
	for changed, want := range map[string]string{"triggers": "triggers[0]", "stdin": "stdin", "": ""} {
		fields := map[string]property.Value{"triggers": triggers("a"), "stdin": property.New("a")}
		switch changed {
		case "triggers":
			fields[changed] = triggers("b")
		case "stdin":
			fields[changed] = property.New("b")
		}
		diff, err := server.Diff(provider.DiffRequest{Urn: urn, ID: "x", State: before, Inputs: host.inputs(fields)})
		if err != nil {
			t.Fatal(err)
		}
		if _, named := diff.DetailedDiff[want]; diff.HasChanges != (want != "") || named != (want != "") {
			t.Errorf("%q: %+v", changed, diff)
		}
	}
}

func TestFailureShowsTheScriptAndNoSecret(t *testing.T) {
	stdin := `{"path":"/opt/vpai/config/n8n/env","content":"export DB_PASSWORD=wJalr-plain-1\nKEY='tok en 22222'\n","list":["deep-secret-3"]}`
	script := `input=$(cat); set -x; echo "$input"; echo wJalr-plain-1 deep-secret-3 "tok en 22222" >&2; echo "$TOKEN"; echo "/opt/vpai/config/n8n/env: no space left" >&2; exit 3`
	_, err := serve(t).Create(provider.CreateRequest{Urn: urn, Properties: startSSHD(t).inputs(map[string]property.Value{
		"create": property.New(script), "stdin": property.New(stdin),
		"environment": property.New(property.NewMap(map[string]property.Value{"TOKEN": property.New("environ-secret-4")})),
	})})
	if err == nil {
		t.Fatal("did not fail")
	}
	text := err.Error()
	shown := text[strings.Index(text, "on 127.0.0.1:"):] // the script itself may be shown
	for _, secret := range []string{"wJalr-plain-1", "deep-secret-3", "tok en 22222", "environ-secret-4", "DB_PASSWORD"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is in:\n%s", secret, shown)
		}
	}
	for _, want := range []string{"status 3", "set -x", "/opt/vpai/config/n8n/env: no space left"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func TestOtherHostKeyIsRefused(t *testing.T) {
	host, other := startSSHD(t), startSSHD(t)
	host.hostKey = other.hostKey
	_, err := serve(t).Create(provider.CreateRequest{Urn: urn, Properties: host.inputs(map[string]property.Value{"create": property.New("true")})})
	if err == nil || !strings.Contains(err.Error(), "host key mismatch") || host.logins != 0 {
		t.Errorf("%v, %d logins", err, host.logins)
	}
	if err != nil && strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Errorf("the key is in: %v", err)
	}
}

func TestRefusedEnvironmentSaysWhy(t *testing.T) {
	_, err := serve(t).Create(provider.CreateRequest{Urn: urn, Properties: startSSHD(t).inputs(map[string]property.Value{
		"create": property.New("true"), "environment": property.New(property.NewMap(map[string]property.Value{"REFUSED": property.New("value-of-it")})),
	})})
	if err == nil || !strings.Contains(err.Error(), "AcceptEnv") || strings.Contains(err.Error(), "value-of-it") {
		t.Errorf("%v", err)
	}
}

func TestCancelEndsTheWait(t *testing.T) {
	server, host := serve(t), startSSHD(t)
	failed := make(chan error, 1)
	started := t.TempDir() + "/started"
	go func() {
		_, err := server.Create(provider.CreateRequest{Urn: urn, Properties: host.inputs(map[string]property.Value{
			"create": property.New("mkfifo " + started + ".in; echo > " + started + "; read line < " + started + ".in"),
		})})
		failed <- err
	}()
	waitFor(t, started)
	if err := server.Cancel(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, failed); err == nil {
		t.Error("did not fail")
	}
	unblock(t, started+".in")
}
