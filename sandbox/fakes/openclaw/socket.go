package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"vpai.sandbox/fakes/serve"
)

const protocol = 4

// frame is one message of OpenClaw's protocol: a request, a response or an event.
type frame struct {
	Type    string          `json:"type"`
	ID      string          `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	OK      *bool           `json:"ok,omitempty"`
	Payload any             `json:"payload,omitempty"`
	Error   *fault          `json:"error,omitempty"`
	Event   string          `json:"event,omitempty"`
	Seq     int             `json:"seq,omitempty"`
}

type fault struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

// connection is one client's.
type connection struct {
	*websocket.Conn
	scopes []string
	seq    int
}

func (c *connection) answer(ctx context.Context, id string, payload any, refused *fault) error {
	ok := refused == nil
	return wsjson.Write(ctx, c.Conn, frame{Type: "res", ID: id, OK: &ok, Payload: payload, Error: refused})
}

func (c *connection) event(ctx context.Context, name string, payload any) error {
	c.seq++
	return wsjson.Write(ctx, c.Conn, frame{Type: "event", Event: name, Payload: payload, Seq: c.seq})
}

func (g *gateway) socket(w http.ResponseWriter, r *http.Request) {
	// Where it comes from is asked when it says who it is.
	accepted, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer accepted.CloseNow()
	accepted.SetReadLimit(1 << 20)
	c := &connection{Conn: accepted}
	if err := g.greet(r, c); err != nil {
		return
	}
	for {
		var asked frame
		if err := wsjson.Read(r.Context(), c.Conn, &asked); err != nil {
			return
		}
		if err := g.request(r.Context(), c, asked); err != nil {
			return
		}
	}
}

type hello struct {
	MinProtocol int `json:"minProtocol"`
	MaxProtocol int `json:"maxProtocol"`
	Client      struct {
		ID   string `json:"id"`
		Mode string `json:"mode"`
	} `json:"client"`
	Role   string   `json:"role"`
	Scopes []string `json:"scopes"`
	Auth   struct {
		Token string `json:"token"`
	} `json:"auth"`
	Device json.RawMessage `json:"device"`
}

// greet asks who it is and lets it in, or says why not.
func (g *gateway) greet(r *http.Request, c *connection) error {
	ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
	defer cancel()
	id := fmt.Sprintf("%x", time.Now().UnixNano())
	if err := wsjson.Write(ctx, c.Conn, frame{Type: "event", Event: "connect.challenge", Payload: map[string]any{"nonce": id, "ts": time.Now().UnixMilli()}}); err != nil {
		return err
	}
	var asked frame
	var said hello
	if err := wsjson.Read(ctx, c.Conn, &asked); err != nil {
		return err
	}
	refused := &fault{Code: "INVALID_REQUEST", Message: "invalid handshake: first request must be connect"}
	if asked.Type == "req" && asked.Method == "connect" && json.Unmarshal(asked.Params, &said) == nil {
		refused = g.admit(r, said)
	}
	if refused != nil {
		_ = c.answer(ctx, asked.ID, nil, refused)
		_ = c.Close(websocket.StatusPolicyViolation, refused.Message)
		return fmt.Errorf("refused")
	}
	c.scopes = []string{}
	// Only on the gateway's own machine is a client without a device more than a listener.
	if said.Client.ID == "gateway-client" && said.Client.Mode == "backend" && isLoopback(r) {
		c.scopes = said.Scopes
	}
	return c.answer(ctx, asked.ID, map[string]any{
		"type": "hello-ok", "protocol": protocol, "server": map[string]any{"version": g.Version, "connId": id},
		"features": map[string]any{"methods": methods, "events": []string{"chat", "tick"}}, "snapshot": map[string]any{},
		"auth":   map[string]any{"role": "operator", "scopes": c.scopes},
		"policy": map[string]any{"maxPayload": 1 << 20, "maxBufferedBytes": 1 << 21, "tickIntervalMs": 30000},
	}, nil)
}

func (g *gateway) admit(r *http.Request, said hello) *fault {
	refuse := func(code, message string) *fault {
		return &fault{"INVALID_REQUEST", message, map[string]any{"code": code}}
	}
	origin := r.Header.Get("Origin")
	switch {
	case said.MinProtocol > protocol || said.MaxProtocol < protocol:
		return refuse("PROTOCOL_MISMATCH", "protocol mismatch")
	case origin != "" && !slices.Contains(g.config.Gateway.ControlUi.AllowedOrigins, origin):
		return refuse("CONTROL_UI_ORIGIN_NOT_ALLOWED", "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)")
	case !serve.Same(said.Auth.Token, g.config.Gateway.Auth.Token):
		return refuse("AUTH_TOKEN_MISMATCH", "unauthorized: gateway token mismatch (provide gateway auth token)")
	case said.Device != nil:
		return refuse("PAIRING_REQUIRED", "pairing required (this fake pairs no device)")
	case said.Client.ID == "openclaw-control-ui":
		return refuse("CONTROL_UI_DEVICE_IDENTITY_REQUIRED", "control ui requires device identity (use HTTPS or localhost secure context)")
	}
	return nil
}

func isLoopback(r *http.Request) bool {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback() && r.Header.Get("X-Forwarded-For") == ""
}
