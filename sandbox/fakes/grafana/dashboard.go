package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

type reference struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID         int       `json:"id"`
	Type       string    `json:"type"`
	Title      string    `json:"title"`
	Datasource reference `json:"datasource"`
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		RefID      string    `json:"refId"`
		Datasource reference `json:"datasource"`
		Expr       string    `json:"expr"`
	} `json:"targets"`
}

type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Panels        []panel  `json:"panels"`

	raw  json.RawMessage
	file string
}

var kinds = map[string]bool{"timeseries": true, "stat": true, "logs": true}

func (d *dashboard) judge(p *provisioned) error {
	if d.UID == "" || len(d.UID) > 40 || d.Title == "" {
		return errors.New("a dashboard has a uid of up to 40 characters and a title")
	}
	if d.SchemaVersion < 1 || d.SchemaVersion > 42 {
		return fmt.Errorf("schemaVersion is %d; this Grafana knows up to 42", d.SchemaVersion)
	}
	ids := map[int]bool{}
	for i, each := range d.Panels {
		if err := each.judge(p); err != nil {
			return fmt.Errorf("panel %q: %w", each.Title, err)
		}
		if ids[each.ID] {
			return fmt.Errorf("panel %q: its id %d is another's too", each.Title, each.ID)
		}
		ids[each.ID] = true
		for _, other := range d.Panels[:i] {
			if each.over(other) {
				return fmt.Errorf("panel %q lies over %q", each.Title, other.Title)
			}
		}
	}
	return nil
}

func (each panel) over(other panel) bool {
	a, b := each.GridPos, other.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func (each panel) judge(p *provisioned) error {
	if !kinds[each.Type] {
		return fmt.Errorf("Panel plugin not found: %s", each.Type)
	}
	if at := each.GridPos; at.X < 0 || at.Y < 0 || at.W < 1 || at.H < 1 || at.X+at.W > 24 {
		return fmt.Errorf("lies outside of the 24 columns: %+v", at)
	}
	if len(each.Targets) == 0 {
		return errors.New("asks nothing")
	}
	references, refs := []reference{each.Datasource}, map[string]bool{}
	for _, target := range each.Targets {
		if target.Expr == "" || target.RefID == "" || refs[target.RefID] {
			return fmt.Errorf("a query has an expression, and a refId of its own: %+v", target)
		}
		refs[target.RefID] = true
		references = append(references, target.Datasource)
	}
	for _, named := range references {
		if source := p.source(named.UID); source == nil || source.Type != named.Type {
			return fmt.Errorf("datasource %s with uid %q was not found", named.Type, named.UID)
		}
	}
	return nil
}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

// path is where Grafana shows it.
func (d *dashboard) path() string {
	return "/d/" + d.UID + "/" + strings.Trim(noSlug.ReplaceAllString(strings.ToLower(d.Title), "-"), "-")
}
