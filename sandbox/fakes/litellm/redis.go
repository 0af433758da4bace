package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// redis is one connection to a Redis, made anew when it breaks. It speaks what this fake needs of RESP2.
type redis struct {
	params cacheParams
	mu     sync.Mutex
	conn   net.Conn
	reader *bufio.Reader
}

// refusal is Redis's own "no".
type refusal string

func (r refusal) Error() string { return string(r) }

var errNone = errors.New("no such key")

// checkRights does what LiteLLM's client does at its start, and so finds an account that may too little.
func (r *redis) checkRights() error {
	channel := r.params.Namespace + ":litellm_proxy.auth_cache_invalidation"
	probe := r.params.Namespace + ":sandbox-fake"
	for _, command := range [][]string{
		{"INFO"}, {"PING"}, {"SET", probe, "1", "EX", "1"}, {"INCRBYFLOAT", probe, "0.5"}, {"TTL", probe},
		{"EVAL", "return redis.call('GET', KEYS[1])", "1", probe}, {"SCAN", "0", "COUNT", "1"}, {"DEL", probe},
		{"PUBLISH", channel, "{}"},
	} {
		if _, err := r.do(command...); err != nil {
			return fmt.Errorf("redis: %s: %w", command[0], err)
		}
	}
	return nil
}

// do sends one command and answers its reply as text.
func (r *redis) do(words ...string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		if err := r.connect(); err != nil {
			return "", err
		}
	}
	reply, err := r.ask(words)
	var no refusal
	if err != nil && !errors.As(err, &no) && !errors.Is(err, errNone) {
		r.conn.Close()
		r.conn = nil
	}
	return reply, err
}

func (r *redis) connect() error {
	address := net.JoinHostPort(r.params.Host, strconv.Itoa(r.params.Port))
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	r.conn, r.reader = conn, bufio.NewReader(conn)
	if _, err := r.ask([]string{"AUTH", r.params.Username, r.params.Password}); err != nil {
		conn.Close()
		r.conn = nil
		return err
	}
	return nil
}

func (r *redis) ask(words []string) (string, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	_ = r.conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(r.conn, request.String()); err != nil {
		return "", err
	}
	return r.reply()
}

func (r *redis) reply() (string, error) {
	line, err := r.reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, rest := line[0], strings.TrimRight(line[1:], "\r\n")
	length, _ := strconv.Atoi(rest)
	switch {
	case kind == '-':
		return "", refusal(rest)
	case (kind == '$' || kind == '*') && length < 0:
		return "", errNone
	case kind == '$':
		body := make([]byte, length+2)
		_, err := io.ReadFull(r.reader, body)
		return string(body[:length]), err
	case kind == '*':
		parts := make([]string, length)
		for i := range parts {
			if parts[i], err = r.reply(); err != nil && !errors.Is(err, errNone) {
				return "", err
			}
		}
		return strings.Join(parts, " "), nil
	}
	return rest, nil
}
