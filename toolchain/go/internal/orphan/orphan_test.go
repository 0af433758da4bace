package orphan

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// The test binary plays three parts: the test starts a parent, the parent starts a child that watches it.
func TestMain(m *testing.M) {
	switch os.Getenv("ORPHAN_PART") {
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "ORPHAN_PART=child")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		// Not select {}: Go ends a program whose goroutines are all blocked, under load before the child has started.
		time.Sleep(time.Minute)
	case "child":
		Exit(func() { fmt.Println("cleaned") })
		fmt.Println("watching")
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

func TestKilledParentEndsTheChild(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "ORPHAN_PART=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "watching\n" {
		t.Fatalf("the child printed %q, %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	rest, err := io.ReadAll(lines) // ends when the last holder of the pipe, the child, has ended
	if err != nil || string(rest) != "cleaned\n" {
		t.Fatalf("the child printed %q, %v", rest, err)
	}
	if took := time.Since(killed); took > 5*time.Second {
		t.Fatalf("the child outlived its parent by %v", took)
	}
}
