package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"

	"vpai.sandbox/fakes/serve"
)

// App is the fake once its settings are read. The pool is there from the moment connected is true.
type App struct {
	settings  Settings
	version   string
	instance  string
	secret    []byte
	pool      *pgxpool.Pool
	started   time.Time
	connected atomic.Bool
	migrated  atomic.Bool
	metrics   *serve.Metrics
	lag       atomic.Int64
}

func (app *App) routes() http.Handler {
	served := http.NewServeMux()
	served.HandleFunc("GET /rest/settings", app.getSettings)
	served.HandleFunc("POST /rest/owner/setup", app.postOwner)
	served.HandleFunc("POST /rest/login", app.postLogin)
	served.HandleFunc("GET /rest/login", app.getLogin)
	served.HandleFunc("/rest/", func(response http.ResponseWriter, request *http.Request) {
		fail(response, http.StatusNotFound, fmt.Sprintf("This fake of n8n has no %s %s", request.Method, request.URL.Path))
	})
	for pattern, handle := range map[string]http.HandlerFunc{
		"POST /rest/workflows": app.postWorkflow, "GET /rest/workflows": app.getWorkflows,
		"GET /rest/workflows/{id}": app.getWorkflow, "PATCH /rest/workflows/{id}": app.patchWorkflow,
		"POST /rest/workflows/{id}/activate": app.postActivate, "POST /rest/workflows/{id}/deactivate": app.postDeactivate,
		"GET /rest/executions": app.getExecutions, "GET /rest/executions/{id}": app.getExecution,
	} {
		served.HandleFunc(pattern, app.authorized(handle))
	}
	served.HandleFunc("/webhook/", app.anyWebhook)
	if app.settings.metrics {
		served.HandleFunc("GET /metrics", app.getMetrics)
	}
	served.HandleFunc("/", app.getPage)

	all := http.NewServeMux()
	health := "GET /" + app.settings.healthPath
	all.HandleFunc(health, func(response http.ResponseWriter, _ *http.Request) {
		answer(response, http.StatusOK, map[string]string{"status": "ok"})
	})
	all.HandleFunc(health+"/readiness", func(response http.ResponseWriter, _ *http.Request) {
		if app.connected.Load() && app.migrated.Load() {
			answer(response, http.StatusOK, map[string]string{"status": "ok"})
		} else {
			answer(response, http.StatusServiceUnavailable, map[string]string{"status": "error"})
		}
	})
	all.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		switch {
		case !app.connected.Load():
			fail(response, http.StatusServiceUnavailable, "Database is not ready!")
		case !app.migrated.Load():
			fail(response, http.StatusServiceUnavailable, "n8n is starting up. Please wait")
		default:
			served.ServeHTTP(response, request)
		}
	})
	return all
}

// authorized lets in who has logged in.
func (app *App) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		if _, ok := app.currentUser(request); ok {
			next(response, request)
		} else {
			answer(response, http.StatusUnauthorized, map[string]string{"status": "error", "message": "Unauthorized"})
		}
	}
}

func (app *App) getSettings(response http.ResponseWriter, request *http.Request) {
	done, err := isSetUp(request.Context(), app.pool)
	if err != nil {
		failInside(response, err)
		return
	}
	data(response, map[string]any{
		"settingsMode": "public", "versionCli": app.version, "instanceId": app.instance, "sandboxFake": true,
		"defaultLocale": "en", "timezone": app.settings.timezone, "urlBaseEditor": app.settings.editorURL,
		"urlBaseWebhook": app.settings.webhookURL,
		"authCookie":     map[string]any{"secure": app.settings.secureCookie},
		"userManagement": map[string]any{"showSetupOnFirstLoad": !done, "authenticationMethod": "email", "smtpSetup": false},
	})
}

func (app *App) postOwner(response http.ResponseWriter, request *http.Request) {
	var owner Owner
	if !read(response, request, &owner) {
		return
	}
	if path, message := owner.fault(); message != "" {
		answer(response, http.StatusBadRequest, map[string]any{"code": "custom", "path": []string{path}, "message": message})
		return
	}
	hash, err := hashPassword(owner.Password)
	if err == nil {
		owner.Hash = hash
		owner, err = setOwner(request.Context(), app.pool, owner, false)
	}
	if errors.Is(err, errAlreadySetUp) {
		fail(response, http.StatusBadRequest, err.Error())
	} else if err != nil {
		failInside(response, err)
	} else {
		say("Owner was set up successfully")
		app.issueCookie(response, owner)
		data(response, owner.public())
	}
}

func (app *App) postLogin(response http.ResponseWriter, request *http.Request) {
	var given struct {
		Name     string `json:"emailOrLdapLoginId"`
		Password string `json:"password"`
	}
	if !read(response, request, &given) {
		return
	}
	if given.Name == "" || given.Password == "" {
		missing := map[bool]string{true: "emailOrLdapLoginId", false: "password"}[given.Name == ""]
		answer(response, http.StatusBadRequest, map[string]any{"code": "invalid_type", "path": []string{missing}, "message": "Required"})
		return
	}
	user, found, err := findUser(request.Context(), app.pool, strings.TrimSpace(given.Name), "")
	if err != nil {
		failInside(response, err)
	} else if !found || bcrypt.CompareHashAndPassword([]byte(user.Hash), []byte(given.Password)) != nil {
		app.count("audit.user.login.failed")
		fail(response, http.StatusUnauthorized, "Wrong username or password. Do you have caps lock on?")
	} else {
		app.count("audit.user.login.success")
		app.issueCookie(response, user)
		data(response, user.public())
	}
}

func (app *App) getLogin(response http.ResponseWriter, request *http.Request) {
	if user, ok := app.currentUser(request); ok {
		data(response, user.public())
	} else {
		answer(response, http.StatusUnauthorized, map[string]string{"status": "error", "message": "Unauthorized"})
	}
}

func (app *App) getPage(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(response, "<!doctype html>\n<html lang=\"en\"><head><title>n8n (sandbox fake)</title></head>\n"+
		"<body><h1>n8n %s</h1><p>A fake of n8n for the sandbox: health, owner, login and the simplest of workflows work.</p></body></html>\n",
		app.version)
}

func read(response http.ResponseWriter, request *http.Request, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(response, request.Body, 16<<20)).Decode(into)
	if err != nil {
		fail(response, http.StatusBadRequest, "Failed to parse request body")
	}
	return err == nil
}

func data(response http.ResponseWriter, value any) {
	answer(response, http.StatusOK, map[string]any{"data": value})
}

func fail(response http.ResponseWriter, status int, message string) {
	answer(response, status, map[string]any{"code": status, "message": message})
}

func failInside(response http.ResponseWriter, err error) {
	say("Error: %v", err)
	fail(response, http.StatusInternalServerError, "Internal server error")
}

func answer(response http.ResponseWriter, status int, body any) {
	response.Header().Set("Content-Type", "application/json; charset=utf-8")
	response.WriteHeader(status)
	json.NewEncoder(response).Encode(body)
}
