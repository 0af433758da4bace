package main

import (
	"os"
	"testing"
	"time"
)

const timeout = 10 * time.Second

func waitFor(t *testing.T, path string) {
	t.Helper()
	var err error
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err = os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("no %s: %v", path, err)
}

func within(t *testing.T, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(timeout):
		t.Fatal("still waiting")
		return nil
	}
}

// unblock lets the script that reads from the pipe end.
func unblock(t *testing.T, pipe string) {
	t.Helper()
	file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
}
