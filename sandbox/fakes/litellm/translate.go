package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// anthropicBody is the question in Anthropic's words. What it has no word for is dropped (drop_params).
func anthropicBody(d *deployment, asked chat) map[string]any {
	body := map[string]any{"model": d.model, "max_tokens": maxTokens(d, asked)}
	var system []string
	messages := []message{}
	for _, each := range asked.Messages {
		if each.Role == "system" || each.Role == "developer" {
			system = append(system, fmt.Sprint(each.Content))
		} else {
			messages = append(messages, each)
		}
	}
	body["messages"] = messages
	if len(system) > 0 {
		body["system"] = strings.Join(system, "\n")
	}
	for _, name := range []string{"temperature", "top_p"} {
		if value, found := asked.all[name]; found {
			body[name] = value
		}
	}
	if stop, found := asked.all["stop"]; found {
		if word, isOne := stop.(string); isOne {
			stop = []string{word}
		}
		body["stop_sequences"] = stop
	}
	return body
}

// openaiBody is the question as it came; models that reason want their limit under another name.
func openaiBody(d *deployment, asked chat) map[string]any {
	body := map[string]any{}
	for name, value := range asked.all {
		body[name] = value
	}
	for _, name := range []string{"stream", "stream_options", "max_tokens", "max_completion_tokens"} {
		delete(body, name)
	}
	limit := "max_tokens"
	if strings.HasPrefix(d.model, "gpt-5") {
		limit = "max_completion_tokens"
		delete(body, "temperature")
	}
	body["model"], body[limit] = d.model, maxTokens(d, asked)
	return body
}

// maxTokens is what the request says, else what the model's settings say (P20).
func maxTokens(d *deployment, asked chat) any {
	for _, name := range []string{"max_completion_tokens", "max_tokens"} {
		if value, found := asked.all[name]; found && value != nil {
			return value
		}
	}
	if d.Params.MaxTokens > 0 {
		return d.Params.MaxTokens
	}
	return 4096
}

func parseAnswer(d *deployment, said []byte) (completion, error) {
	if d.provider == "openai" {
		var done completion
		err := json.Unmarshal(said, &done)
		if err == nil && len(done.Choices) == 0 {
			err = fmt.Errorf("no choices")
		}
		return done, err
	}
	var answer struct {
		ID      string `json:"id"`
		Model   string `json:"model"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
		Stop  string `json:"stop_reason"`
		Usage struct {
			Input  int `json:"input_tokens"`
			Output int `json:"output_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(said, &answer); err != nil {
		return completion{}, err
	}
	var text strings.Builder
	for _, each := range answer.Content {
		text.WriteString(each.Text)
	}
	finish := map[string]string{"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}[answer.Stop]
	return completion{
		ID: "chatcmpl-" + randomText(22), Created: time.Now().Unix(), Model: answer.Model, Object: "chat.completion",
		Choices: []choice{{Finish: finish, Message: message{Role: "assistant", Content: text.String()}}},
		Usage:   usage{answer.Usage.Input, answer.Usage.Output, answer.Usage.Input + answer.Usage.Output},
	}, nil
}
