package main

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"

	"vpai.sandbox/fakes/serve"
)

type samples struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values,omitempty"`
	Value  *[2]any           `json:"value,omitempty"`
}

type lines struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"`
}

func success(w http.ResponseWriter, data any) {
	serve.JSON(w, http.StatusOK, map[string]any{"status": "success", "data": data})
}

func failed(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusBadRequest) }

// instant is a time as Loki takes it: seconds, nanoseconds, or RFC 3339.
func instant(text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > 10 {
		return time.Unix(0, number), nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return otherwise, fmt.Errorf("could not parse %q as a time", text)
	}
	return time.UnixMilli(int64(seconds * 1000)), nil
}

// span is the time that a request asks for; the last hour if it does not say.
func span(r *http.Request) (from, to time.Time, err error) {
	to, wrong := instant(r.FormValue("end"), time.Now())
	from, err = instant(r.FormValue("start"), to.Add(-time.Hour))
	if err = errors.Join(wrong, err); err == nil && to.Before(from) {
		err = errors.New("end timestamp must not be before or equal to start time")
	}
	return from, to, err
}

func (l *loki) query(w http.ResponseWriter, r *http.Request) {
	q, err := parse(r.FormValue("query"))
	at, wrong := instant(r.FormValue("time"), time.Now())
	if err = errors.Join(err, wrong); err == nil && q.function == "" {
		err = errors.New("log queries are not supported as an instant query type, please change your query to a range query type")
	}
	if err != nil {
		failed(w, err)
		return
	}
	series, err := l.evaluate(q, []time.Time{at})
	if err != nil {
		failed(w, err)
		return
	}
	for i := range series {
		series[i].Value, series[i].Values = &series[i].Values[0], nil
	}
	success(w, map[string]any{"resultType": "vector", "result": series, "stats": map[string]any{}})
}

func (l *loki) queryRange(w http.ResponseWriter, r *http.Request) {
	q, err := parse(r.FormValue("query"))
	from, to, wrong := span(r)
	if err = errors.Join(err, wrong); err != nil {
		failed(w, err)
		return
	}
	if q.function == "" {
		l.lines(w, r, q, from, to)
		return
	}
	step := max(time.Second, to.Sub(from)/250).Truncate(time.Second)
	if said := r.FormValue("step"); said != "" {
		if seconds, err := strconv.ParseFloat(said, 64); err == nil {
			step = time.Duration(seconds * float64(time.Second))
		} else if step, err = time.ParseDuration(said); err != nil {
			failed(w, err)
			return
		}
	}
	if step <= 0 || to.Sub(from)/step > 11000 {
		failed(w, errors.New("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"))
		return
	}
	var times []time.Time
	for at := from; !at.After(to); at = at.Add(step) {
		times = append(times, at)
	}
	series, err := l.evaluate(q, times)
	if err != nil {
		failed(w, err)
		return
	}
	success(w, map[string]any{"resultType": "matrix", "result": series, "stats": map[string]any{}})
}

// earliest is where queries stop to look back.
func (l *loki) earliest(from time.Time) time.Time {
	if back := l.config.LimitsConfig.MaxQueryLookback; back > 0 {
		if limit := time.Now().Add(-back); from.Before(limit) {
			return limit
		}
	}
	return from
}

func (l *loki) lines(w http.ResponseWriter, r *http.Request, q *query, from, to time.Time) {
	limit, backward := 100, r.FormValue("direction") != "forward"
	if said, err := strconv.Atoi(r.FormValue("limit")); err == nil && said > 0 {
		limit = said
	}
	streams, err := l.store.find(q, l.earliest(from).UnixNano()-1, to.UnixNano()-1)
	if err != nil {
		failed(w, err)
		return
	}
	type place struct{ stream, entry int }
	var places []place
	for s := range streams {
		for e := range streams[s].entries {
			places = append(places, place{s, e})
		}
	}
	at := func(p place) int64 { return streams[p.stream].entries[p.entry].at }
	sort.SliceStable(places, func(i, j int) bool {
		if backward {
			return at(places[i]) > at(places[j])
		}
		return at(places[i]) < at(places[j])
	})
	result, index := []*lines{}, map[int]*lines{}
	for _, p := range places[:min(limit, len(places))] {
		if index[p.stream] == nil {
			index[p.stream] = &lines{Stream: streams[p.stream].labels}
			result = append(result, index[p.stream])
		}
		e := streams[p.stream].entries[p.entry]
		index[p.stream].Values = append(index[p.stream].Values, [2]string{strconv.FormatInt(e.at, 10), e.line})
	}
	success(w, map[string]any{"resultType": "streams", "result": result, "stats": map[string]any{}})
}

// evaluate counts what a query selects, at each of the times over the window that ends there.
func (l *loki) evaluate(q *query, times []time.Time) ([]samples, error) {
	from := l.earliest(times[0].Add(-q.window))
	streams, err := l.store.find(q, from.UnixNano(), times[len(times)-1].UnixNano())
	if err != nil {
		return nil, err
	}
	totals, names, groups := map[string][]float64{}, []string{}, map[string]map[string]string{}
	for _, s := range streams {
		group := s.labels
		if q.sum {
			group = map[string]string{}
			for _, label := range q.by {
				if value, ok := s.labels[label]; ok {
					group[label] = value
				}
			}
		}
		key := written(group)
		if totals[key] == nil {
			totals[key], groups[key] = make([]float64, len(times)), group
			for i := range totals[key] {
				totals[key][i] = math.NaN() // nothing was counted
			}
			names = append(names, key)
		}
		for i, at := range times {
			if value, any := q.count(s.entries, at); any {
				if math.IsNaN(totals[key][i]) {
					totals[key][i] = 0
				}
				totals[key][i] += value
			}
		}
	}
	series := []samples{}
	for _, key := range names {
		one := samples{Metric: groups[key]}
		for i, value := range totals[key] {
			if !math.IsNaN(value) {
				at := float64(times[i].UnixMilli()) / 1000
				one.Values = append(one.Values, [2]any{at, strconv.FormatFloat(value, 'g', -1, 64)})
			}
		}
		if len(one.Values) > 0 {
			series = append(series, one)
		}
	}
	return series, nil
}

// count is the function's value over the window that ends at a time, and whether there was a line in it at all.
func (q *query) count(entries []entry, at time.Time) (float64, bool) {
	after := func(limit int64) int {
		n, _ := slices.BinarySearchFunc(entries, limit+1, func(e entry, t int64) int { return int(max(-1, min(1, e.at-t))) })
		return n
	}
	inside := entries[after(at.Add(-q.window).UnixNano()):after(at.UnixNano())]
	value := float64(len(inside))
	if q.function == "bytes_over_time" || q.function == "bytes_rate" {
		value = 0
		for _, e := range inside {
			value += float64(len(e.line))
		}
	}
	if q.function == "rate" || q.function == "bytes_rate" {
		value /= q.window.Seconds()
	}
	return value, len(inside) > 0
}
