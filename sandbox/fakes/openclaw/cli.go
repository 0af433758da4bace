package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// agent is the command of this name: one turn, over the gateway of this machine.
func agent(config Config, words []string) {
	text := ""
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "--agent" && i+1 < len(words) && words[i+1] == "main":
			i++
		case words[i] == "--message" && i+1 < len(words):
			i++
			text = words[i]
		default:
			fmt.Fprintf(os.Stderr, "The fake of OpenClaw knows `agent --agent main --message TEXT`, not %q\n", words)
			os.Exit(2)
		}
	}
	answered, err := turn(config, text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answered)
}

func turn(config Config, text string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d/", config.Gateway.Port), nil)
	if err != nil {
		return "", err
	}
	defer socket.CloseNow()
	send := func(id, method string, params any) error {
		raw, _ := json.Marshal(params)
		return wsjson.Write(ctx, socket, frame{Type: "req", ID: id, Method: method, Params: raw})
	}
	connect := map[string]any{
		"minProtocol": protocol, "maxProtocol": protocol, "client": map[string]any{"id": "gateway-client", "mode": "backend"},
		"role": "operator", "scopes": []string{"operator.read", "operator.write"}, "auth": map[string]any{"token": config.Gateway.Auth.Token},
	}
	for {
		var heard struct {
			frame
			Payload json.RawMessage `json:"payload"`
		}
		if err := wsjson.Read(ctx, socket, &heard); err != nil {
			return "", err
		}
		switch {
		case heard.Event == "connect.challenge":
			err = send("1", "connect", connect)
		case heard.Error != nil:
			return "", fmt.Errorf("%s", heard.Error.Message)
		case heard.ID == "1":
			err = send("2", "chat.send", map[string]any{"sessionKey": "main", "message": text, "idempotencyKey": fmt.Sprint(time.Now().UnixNano())})
		case heard.Event == "chat":
			return final(heard.Payload)
		}
		if err != nil {
			return "", err
		}
	}
}

func final(payload json.RawMessage) (string, error) {
	var chat struct {
		State        string `json:"state"`
		ErrorMessage string `json:"errorMessage"`
		Message      struct {
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
		} `json:"message"`
	}
	if err := json.Unmarshal(payload, &chat); err != nil {
		return "", err
	}
	if chat.State != "final" || len(chat.Message.Content) == 0 {
		return "", fmt.Errorf("%s", chat.ErrorMessage)
	}
	return chat.Message.Content[0].Text, nil
}
