package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// match is `label = "value"`, or one of `!=`, `=~` and `!~`.
type match struct {
	label, op, value string
	pattern          *regexp.Regexp
}

// filter is `|= "text"`, or one of `!=`, `|~` and `!~`.
type filter struct {
	op, text string
	pattern  *regexp.Regexp
}

// query is a selection of lines, counted over a range if `function` is set, and added up if `sum` is.
type query struct {
	matches  []match
	filters  []filter
	function string
	window   time.Duration
	sum      bool
	by       []string
}

var functions = map[string]bool{"count_over_time": true, "rate": true, "bytes_over_time": true, "bytes_rate": true}

// token is one word, number, string or sign; strings have their quotes taken off.
var token = regexp.MustCompile("^\\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)|(\\d[\\w.]*)|(=~|!=|!~|\\|=|\\|~|[{}()\\[\\],=|]))")

type parser struct {
	text string
	at   int
	err  error
}

func parse(text string) (*query, error) {
	p := &parser{text: text}
	q := p.query()
	if p.err == nil && strings.TrimSpace(p.text[p.at:]) != "" {
		p.fail("this fake of Loki does not do what follows")
	}
	if p.err == nil {
		p.err = selective(q.matches)
	}
	return q, p.err
}

func (p *parser) fail(format string, values ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("parse error at line 1, col %d: "+format, append([]any{p.at + 1}, values...)...)
	}
}

// peek is the next token; quoted strings keep their quotes here.
func (p *parser) peek() string { return strings.TrimSpace(token.FindString(p.text[p.at:])) }

func (p *parser) take() string {
	next := p.peek()
	p.at += len(token.FindString(p.text[p.at:]))
	return next
}

func (p *parser) want(what string) {
	if got := p.peek(); got != what {
		p.fail("unexpected %q, expecting %q", got, what)
	}
	p.take()
}

func (p *parser) word() string {
	next := p.take()
	if !regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(next) {
		p.fail("unexpected %q, expecting a name", next)
	}
	return next
}

func (p *parser) quoted() string {
	next := p.take()
	text, err := strconv.Unquote(next)
	if err != nil || strings.HasPrefix(next, "'") {
		p.fail("unexpected %q, expecting a string", next)
	}
	return text
}

func (p *parser) query() *query {
	switch next := p.peek(); {
	case next == "sum":
		p.take()
		by, said := p.grouping()
		p.want("(")
		q := p.counted()
		p.want(")")
		if !said {
			by, _ = p.grouping()
		}
		q.sum, q.by = true, by
		return q
	case next == "{":
		return p.lines()
	default:
		return p.counted()
	}
}

func (p *parser) grouping() (labels []string, said bool) {
	if p.peek() != "by" {
		return nil, false
	}
	p.take()
	p.want("(")
	for p.err == nil && p.peek() != ")" {
		labels = append(labels, p.word())
		if p.peek() == "," {
			p.take()
		}
	}
	p.want(")")
	return labels, true
}

func (p *parser) counted() *query {
	function := p.word()
	if !functions[function] {
		p.fail("this fake of Loki has no %s", function)
	}
	p.want("(")
	q := p.lines()
	q.function = function
	p.want("[")
	q.window = p.duration()
	p.want("]")
	p.want(")")
	return q
}

func (p *parser) duration() time.Duration {
	text := p.take()
	units := strings.NewReplacer("w", "*168h", "d", "*24h").Replace(text)
	number, unit, days := strings.Cut(units, "*")
	window, err := time.ParseDuration(number)
	if days {
		var each time.Duration
		each, err = time.ParseDuration(unit)
		count, wrong := strconv.Atoi(number)
		if window = time.Duration(count) * each; wrong != nil {
			err = wrong
		}
	}
	if err != nil || window <= 0 {
		p.fail("not a valid duration string: %q", text)
	}
	return window
}

func (p *parser) lines() *query {
	q := &query{}
	p.want("{")
	for p.err == nil && p.peek() != "}" {
		m := match{label: p.word(), op: p.take(), value: p.quoted()}
		switch m.op {
		case "=", "!=":
		case "=~", "!~":
			m.pattern = p.pattern("^(?:" + m.value + ")$")
		default:
			p.fail("unexpected %q, expecting an operator", m.op)
		}
		q.matches = append(q.matches, m)
		if p.peek() == "," {
			p.take()
		}
	}
	p.want("}")
	for p.err == nil {
		switch op := p.peek(); op {
		case "|=", "!=", "|~", "!~":
			p.take()
			f := filter{op: op, text: p.quoted()}
			if strings.HasSuffix(op, "~") {
				f.pattern = p.pattern(f.text)
			}
			q.filters = append(q.filters, f)
		default:
			return q
		}
	}
	return q
}

func (p *parser) pattern(text string) *regexp.Regexp {
	pattern, err := regexp.Compile(text)
	if err != nil {
		p.fail("%v", err)
	}
	return pattern
}

// selective refuses a selection that holds for every stream, as Loki does.
func selective(matches []match) error {
	for _, m := range matches {
		if (m.op == "=" || m.op == "=~") && !m.holds("") {
			return nil
		}
	}
	return fmt.Errorf("parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will")
}

func (m match) holds(value string) bool {
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.pattern.MatchString(value)
	default:
		return !m.pattern.MatchString(value)
	}
}

func (f filter) holds(line string) bool {
	switch f.op {
	case "|=":
		return strings.Contains(line, f.text)
	case "!=":
		return !strings.Contains(line, f.text)
	case "|~":
		return f.pattern.MatchString(line)
	default:
		return !f.pattern.MatchString(line)
	}
}
