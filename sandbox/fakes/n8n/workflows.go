package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Workflow is a row of workflow_entity. What is edited and what runs are two versions of it.
type Workflow struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Active        bool            `json:"active"`
	IsArchived    bool            `json:"isArchived"`
	Nodes         json.RawMessage `json:"nodes"`
	Connections   json.RawMessage `json:"connections"`
	Settings      json.RawMessage `json:"settings"`
	VersionID     string          `json:"versionId"`
	ActiveVersion *string         `json:"activeVersionId"`
	CreatedAt     time.Time       `json:"createdAt"`
	UpdatedAt     time.Time       `json:"updatedAt"`
}

const workflowColumns = `id, name, active, "isArchived", nodes, connections, settings, "versionId", "activeVersionId",
	"createdAt", "updatedAt"`

func (w *Workflow) scan(row pgx.Row) error {
	return row.Scan(&w.ID, &w.Name, &w.Active, &w.IsArchived, &w.Nodes, &w.Connections, &w.Settings, &w.VersionID,
		&w.ActiveVersion, &w.CreatedAt, &w.UpdatedAt)
}

// refusal is an answer that is an error of the client's.
type refusal struct {
	status  int
	message string
}

func (r refusal) Error() string { return r.message }

func answerWith(response http.ResponseWriter, value any, err error) {
	var refused refusal
	switch {
	case err == nil:
		data(response, value)
	case errors.As(err, &refused):
		fail(response, refused.status, refused.message)
	default:
		failInside(response, err)
	}
}

var letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func newID() string {
	id := make([]byte, 16)
	rand.Read(id)
	for i := range id {
		id[i] = letters[int(id[i])%len(letters)]
	}
	return string(id)
}

type workflowBody struct {
	Name        string          `json:"name"`
	Nodes       json.RawMessage `json:"nodes"`
	Connections json.RawMessage `json:"connections"`
	Settings    json.RawMessage `json:"settings"`
}

func (app *App) postWorkflow(response http.ResponseWriter, request *http.Request) {
	var body workflowBody
	if !read(response, request, &body) {
		return
	}
	var nodes []Node
	var connections Connections
	switch {
	case body.Name == "" || len(body.Name) > 128:
		fail(response, http.StatusBadRequest, "name: a workflow has one of up to 128 characters")
		return
	case json.Unmarshal(body.Nodes, &nodes) != nil || json.Unmarshal(body.Connections, &connections) != nil:
		fail(response, http.StatusBadRequest, "nodes has to be a list and connections an object")
		return
	}
	if len(body.Settings) == 0 {
		body.Settings = json.RawMessage(`{}`)
	}
	workflow, err := app.saveWorkflow(request.Context(), newID(), body)
	if err == nil {
		app.count("audit.workflow.created")
	}
	answerWith(response, workflow, err)
}

