package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// message is one line of a session.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

var methods = []string{"health", "chat.send", "chat.history"}

func (g *gateway) request(ctx context.Context, c *connection, asked frame) error {
	needs := map[string]string{"chat.send": "operator.write", "chat.history": "operator.read"}[asked.Method]
	switch {
	case asked.Type != "req" || !slices.Contains(methods, asked.Method):
		return c.answer(ctx, asked.ID, nil, &fault{Code: "INVALID_REQUEST", Message: "unknown method: " + asked.Method + " (this fake of OpenClaw knows a few only)"})
	case needs != "" && !slices.Contains(c.scopes, needs):
		return c.answer(ctx, asked.ID, nil, &fault{"FORBIDDEN", "missing scope: " + needs, map[string]any{"code": "MISSING_SCOPE", "missingScope": needs}})
	case asked.Method == "health":
		return c.answer(ctx, asked.ID, map[string]any{"ok": true, "ts": time.Now().UnixMilli(), "channels": map[string]any{}, "defaultAgentId": "main"}, nil)
	case asked.Method == "chat.history":
		said, err := g.history()
		if err != nil {
			return c.answer(ctx, asked.ID, nil, &fault{Code: "UNAVAILABLE", Message: err.Error()})
		}
		return c.answer(ctx, asked.ID, map[string]any{"sessionKey": "agent:main:main", "messages": said}, nil)
	}
	var params struct {
		SessionKey     string `json:"sessionKey"`
		Message        string `json:"message"`
		IdempotencyKey string `json:"idempotencyKey"`
	}
	if err := json.Unmarshal(asked.Params, &params); err != nil || params.Message == "" || params.IdempotencyKey == "" {
		return c.answer(ctx, asked.ID, nil, &fault{Code: "INVALID_REQUEST", Message: "invalid chat.send params: message and idempotencyKey"})
	}
	run := params.IdempotencyKey
	if err := c.answer(ctx, asked.ID, map[string]any{"runId": run, "status": "started"}, nil); err != nil {
		return err
	}
	event := map[string]any{"runId": run, "sessionKey": "agent:main:main", "agentId": "main"}
	answered, err := g.ask(ctx, params.Message)
	if err != nil {
		event["state"], event["errorMessage"] = "error", err.Error()
	} else {
		event["state"], event["stopReason"] = "final", "stop"
		event["message"] = map[string]any{"role": "assistant", "content": []any{map[string]any{"type": "text", "text": answered}}, "timestamp": time.Now().UnixMilli()}
	}
	return c.event(ctx, "chat", event)
}

// ask asks the agent's model, with the session so far, and keeps what was said.
func (g *gateway) ask(ctx context.Context, text string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name, model, _ := strings.Cut(g.config.Agents.Defaults.Model.Primary, "/")
	provider, found := g.config.Models.Providers[name]
	if !found {
		return "", fmt.Errorf("no model is configured (agents.defaults.model)")
	}
	said, err := g.history()
	if err != nil {
		return "", err
	}
	limit := 0
	for _, each := range provider.Models {
		if each.ID == model {
			limit = each.MaxTokens
		}
	}
	body, _ := json.Marshal(map[string]any{"model": model, "max_tokens": limit, "messages": append(said, message{"user", text})})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, provider.BaseURL+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+provider.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var answer struct {
		Choices []struct{ Message message }
	}
	if err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(content, &answer) != nil || len(answer.Choices) == 0 {
		return "", fmt.Errorf("%s/%s: %s %.300s", name, model, response.Status, content)
	}
	return answer.Choices[0].Message.Content, g.keep(message{"user", text}, message{"assistant", answer.Choices[0].Message.Content})
}

// history is what was said in the session so far.
func (g *gateway) history() ([]message, error) {
	content, err := os.ReadFile(g.session)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	said := []message{}
	for _, line := range bytes.Split(bytes.TrimSpace(content), []byte("\n")) {
		var each message
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &each); err != nil {
			return nil, fmt.Errorf("%s: %w", g.session, err)
		}
		said = append(said, each)
	}
	return said, nil
}

func (g *gateway) keep(said ...message) error {
	file, err := os.OpenFile(g.session, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, each := range said {
		if err := json.NewEncoder(file).Encode(each); err != nil {
			return err
		}
	}
	return nil
}
