package serve

import (
	"os"
	"sync"
	"syscall"
)

// footprint is the memory of a product in MB, as its container counts it: heap, and the pages of its program in use. The
// fakes are small, so without it a limit that is too small for the product would hold in the sandbox.
type footprint struct {
	// start is taken as soon as it serves.
	start int
	// load is taken once it works: see Load.
	load int
	// check is what each process of its health check takes.
	check int
}

// Measured on the products, or else an assumption; docs/memory.md has the sources. Less what the fake itself takes.
var footprints = map[string]footprint{
	"Alloy":   {start: 290, load: 290},
	"Grafana": {start: 320, load: 320},
	"Loki":    {start: 165, load: 245, check: 12},
}

var (
	holding sync.Mutex
	held    []byte
)

// Load is called where the product takes the memory that it has under load. It gives nothing back.
func (d *Fake) Load() { hold(footprints[d.Product].load) }

// HoldCheck is called by a health check that is a process of the product's program.
func HoldCheck(product string) { hold(footprints[product].check) }

// hold takes so much memory, if it is more than what is held, and writes to every page of it: the kernel gives a page when
// it is written to, and ends the program when its control group may have no more.
func hold(megabytes int) {
	holding.Lock()
	defer holding.Unlock()
	if megabytes<<20 <= len(held) {
		return
	}
	if held != nil {
		if err := syscall.Munmap(held); err != nil {
			Fail(err)
		}
	}
	region, err := syscall.Mmap(-1, 0, megabytes<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		Fail(err)
	}
	for page := 0; page < len(region); page += os.Getpagesize() {
		region[page] = 1
	}
	held = region
}
