package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const notRegistered = "The workflow must be active for a production URL to run successfully. You can activate the workflow " +
	"using the toggle in the top-right of the editor. Note that unlike test URL calls, production URL calls aren't shown on " +
	"the canvas (only in the executions list)"

// anyWebhook runs the workflow whose webhook it is.
func (app *App) anyWebhook(response http.ResponseWriter, request *http.Request) {
	ctx, path := request.Context(), strings.Trim(strings.TrimPrefix(request.URL.Path, "/webhook/"), "/")
	var id, name, version, start string
	var nodes []Node
	var connections Connections
	err := app.pool.QueryRow(ctx, `SELECT w.id, w.name, h."versionId", e.node, h.nodes, h.connections FROM webhook_entity e
		JOIN workflow_entity w ON w.id = e."workflowId" JOIN workflow_history h ON h."versionId" = w."activeVersionId"
		WHERE e."webhookPath" = $1 AND e.method = $2 AND w.active`, path, request.Method).
		Scan(&id, &name, &version, &start, &nodes, &connections)
	if errors.Is(err, pgx.ErrNoRows) {
		message := fmt.Sprintf("The requested webhook %q is not registered.", request.Method+" "+path)
		answer(response, http.StatusNotFound, map[string]any{"code": http.StatusNotFound, "message": message, "hint": notRegistered})
		return
	} else if err != nil {
		failInside(response, err)
		return
	}
	body, err := parsedBody(request)
	if err != nil {
		answer(response, http.StatusUnprocessableEntity, map[string]any{
			"code": http.StatusUnprocessableEntity, "message": "Failed to parse request body", "hint": err.Error()})
		return
	}
	item := Item{"headers": headers(request), "params": map[string]any{}, "query": firsts(request.URL.Query()), "body": body,
		"webhookUrl": strings.TrimSuffix(app.settings.webhookURL, "/") + "/webhook/" + path, "executionMode": "production"}
	run := execution{workflow: id, name: name, version: version, nodes: nodes, connections: connections}
	reply := Reply{status: http.StatusOK, body: map[string]string{"message": "Workflow was started"}}
	last, err := app.execute(ctx, &run, start, item, &reply)
	for _, node := range nodes {
		trigger, is := node.trigger()
		switch {
		case !is || node.Name != start || trigger.ResponseMode == "onReceived":
		case err != nil:
			reply = Reply{http.StatusInternalServerError, map[string]string{"message": "Error in workflow"}}
		case trigger.ResponseMode == "lastNode":
			reply.body = last
		}
	}
	if text, isText := reply.body.(string); isText {
		response.WriteHeader(reply.status)
		io.WriteString(response, text)
		return
	}
	answer(response, reply.status, reply.body)
}

// firsts are the first values of each name, as n8n gives them to a workflow.
func firsts(values map[string][]string) map[string]any {
	found := map[string]any{}
	for name, each := range values {
		found[name] = each[0]
	}
	return found
}

func headers(request *http.Request) map[string]any {
	found := map[string]any{"host": request.Host}
	for name, each := range request.Header {
		found[strings.ToLower(name)] = each[0]
	}
	return found
}

func parsedBody(request *http.Request) (any, error) {
	content, err := io.ReadAll(io.LimitReader(request.Body, 16<<20))
	if err != nil || len(content) == 0 {
		return map[string]any{}, err
	}
	switch kind, _, _ := strings.Cut(request.Header.Get("Content-Type"), ";"); kind {
	case "application/json":
		var body any
		err := json.Unmarshal(content, &body)
		return body, err
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(content))
		return firsts(values), err
	default:
		return string(content), nil
	}
}

type execution struct {
	workflow, name, version string
	nodes                   []Node
	connections             Connections
	ran                     []map[string]any
}

// execute runs from a node on, and keeps that it did. The answer is what the last node gave.
func (app *App) execute(ctx context.Context, run *execution, start string, item Item, reply *Reply) (Item, error) {
	began := time.Now()
	app.count("workflow.started")
	var id int
	err := app.pool.QueryRow(ctx, `INSERT INTO execution_entity (finished, mode, status, "workflowId", "workflowVersionId", "startedAt")
		VALUES (false, 'webhook', 'running', $1, $2, now()) RETURNING id`, run.workflow, run.version).Scan(&id)
	if err != nil {
		return nil, err
	}
	last, fault := app.runFrom(run, start, item, reply)
	status := "success"
	if fault != nil {
		status = "error"
		say("Execution %d of workflow %s failed: %v", id, run.workflow, fault)
	}
	app.count(map[bool]string{true: "workflow.success", false: "workflow.failed"}[fault == nil])
	app.observe(map[bool]string{true: "success", false: "failed"}[fault == nil], time.Since(began).Seconds())
	kept, _ := json.Marshal(map[string]any{"resultData": map[string]any{"runData": run.ran, "error": fmt.Sprint(fault)}})
	workflow, _ := json.Marshal(map[string]any{"id": run.workflow, "name": run.name, "nodes": run.nodes, "connections": run.connections})
	err = pgx.BeginFunc(context.WithoutCancel(ctx), app.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE execution_entity SET finished = $2, status = $3, "stoppedAt" = now() WHERE id = $1`, id, fault == nil, status); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO execution_data VALUES ($1, $2, $3)`, id, workflow, string(kept))
		return err
	})
	return last, errors.Join(fault, err)
}

