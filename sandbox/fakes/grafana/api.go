package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sort"
	"strings"

	"vpai.sandbox/fakes/serve"
)

func message(w http.ResponseWriter, status int, format string, values ...any) {
	serve.JSON(w, status, map[string]any{"message": fmt.Sprintf(format, values...), "statusCode": status, "traceID": ""})
}

// health is indented, as Grafana's is.
func (g *grafana) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	fmt.Fprintf(w, "{\n  \"database\": \"ok\",\n  \"version\": %q,\n  \"commit\": \"fake\"\n}", g.fake.Version)
}

// loggedIn is whether a request comes with the administrator's name and password, or with a session.
func (g *grafana) loggedIn(r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok {
		return g.state.knows(user, password)
	}
	cookie, err := r.Cookie("grafana_session")
	if err != nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[cookie.Value]
}

func (g *grafana) guarded(call http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case g.loggedIn(r):
			call(w, r)
		case strings.HasPrefix(r.URL.Path, "/api/") && r.Header.Get("Authorization") != "":
			message(w, http.StatusUnauthorized, "Invalid username or password")
		case strings.HasPrefix(r.URL.Path, "/api/"):
			message(w, http.StatusUnauthorized, "Unauthorized")
		default:
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	}
}

// login takes JSON, as Grafana's page sends it, or the form of the fake's own page.
func (g *grafana) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ User, Password string }
	form := !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	if form {
		given.User, given.Password = r.FormValue("user"), r.FormValue("password")
	} else if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		message(w, http.StatusBadRequest, "bad login data")
		return
	}
	if !g.state.knows(given.User, given.Password) {
		serve.Say("level=warn msg=\"Failed to authenticate request\" error=\"[password-auth.failed]\"")
		message(w, http.StatusUnauthorized, "Invalid username or password")
		return
	}
	token := rand.Text()
	g.mu.Lock()
	g.sessions[token] = true
	g.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "grafana_session", Value: token, Path: "/", MaxAge: 2592000, HttpOnly: true, Secure: g.settings.cookieSecure, SameSite: http.SameSiteLaxMode})
	if form {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	serve.JSON(w, http.StatusOK, map[string]string{"message": "Logged in", "redirectUrl": "/"})
}

func (g *grafana) user(w http.ResponseWriter, _ *http.Request) {
	serve.JSON(w, http.StatusOK, map[string]any{"id": 1, "login": g.state.AdminUser, "orgId": 1, "isGrafanaAdmin": true})
}

func (g *grafana) datasources(w http.ResponseWriter, _ *http.Request) {
	serve.JSON(w, http.StatusOK, g.provisioned.datasources)
}

func (g *grafana) datasource(w http.ResponseWriter, r *http.Request) {
	if source := g.provisioned.source(r.PathValue("uid")); source != nil {
		serve.JSON(w, http.StatusOK, source)
		return
	}
	message(w, http.StatusNotFound, "Data source not found")
}

// proxy hands a request on to a source, without what Grafana knows of the one who asks.
func (g *grafana) proxy(w http.ResponseWriter, r *http.Request) {
	source := g.provisioned.source(r.PathValue("uid"))
	if source == nil {
		message(w, http.StatusNotFound, "Unable to find datasource")
		return
	}
	target, err := url.Parse(source.URL)
	if err != nil {
		message(w, http.StatusInternalServerError, "%v", err)
		return
	}
	through := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Path, p.Out.URL.RawPath = "/"+r.PathValue("path"), ""
			p.SetURL(target)
			p.Out.Header.Del("Authorization")
			p.Out.Header.Del("Cookie")
		},
		ModifyResponse: func(answer *http.Response) error {
			g.metrics.Add("grafana_datasource_request_total", 1, "code", fmt.Sprint(answer.StatusCode), "datasource", source.Name, "datasource_type", source.Type, "method", r.Method)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			serve.Say("level=error msg=\"Data proxy error\" datasource=%s err=%q", source.UID, err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	through.ServeHTTP(w, r)
}

// all are the dashboards out of files and those made by hand, in the order of their titles.
func (g *grafana) all() []*dashboard {
	found := g.provisioned.current()
	g.state.mu.Lock()
	for uid, raw := range g.state.Dashboards {
		if one, err := g.provisioned.parse(raw); err == nil && found[uid] == nil {
			found[uid] = one
		}
	}
	g.state.mu.Unlock()
	all := []*dashboard{}
	for _, each := range found {
		all = append(all, each)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Title < all[j].Title })
	return all
}

func (g *grafana) find(uid string) *dashboard {
	for _, each := range g.all() {
		if each.UID == uid {
			return each
		}
	}
	return nil
}

func (g *grafana) search(w http.ResponseWriter, r *http.Request) {
	hits := []map[string]any{}
	for i, each := range g.all() {
		if strings.Contains(strings.ToLower(each.Title), strings.ToLower(r.FormValue("query"))) {
			hits = append(hits, map[string]any{"id": i + 1, "uid": each.UID, "title": each.Title, "uri": "db" + strings.TrimPrefix(each.path(), "/d/"+each.UID), "url": each.path(), "type": "dash-db", "tags": append([]string{}, each.Tags...), "isStarred": false})
		}
	}
	serve.JSON(w, http.StatusOK, hits)
}

func (g *grafana) dashboard(w http.ResponseWriter, r *http.Request) {
	one := g.find(r.PathValue("uid"))
	if one == nil {
		message(w, http.StatusNotFound, "Dashboard not found")
		return
	}
	meta := map[string]any{"type": "db", "slug": strings.TrimPrefix(one.path(), "/d/"+one.UID+"/"), "url": one.path(), "provisioned": one.file != "", "provisionedExternalId": one.file}
	serve.JSON(w, http.StatusOK, map[string]any{"meta": meta, "dashboard": one.raw})
}

// saveDashboard keeps one that was made by hand, under a uid that it has or gets.
func (g *grafana) saveDashboard(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Dashboard map[string]any `json:"dashboard"`
		Overwrite bool           `json:"overwrite"`
	}
	if err := serve.Read(r, &given); err != nil {
		message(w, http.StatusBadRequest, "bad request data: %v", err)
		return
	}
	if uid, _ := given.Dashboard["uid"].(string); uid == "" {
		given.Dashboard["uid"] = strings.ToLower(rand.Text()[:14])
	}
	raw, _ := json.Marshal(given.Dashboard)
	one, err := g.provisioned.parse(raw)
	switch {
	case err != nil:
		message(w, http.StatusBadRequest, "%v", err)
	case g.provisioned.current()[one.UID] != nil:
		message(w, http.StatusBadRequest, "Cannot save provisioned dashboard")
	case g.find(one.UID) != nil && !given.Overwrite:
		message(w, http.StatusPreconditionFailed, "The dashboard has been changed by someone else")
	default:
		if err := g.state.keep(one.UID, raw); err != nil {
			message(w, http.StatusInternalServerError, "%v", err)
			return
		}
		serve.JSON(w, http.StatusOK, map[string]any{"uid": one.UID, "url": one.path(), "status": "success", "version": 1})
	}
}
