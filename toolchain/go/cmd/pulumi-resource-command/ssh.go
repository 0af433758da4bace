package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Endpoint is what a connection and its proxy have in common. The npm package fills in its documented defaults; they
// are repeated here for inputs from elsewhere.
type Endpoint struct {
	Host               string   `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional" provider:"secret"`
	PrivateKey         *string  `pulumi:"privateKey,optional" provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
}

// Proxy is one machine on the way.
type Proxy struct{ Endpoint }

// Connection is how to reach the machine that runs the scripts.
type Connection struct {
	Endpoint
	Proxy *Proxy `pulumi:"proxy,optional"`
}

func or[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}

func (c *Connection) credentials() (texts []string) {
	ends := []Endpoint{c.Endpoint}
	if c.Proxy != nil {
		ends = append(ends, c.Proxy.Endpoint)
	}
	for _, end := range ends {
		texts = append(texts, or(end.Password, ""), or(end.PrivateKey, ""), or(end.PrivateKeyPassword, ""))
	}
	return texts
}

func (e Endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(or(e.Port, 22))))
}

func (e Endpoint) timeout() time.Duration {
	return time.Duration(or(e.PerDialTimeout, 15)) * time.Second
}

func (e Endpoint) config() (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: or(e.User, "root"), HostKeyCallback: ssh.InsecureIgnoreHostKey()} // documented: no hostKey, no check
	if e.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, fmt.Errorf("connection.hostKey: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = []string{key.Type()}
		if key.Type() == ssh.KeyAlgoRSA { // a key's type is not the algorithm of its signatures
			config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
	}
	if e.PrivateKey != nil {
		signer, err := signer(*e.PrivateKey, e.PrivateKeyPassword)
		if err != nil {
			return nil, fmt.Errorf("connection.privateKey: %w", err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password))
	}
	return config, nil
}

func signer(key string, password *string) (ssh.Signer, error) {
	if password != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(*password))
	}
	return ssh.ParsePrivateKey([]byte(key))
}

// useAgent offers the agent's keys after the others; done closes the agent's connection. Only a socket that was asked
// for has to answer: SSH_AUTH_SOCK often points to an agent that no longer runs.
func (e Endpoint) useAgent(config *ssh.ClientConfig) (done func(), err error) {
	path := or(e.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK"))
	if path == "" {
		return func() {}, nil
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		if e.AgentSocketPath == nil && len(config.Auth) > 0 {
			return func() {}, nil
		}
		return nil, fmt.Errorf("ssh agent: %w", err)
	}
	config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	return func() { conn.Close() }, nil
}

type opener func(ctx context.Context, network, address string) (net.Conn, error)

// dial connects through the proxy, if there is one.
func (c *Connection) dial(ctx context.Context) (*ssh.Client, error) {
	open := opener(new(net.Dialer).DialContext)
	if c.Proxy != nil {
		proxy, err := c.Proxy.login(ctx, open)
		if err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
		client, err := c.login(ctx, proxy.DialContext)
		if err != nil {
			proxy.Close()
			return nil, err
		}
		go func() {
			client.Wait()
			proxy.Close()
		}()
		return client, nil
	}
	return c.login(ctx, open)
}

// login tries until it is in or has failed more than dialErrorLimit times (-1: for ever).
func (e Endpoint) login(ctx context.Context, open opener) (*ssh.Client, error) {
	config, err := e.config()
	if err != nil {
		return nil, err
	}
	done, err := e.useAgent(config)
	if err != nil {
		return nil, err
	}
	defer done()
	limit := or(e.DialErrorLimit, 10)
	for try, wait := 1, 100*time.Millisecond; ; try, wait = try+1, min(wait*3/2, 5*time.Second) {
		client, err := e.once(ctx, open, config)
		if err == nil {
			go keepAlive(client, 15*time.Second)
			return client, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if limit >= 0 && try > limit {
			return nil, fmt.Errorf("after %d failed attempts to reach %s: %w", try, e.address(), err)
		}
		provider.GetLogger(ctx).InfoStatusf("Dial %d/%d to %s failed, retrying: %v", try, limit, e.address(), err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// once connects and logs in within perDialTimeout.
func (e Endpoint) once(ctx context.Context, open opener, config *ssh.ClientConfig) (*ssh.Client, error) {
	if limit := e.timeout(); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	conn, err := open(ctx, "tcp", e.address())
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends a handshake that hangs
	login, channels, requests, err := ssh.NewClientConn(conn, e.address(), config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(login, channels, requests), nil
}

// keepAlive closes the connection to a machine that went away without closing it, such as after a power cut: without
// it a script on it would be waited for until the kernel gives up, which takes hours.
func keepAlive(client *ssh.Client, every time.Duration) {
	for {
		time.Sleep(every)
		answered := make(chan error, 1)
		go func() {
			_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case err := <-answered:
			if err != nil {
				return
			}
		case <-time.After(2 * every):
			client.Close()
			return
		}
	}
}
