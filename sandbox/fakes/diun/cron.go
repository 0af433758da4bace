package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// schedule is a cron expression of five fields: minute, hour, day, month, weekday. Each is *, */n, n, or a list.
type schedule [5]func(int) bool

func parseSchedule(text string) (schedule, error) {
	fields := strings.Fields(text)
	var parsed schedule
	if len(fields) != len(parsed) {
		return parsed, fmt.Errorf("schedule %q: this fake wants five fields", text)
	}
	for i, field := range fields {
		values := map[int]bool{}
		step := 0
		switch {
		case field == "*":
			step = 1
		case strings.HasPrefix(field, "*/"):
			number, err := strconv.Atoi(field[2:])
			if err != nil || number < 1 {
				return parsed, fmt.Errorf("schedule %q: %s", text, field)
			}
			step = number
		default:
			for _, part := range strings.Split(field, ",") {
				number, err := strconv.Atoi(part)
				if err != nil {
					return parsed, fmt.Errorf("schedule %q: %s", text, part)
				}
				values[number] = true
			}
		}
		parsed[i] = func(value int) bool { return values[value] || step > 0 && value%step == 0 }
	}
	return parsed, nil
}

// next is the first minute after a time that the schedule names.
func (s schedule) next(after time.Time) time.Time {
	at := after.Truncate(time.Minute).Add(time.Minute)
	for !(s[0](at.Minute()) && s[1](at.Hour()) && s[2](at.Day()) && s[3](int(at.Month())) && s[4](int(at.Weekday()))) {
		at = at.Add(time.Minute)
	}
	return at
}
