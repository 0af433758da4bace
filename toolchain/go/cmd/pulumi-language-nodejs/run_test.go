package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

func request(t *testing.T, options map[string]any) *pulumirpc.RunRequest {
	t.Helper()
	made, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.RunRequest{
		MonitorAddress: "127.0.0.1:1", Organization: "org", Project: "p", Stack: "s", Pwd: "/w", Parallel: 4,
		Config:           map[string]string{"p:token": "hunter22"},
		ConfigSecretKeys: []string{"p:token"},
		Info:             &pulumirpc.ProgramInfo{RootDirectory: "/w", ProgramDirectory: "/w", EntryPoint: "index.ts", Options: made},
	}
}

func TestArguments(t *testing.T) {
	dry := request(t, map[string]any{"nodeargs": "--a --b"})
	dry.DryRun, dry.Args = true, []string{"x"}
	got := arguments(dry, "127.0.0.1:2", "/sdk/run")
	want := []string{"--a", "--b", "/sdk/run", "--monitor=127.0.0.1:1", "--engine=127.0.0.1:2", "--organization=org",
		"--project=p", "--stack=s", "--pwd=/w", "--root-directory=/w", "--parallel=4", "--dry-run", "index.ts", "x"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestEnvironment(t *testing.T) {
	for typescript, wanted := range map[bool]bool{true: true, false: false} {
		got, err := environment(request(t, map[string]any{"typescript": typescript}))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(got, "PULUMI_NODEJS_TYPESCRIPT=true") != wanted {
			t.Errorf("typescript: %v is not heeded", typescript)
		}
		for _, entry := range []string{`PULUMI_CONFIG={"p:token":"hunter22"}`, `PULUMI_CONFIG_SECRET_KEYS=["p:token"]`} {
			if !slices.Contains(got, entry) {
				t.Errorf("%s is missing", entry)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRunnerIsFoundAboveTheProgram(t *testing.T) {
	root := t.TempDir()
	if _, err := findRunner(root); err == nil {
		t.Fatal("found a runner where there is none")
	}
	write(t, filepath.Join(root, "node_modules/@pulumi/pulumi/cmd/run/index.js"), "")
	got, err := findRunner(filepath.Join(root, "a/b"))
	if want := filepath.Join(root, "node_modules/@pulumi/pulumi/cmd/run"); err != nil || got != want {
		t.Fatalf("got %q, %v, not %q", got, err, want)
	}
}

func TestRequiredPackages(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "node_modules/@pulumi/pulumi/package.json"), `{"version":"3.0.0"}`)
	write(t, filepath.Join(root, "node_modules/@pulumi/docker/package.json"), `{"pulumi":{"resource":true,"name":"docker","version":"v5.2.0"}}`)
	found, err := requiredPackages(root)
	if err != nil || len(found) != 1 || found[0].Name != "docker" || found[0].Version != "5.2.0" {
		t.Fatalf("found %v, %v", found, err)
	}
}
