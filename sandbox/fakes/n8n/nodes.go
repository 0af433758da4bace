package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Node is one step of a workflow, as far as it is needed to run it.
type Node struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Disabled   bool            `json:"disabled"`
	Parameters json.RawMessage `json:"parameters"`
}

// Connections say by a node's name what follows on which of its outputs.
type Connections map[string]struct {
	Main [][]struct {
		Node string `json:"node"`
	} `json:"main"`
}

// Item is what flows between nodes.
type Item map[string]any

// Trigger are the parameters of a Webhook node.
type Trigger struct {
	Method       string `json:"httpMethod"`
	Path         string `json:"path"`
	ResponseMode string `json:"responseMode"`
}

// Reply is what a workflow answers its webhook with.
type Reply struct {
	status int
	body   any
}

// kinds are the nodes that this fake runs. Each takes one item and gives one.
var kinds = map[string]func(node Node, in Item, reply *Reply) (Item, error){
	"n8n-nodes-base.webhook":          func(_ Node, in Item, _ *Reply) (Item, error) { return in, nil },
	"n8n-nodes-base.noOp":             func(_ Node, in Item, _ *Reply) (Item, error) { return in, nil },
	"n8n-nodes-base.set":              runSet,
	"n8n-nodes-base.respondToWebhook": runRespond,
	"n8n-nodes-base.stopAndError":     runStop,
}

func runSet(node Node, in Item, _ *Reply) (Item, error) {
	var set struct {
		Mode          string `json:"mode"`
		IncludeOthers bool   `json:"includeOtherFields"`
		Assignments   struct {
			Assignments []struct {
				Name  string `json:"name"`
				Value any    `json:"value"`
			} `json:"assignments"`
		} `json:"assignments"`
	}
	if err := json.Unmarshal(node.Parameters, &set); err != nil {
		return nil, err
	}
	out := Item{}
	if set.IncludeOthers {
		for name, value := range in {
			out[name] = value
		}
	}
	for _, assignment := range set.Assignments.Assignments {
		value, err := evaluate(assignment.Value, in)
		if err != nil {
			return nil, err
		}
		out[assignment.Name] = value
	}
	return out, nil
}

func runRespond(node Node, in Item, reply *Reply) (Item, error) {
	var respond struct {
		With    string `json:"respondWith"`
		Body    string `json:"responseBody"`
		Options struct {
			Code int `json:"responseCode"`
		} `json:"options"`
	}
	if err := json.Unmarshal(node.Parameters, &respond); err != nil {
		return nil, err
	}
	*reply = Reply{status: max(respond.Options.Code, 200), body: in}
	if respond.With == "text" || respond.With == "json" {
		body, err := evaluate(respond.Body, in)
		if err != nil {
			return nil, err
		}
		reply.body = body
		if text, isText := body.(string); isText && respond.With == "json" {
			if err := json.Unmarshal([]byte(text), &reply.body); err != nil {
				return nil, fmt.Errorf("Invalid JSON in 'Response Body' field")
			}
		}
	}
	return in, nil
}

func runStop(node Node, in Item, _ *Reply) (Item, error) {
	var stop struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(node.Parameters, &stop); err != nil {
		return nil, err
	}
	message, err := evaluate(stop.Message, in)
	if err == nil {
		err = fmt.Errorf("%v", message)
	}
	return nil, err
}

// expression is all of n8n's language that is understood here: the way to a value of the item.
var expression = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}`)
var way = regexp.MustCompile(`^\$json((?:\.[A-Za-z_][A-Za-z0-9_]*)*)$`)

// evaluate gives a parameter's value: itself, or what its expression says of the item.
func evaluate(value any, item Item) (any, error) {
	text, isText := value.(string)
	if !isText || !strings.HasPrefix(text, "=") {
		return value, nil
	}
	text = text[1:]
	if whole := expression.FindStringSubmatch(text); whole != nil && whole[0] == text {
		return follow(whole[1], item)
	}
	var fault error
	filled := expression.ReplaceAllStringFunc(text, func(found string) string {
		value, err := follow(expression.FindStringSubmatch(found)[1], item)
		if err != nil {
			fault = err
		}
		return fmt.Sprint(value)
	})
	return filled, fault
}

func follow(path string, item Item) (any, error) {
	found := way.FindStringSubmatch(path)
	if found == nil {
		return nil, fmt.Errorf("this fake of n8n evaluates {{ $json.a.b }} alone, not {{ %s }}", path)
	}
	var value any = map[string]any(item)
	for _, name := range strings.Split(found[1], ".")[1:] {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value, nil
}

// cannotRun says of the first node what is beyond this fake; n8n would say so when the workflow is run.
func cannotRun(nodes []Node) error {
	for _, node := range nodes {
		if _, known := kinds[node.Type]; !known {
			return fmt.Errorf("Unrecognized node type: %s (this fake of n8n runs a few only)", node.Type)
		}
		var texts any
		if err := json.Unmarshal(node.Parameters, &texts); err != nil && len(node.Parameters) > 0 {
			return err
		}
		if err := eachText(texts, func(text string) error { _, err := evaluate(text, Item{}); return err }); err != nil {
			return fmt.Errorf("%s: %w", node.Name, err)
		}
	}
	return nil
}

func eachText(value any, check func(string) error) error {
	var err error
	switch value := value.(type) {
	case string:
		return check(value)
	case []any:
		for _, each := range value {
			err = errors.Join(err, eachText(each, check))
		}
	case map[string]any:
		for _, each := range value {
			err = errors.Join(err, eachText(each, check))
		}
	}
	return err
}

// trigger is a node's webhook; false where it is none.
func (node Node) trigger() (Trigger, bool) {
	trigger := Trigger{Method: "GET", ResponseMode: "onReceived"}
	if node.Disabled || node.Type != "n8n-nodes-base.webhook" || json.Unmarshal(node.Parameters, &trigger) != nil {
		return trigger, false
	}
	trigger.Path = strings.Trim(trigger.Path, "/")
	return trigger, true
}
