package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// failure is what a client is refused with, in the shape of OpenAI's errors.
type failure struct {
	status              int
	message, kind, part string
}

// class is what LiteLLM's metrics call it.
func (f failure) class(d *deployment) string {
	if f.kind == "budget_exceeded" {
		return "BudgetExceededError"
	}
	if d == nil {
		return "ProxyModelNotFoundError"
	}
	return strings.ToUpper(d.provider[:1]) + d.provider[1:] + "." + exceptionName(f.status)
}

func exceptionName(status int) string {
	names := map[int]string{
		400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError", 408: "Timeout", 429: "RateLimitError",
		503: "ServiceUnavailableError",
	}
	if name, found := names[status]; found {
		return name
	}
	return "InternalServerError"
}

type message struct {
	Role    string `json:"role"`
	Content any    `json:"content"`
}

// chat is a request to /v1/chat/completions: members that the fake looks at, and all of them.
type chat struct {
	Model    string
	Messages []message
	Stream   bool
	Usage    bool
	all      map[string]any
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// completion is an answer as it goes to the client.
type completion struct {
	ID      string   `json:"id"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Object  string   `json:"object"`
	Choices []choice `json:"choices"`
	Usage   usage    `json:"usage"`
}

type choice struct {
	Finish  string  `json:"finish_reason"`
	Index   int     `json:"index"`
	Message message `json:"message"`
}

func (c completion) text() string {
	text, _ := c.Choices[0].Message.Content.(string)
	return text
}

func apiBase(d *deployment) string {
	if d.provider == "anthropic" {
		return "https://api.anthropic.com/v1/messages"
	}
	return "https://api.openai.com/v1"
}

// ask puts one question to a provider, over https and under its own name.
func (p *proxy) ask(ctx context.Context, d *deployment, asked chat) (completion, *failure, time.Duration) {
	address, body := apiBase(d), anthropicBody(d, asked)
	headers := map[string]string{"content-type": "application/json"}
	if d.provider == "anthropic" {
		headers["x-api-key"], headers["anthropic-version"] = d.Params.APIKey, "2023-06-01"
	} else {
		address, body = address+"/chat/completions", openaiBody(d, asked)
		headers["authorization"] = "Bearer " + d.Params.APIKey
	}
	text, err := json.Marshal(body)
	if err != nil {
		return completion{}, &failure{500, err.Error(), "internal_server_error", "None"}, 0
	}
	limit, cancel := context.WithTimeout(ctx, time.Duration(p.config.Settings.RequestTimeout*float64(time.Second)))
	defer cancel()
	request, _ := http.NewRequestWithContext(limit, http.MethodPost, address, bytes.NewReader(text))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return completion{}, &failure{500, fmt.Sprintf("litellm.InternalServerError: %v", err), "internal_server_error", "None"}, 0
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 32<<20))
	if err == nil && answer.StatusCode == http.StatusOK {
		done, err := parseAnswer(d, said)
		if err == nil {
			return done, nil, 0
		}
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("retry-after"))
	return completion{}, refused(d, answer.StatusCode, said), time.Duration(seconds) * time.Second
}

// refused is a provider's error, as LiteLLM passes it on: Anthropic's 529 becomes a 500.
func refused(d *deployment, status int, said []byte) *failure {
	who := map[string]string{"anthropic": "AnthropicException", "openai": "OpenAIException"}[d.provider]
	if status != 400 && status != 401 && status != 404 && status != 429 && status != 503 {
		status = 500
	}
	kinds := map[int]string{400: "invalid_request_error", 401: "auth_error", 429: "throttling_error", 500: "internal_server_error"}
	kind := kinds[status]
	if kind == "" {
		kind = "None"
	}
	return &failure{status, fmt.Sprintf("litellm.%s: %s - %s", exceptionName(status), who, strings.TrimSpace(string(said))), kind, "None"}
}

// retried are the statuses after which it is worth asking again.
func retried(status int) bool { return status == 408 || status == 429 || status >= 500 }

// askPatiently asks as often as the settings say.
func (p *proxy) askPatiently(ctx context.Context, who caller, d *deployment, asked chat) (completion, int, *failure) {
	for retries := 0; ; retries++ {
		begun := time.Now()
		done, failed, wait := p.ask(ctx, d, asked)
		if failed == nil {
			p.countCall(who, asked.Model, d, nil, time.Since(begun).Seconds())
			return done, retries, nil
		}
		if retries == p.config.Settings.NumRetries || !retried(failed.status) {
			p.countCall(who, asked.Model, d, failed, 0)
			return done, retries, failed
		}
		select {
		case <-ctx.Done():
			return done, retries, failed
		case <-time.After(max(wait, time.Duration(retries+1)*100*time.Millisecond)):
		}
	}
}
