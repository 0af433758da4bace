package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"vpai.sandbox/fakes/serve"
)

func (p *proxy) send(w http.ResponseWriter, asked chat, answer found, cost float64) {
	header := w.Header()
	header.Set("x-litellm-version", p.version())
	header.Set("x-litellm-model-id", answer.from.id)
	header.Set("x-litellm-model-group", answer.from.Name)
	header.Set("x-litellm-response-cost", strconv.FormatFloat(cost, 'g', -1, 64))
	header.Set("x-litellm-attempted-retries", strconv.Itoa(answer.retries))
	header.Set("x-litellm-attempted-fallbacks", strconv.Itoa(answer.fallbacks))
	if answer.cached {
		header.Set("x-litellm-cache-key", answer.cacheKey)
	}
	if !asked.Stream {
		serve.JSON(w, http.StatusOK, answer.done)
		return
	}
	header.Set("content-type", "text/event-stream; charset=utf-8")
	for _, line := range chunks(asked, answer.done) {
		fmt.Fprintf(w, "data: %s\n\n", line)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

var pieces = regexp.MustCompile(`\s*\S+`)

// chunks are the parts of an answer that streams; the whole of it is there before the first goes out.
func chunks(asked chat, done completion) []string {
	lines := []string{}
	add := func(delta map[string]any, finish any, more map[string]any) {
		chunk := map[string]any{
			"id": done.ID, "created": done.Created, "model": done.Model, "object": "chat.completion.chunk",
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
		}
		for name, value := range more {
			chunk[name] = value
		}
		text, _ := json.Marshal(chunk)
		lines = append(lines, string(text))
	}
	for i, piece := range pieces.FindAllString(done.text(), -1) {
		delta := map[string]any{"content": piece}
		if i == 0 {
			delta["role"] = "assistant"
		}
		add(delta, nil, nil)
	}
	add(map[string]any{}, done.Choices[0].Finish, nil)
	if asked.Usage {
		add(nil, nil, map[string]any{"choices": []any{}, "usage": done.Usage})
	}
	return lines
}
