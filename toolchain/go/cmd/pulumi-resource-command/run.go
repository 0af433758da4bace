package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

// run runs script over there and keeps what it printed. The error of a failed one shows the script and its output,
// as the official plugin's does, but nothing of what went in by stdin, the environment or the connection.
func (s *CommandState) run(ctx context.Context, script string) error {
	client, err := s.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	// Ctrl-C ends the wait; whether the script ends with its connection is up to the script.
	defer context.AfterFunc(ctx, func() { client.Close() })()
	session, err := client.NewSession()
	if err != nil {
		return fmt.Errorf("%s: %w", s.Connection.address(), err)
	}
	defer session.Close()
	if err := s.setEnvironment(ctx, session); err != nil {
		return err
	}

	secrets := secretsOf(s.Environment, s.Stdin, s.Connection.credentials())
	printed := newOutput(or(s.Logging, "stdoutAndStderr"), func(line string) {
		provider.GetLogger(ctx).InfoStatus(secrets.hide(line))
	})
	session.Stdin = strings.NewReader(or(s.Stdin, ""))
	session.Stdout, session.Stderr = printed.stdout(), printed.stderr()
	err = session.Run(script)
	printed.flush()
	if err != nil {
		return fmt.Errorf("%w: running %q on %s:\n%s", err, script, s.Connection.Host, secrets.hide(printed.both.String()))
	}
	s.Stdout, s.Stderr = strings.TrimSuffix(printed.out.String(), "\n"), strings.TrimSuffix(printed.err.String(), "\n")
	return nil
}

func (s *CommandState) setEnvironment(ctx context.Context, session *ssh.Session) error {
	for name, value := range s.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf("environment %s: %w (sshd takes only what its AcceptEnv names; "+
				"else set it in the command: %s=value command)", name, err, name)
		}
	}
	if !or(s.AddPreviousOutputInEnv, true) {
		return nil
	}
	for name, value := range map[string]string{"PULUMI_COMMAND_STDOUT": s.Stdout, "PULUMI_COMMAND_STDERR": s.Stderr} {
		if value == "" {
			continue
		}
		if err := session.Setenv(name, value); err != nil { // on by default, so few want it: no reason to fail
			provider.GetLogger(ctx).Debugf("%s was not taken by sshd", name)
		}
	}
	return nil
}

// output collects what a script prints, and hands the lines of the streams that logging names to log as they come.
type output struct {
	mu             sync.Mutex
	out, err, both bytes.Buffer
	logging        string
	log            func(line string)
	outLog, errLog lines
}

func newOutput(logging string, log func(string)) *output {
	return &output{logging: logging, log: log}
}

func (o *output) stdout() io.Writer {
	return writer(func(b []byte) { o.take(b, &o.out, &o.outLog, o.logging == "stdout" || o.logging == "stdoutAndStderr") })
}

func (o *output) stderr() io.Writer {
	return writer(func(b []byte) { o.take(b, &o.err, &o.errLog, o.logging == "stderr" || o.logging == "stdoutAndStderr") })
}

func (o *output) take(b []byte, own *bytes.Buffer, pending *lines, logged bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	own.Write(b)
	o.both.Write(b)
	if logged {
		pending.add(b, o.log)
	}
}

// flush logs last lines that have no end.
func (o *output) flush() {
	o.outLog.add([]byte("\n"), o.log)
	o.errLog.add([]byte("\n"), o.log)
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// lines cuts a stream into lines; empty ones are left out.
type lines struct{ rest []byte }

func (l *lines) add(b []byte, each func(string)) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return
		}
		if text := strings.TrimRight(string(line), "\r"); text != "" {
			each(text)
		}
		l.rest = rest
	}
}