func (app *App) runFrom(run *execution, name string, item Item, reply *Reply) (Item, error) {
	for steps := 0; ; steps++ {
		var node Node
		for _, each := range run.nodes {
			if each.Name == name {
				node = each
			}
		}
		if steps > 100 || node.Name == "" {
			return nil, fmt.Errorf("this fake of n8n follows a hundred nodes in a row, and no loop: at %q", name)
		}
		if !node.Disabled {
			app.count("node.started")
			out, err := kinds[node.Type](node, item, reply)
			if err != nil {
				return nil, err
			}
			app.count("node.finished")
			run.ran, item = append(run.ran, map[string]any{"node": name, "json": out}), out
		}
		next := run.connections[name].Main
		if len(next) == 0 || len(next[0]) == 0 {
			return item, nil
		}
		if len(next) > 1 || len(next[0]) > 1 {
			return nil, fmt.Errorf("this fake of n8n follows one connection, and %q has more", name)
		}
		name = next[0][0].Node
	}
}

const executionColumns = `e.id::text, e."workflowId", e."workflowVersionId", w.name, e.mode, e.status, e.finished,
	e."createdAt", e."startedAt", e."stoppedAt"`

func scanExecution(row pgx.Row, more ...any) (map[string]any, error) {
	var id, workflow, name, mode, status string
	var version *string
	var finished bool
	var created time.Time
	var started, stopped *time.Time
	err := row.Scan(append([]any{&id, &workflow, &version, &name, &mode, &status, &finished, &created, &started, &stopped}, more...)...)
	return map[string]any{
		"id": id, "workflowId": workflow, "workflowVersionId": version, "workflowName": name, "mode": mode, "status": status,
		"finished": finished, "createdAt": created, "startedAt": started, "stoppedAt": stopped, "retryOf": nil, "waitTill": nil,
	}, err
}

func (app *App) getExecutions(response http.ResponseWriter, request *http.Request) {
	var filter struct {
		WorkflowID string   `json:"workflowId"`
		Status     []string `json:"status"`
	}
	query := request.URL.Query()
	if text := query.Get("filter"); text != "" {
		if err := json.Unmarshal([]byte(text), &filter); err != nil {
			fail(response, http.StatusBadRequest, `Failed to parse query string: parameter "filter" is not valid JSON`)
			return
		}
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 20
	}
	rows, err := app.pool.Query(request.Context(), `SELECT `+executionColumns+` FROM execution_entity e JOIN workflow_entity w ON w.id = e."workflowId"
		WHERE e."deletedAt" IS NULL AND ($1 = '' OR e."workflowId" = $1) AND (cardinality($2::text[]) IS NULL OR cardinality($2::text[]) = 0 OR e.status = ANY($2))
		ORDER BY e.id DESC LIMIT $3`, filter.WorkflowID, filter.Status, limit)
	if err != nil {
		failInside(response, err)
		return
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (map[string]any, error) { return scanExecution(row) })
	answerWith(response, map[string]any{"results": found, "count": len(found), "estimated": false, "concurrentExecutionsCount": -1}, err)
}

func (app *App) getExecution(response http.ResponseWriter, request *http.Request) {
	var kept string
	found, err := scanExecution(app.pool.QueryRow(request.Context(), `SELECT `+executionColumns+`, d.data FROM execution_entity e
		JOIN workflow_entity w ON w.id = e."workflowId" JOIN execution_data d ON d."executionId" = e.id WHERE e.id::text = $1`, request.PathValue("id")), &kept)
	if errors.Is(err, pgx.ErrNoRows) {
		err = refusal{http.StatusNotFound, fmt.Sprintf("The execution with the ID %q does not exist.", request.PathValue("id"))}
	}
	found["data"] = kept
	answerWith(response, found, err)
}