// saveWorkflow stores what is edited as a new version; whether and what of it runs stays as it is.
func (app *App) saveWorkflow(ctx context.Context, id string, body workflowBody) (workflow Workflow, err error) {
	err = pgx.BeginFunc(ctx, app.pool, func(tx pgx.Tx) error {
		row := tx.QueryRow(ctx, `INSERT INTO workflow_entity (id, name, active, nodes, connections, settings, "versionId")
			VALUES ($1, $2, false, $3, $4, $5, gen_random_uuid()::text)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, nodes = excluded.nodes, connections = excluded.connections,
				settings = excluded.settings, "versionId" = excluded."versionId", "updatedAt" = now()
			RETURNING `+workflowColumns, id, body.Name, body.Nodes, body.Connections, body.Settings)
		if err := workflow.scan(row); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO workflow_history ("versionId", "workflowId", nodes, connections) VALUES ($1, $2, $3, $4)`,
			workflow.VersionID, id, body.Nodes, body.Connections)
		return err
	})
	return workflow, err
}

func (app *App) workflow(ctx context.Context, id string) (workflow Workflow, err error) {
	err = workflow.scan(app.pool.QueryRow(ctx, `SELECT `+workflowColumns+` FROM workflow_entity WHERE id = $1`, id))
	if errors.Is(err, pgx.ErrNoRows) {
		err = refusal{http.StatusNotFound, "Could not load the workflow - you can only access workflows owned by you"}
	}
	return workflow, err
}

func (app *App) getWorkflow(response http.ResponseWriter, request *http.Request) {
	workflow, err := app.workflow(request.Context(), request.PathValue("id"))
	answerWith(response, workflow, err)
}

func (app *App) getWorkflows(response http.ResponseWriter, request *http.Request) {
	rows, err := app.pool.Query(request.Context(), `SELECT `+workflowColumns+` FROM workflow_entity ORDER BY "updatedAt" DESC`)
	if err != nil {
		failInside(response, err)
		return
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (workflow Workflow, err error) { return workflow, workflow.scan(row) })
	if err != nil {
		failInside(response, err)
		return
	}
	answer(response, http.StatusOK, map[string]any{"count": len(found), "data": found})
}

// patchWorkflow changes what is edited. As in n8n 2, `active` among it is nothing that it heeds.
func (app *App) patchWorkflow(response http.ResponseWriter, request *http.Request) {
	workflow, err := app.workflow(request.Context(), request.PathValue("id"))
	if err != nil {
		answerWith(response, nil, err)
		return
	}
	body := workflowBody{workflow.Name, workflow.Nodes, workflow.Connections, workflow.Settings}
	if !read(response, request, &body) {
		return
	}
	workflow, err = app.saveWorkflow(request.Context(), workflow.ID, body)
	if err == nil {
		app.count("audit.workflow.updated")
	}
	answerWith(response, workflow, err)
}

func (app *App) postActivate(response http.ResponseWriter, request *http.Request) {
	var body struct {
		VersionID string `json:"versionId"`
	}
	if !read(response, request, &body) {
		return
	}
	if body.VersionID == "" {
		answer(response, http.StatusBadRequest, map[string]any{
			"code": "invalid_type", "expected": "string", "received": "undefined", "path": []string{"versionId"}, "message": "Required"})
		return
	}
	workflow, err := app.activate(request.Context(), request.PathValue("id"), body.VersionID)
	if err == nil {
		app.count("audit.workflow.activated")
	}
	answerWith(response, workflow, err)
}

// activate makes a version the one that runs, and gives it its webhooks.
func (app *App) activate(ctx context.Context, id, version string) (Workflow, error) {
	err := pgx.BeginFunc(ctx, app.pool, func(tx pgx.Tx) error {
		var nodes []Node
		row := tx.QueryRow(ctx, `SELECT nodes FROM workflow_history WHERE "workflowId" = $1 AND "versionId" = $2`, id, version)
		if err := row.Scan(&nodes); errors.Is(err, pgx.ErrNoRows) {
			return refusal{http.StatusNotFound, "Version not found"}
		} else if err != nil {
			return err
		}
		if err := cannotRun(nodes); err != nil {
			return refusal{http.StatusBadRequest, err.Error()}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM webhook_entity WHERE "workflowId" = $1`, id); err != nil {
			return err
		}
		triggers := 0
		for _, node := range nodes {
			trigger, is := node.trigger()
			if !is {
				continue
			}
			triggers++
			tag, err := tx.Exec(ctx, `INSERT INTO webhook_entity ("webhookPath", method, node, "workflowId") VALUES ($1, $2, $3, $4)
				ON CONFLICT DO NOTHING`, trigger.Path, strings.ToUpper(trigger.Method), node.Name, id)
			if err == nil && tag.RowsAffected() == 0 {
				err = refusal{http.StatusConflict, "There is a conflict with one of the webhooks."}
			}
			if err != nil {
				return err
			}
		}
		if triggers == 0 {
			return refusal{http.StatusBadRequest, "Workflow cannot be activated because it has no trigger node. " +
				"At least one trigger, webhook, or polling node is required."}
		}
		_, err := tx.Exec(ctx, `UPDATE workflow_entity SET active = true, "activeVersionId" = $2, "triggerCount" = $3 WHERE id = $1`, id, version, triggers)
		return err
	})
	if err != nil {
		return Workflow{}, err
	}
	say("Activated workflow %s", id)
	return app.workflow(ctx, id)
}

func (app *App) postDeactivate(response http.ResponseWriter, request *http.Request) {
	id := request.PathValue("id")
	for _, change := range []string{
		`DELETE FROM webhook_entity WHERE "workflowId" = $1`,
		`UPDATE workflow_entity SET active = false, "activeVersionId" = NULL, "triggerCount" = 0 WHERE id = $1`,
	} {
		if _, err := app.pool.Exec(request.Context(), change, id); err != nil {
			failInside(response, fmt.Errorf("deactivate: %w", err))
			return
		}
	}
	workflow, err := app.workflow(request.Context(), id)
	if err == nil {
		app.count("audit.workflow.deactivated")
	}
	answerWith(response, workflow, err)
}
