// Package orphan ends a plugin whose engine has died.
//
// Pulumi's own plugins ask the engine for its health every five minutes. After a kill -9 of the engine that is
// long enough to create a server that the state never records, while the next run creates it too.
package orphan

import (
	"os"
	"time"
)

// Interval is how often the parent is looked at: one system call each time.
const Interval = 100 * time.Millisecond

// Exit ends this process soon after its parent has ended, without finishing its work. clean, if any, runs before.
func Exit(clean func()) {
	// Read here, not in the goroutine: a parent that is killed before it runs would be taken for its successor.
	go Watch(os.Getppid(), os.Getppid, Interval, func() {
		if clean != nil {
			clean()
		}
		os.Exit(1)
	})
}

// Watch calls orphaned once when first is no longer the parent, and returns.
func Watch(first int, parent func() int, every time.Duration, orphaned func()) {
	for parent() == first {
		time.Sleep(every)
	}
	orphaned()
}
