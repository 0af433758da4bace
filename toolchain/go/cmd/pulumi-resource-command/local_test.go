package main

import (
	"context"
	"strings"
	"testing"
)

func text(s string) *string { return &s }

func off() *bool { no := false; return &no }

func TestLocalKeepsWhatTheScriptPrinted(t *testing.T) {
	s := LocalState{LocalArgs: LocalArgs{Scripts: Scripts{Stdin: text("from stdin"), Environment: map[string]string{"WORD": "from env"}, Logging: text("none"), AddPreviousOutputInEnv: off()}}}
	if err := s.run(context.Background(), `cat; echo " $WORD"; echo aside >&2`); err != nil {
		t.Fatal(err)
	}
	if s.Stdout != "from stdin from env" || s.Stderr != "aside" {
		t.Fatalf("stdout %q, stderr %q", s.Stdout, s.Stderr)
	}
}

func TestLocalFailureShowsTheScriptAndItsOutputButNotStdin(t *testing.T) {
	s := LocalState{LocalArgs: LocalArgs{Scripts: Scripts{Stdin: text(`{"token":"a-very-secret-token"}`), Logging: text("none")}}}
	err := s.run(context.Background(), "echo before; cat; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "before") {
		t.Fatalf("error: %v", err)
	}
	if strings.Contains(err.Error(), "a-very-secret-token") {
		t.Fatalf("the error shows stdin: %v", err)
	}
}
