package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// sshd is a real SSH server that runs each command with sh, here.
type sshd struct {
	hostKey, clientKey string // authorized_keys form, PEM
	port               float64
	mu                 sync.Mutex
	logins             int
}

func key(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

func startSSHD(t *testing.T) *sshd {
	t.Helper()
	host, _ := key(t)
	client, clientPem := key(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if string(offered.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, io.EOF
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	server := &sshd{
		hostKey:   string(ssh.MarshalAuthorizedKey(host.PublicKey())),
		clientKey: clientPem,
		port:      float64(listener.Addr().(*net.TCPAddr).Port),
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go server.serve(conn, config)
		}
	}()
	return server
}

func (s *sshd) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go session(channel, requests)
	}
}

func session(channel ssh.Channel, requests <-chan *ssh.Request) {
	var environment []string
	for request := range requests {
		switch request.Type {
		case "env":
			var pair struct{ Name, Value string }
			taken := ssh.Unmarshal(request.Payload, &pair) == nil && pair.Name != "REFUSED"
			environment = append(environment, pair.Name+"="+pair.Value)
			request.Reply(taken, nil)
		case "exec":
			var text struct{ Command string }
			request.Reply(ssh.Unmarshal(request.Payload, &text) == nil, nil)
			command := exec.Command("sh", "-c", text.Command)
			command.Env = append(command.Environ(), environment...)
			command.Stdin, command.Stdout, command.Stderr = channel, channel, channel.Stderr()
			status := uint32(0)
			if err := command.Run(); err != nil {
				status = uint32(command.ProcessState.ExitCode())
			}
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			channel.Close()
		default:
			request.Reply(false, nil)
		}
	}
}
