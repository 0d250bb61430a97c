// checker: decides by Porcupine whether what clients saw of a store can have happened in some order, one operation at a time.
//
//	checker [--picture FILE.html] [--timeout SECONDS] HISTORY        HISTORY: a file as history.go says, - for stdin
//
// Keys that no operation joins are checked apart; then, over all of them, that revisions of changes follow the order in time. Prints a
// line and exits 0 if all is well, 1 with what does not fit (and a picture of it), 2 when the file is none, 3 when the time was over.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	exitFine      = 0
	exitViolation = 1
	exitUnusable  = 2
	exitUndecided = 3
	mostShown     = 8
)

func main() {
	picture := flag.String("picture", "", "where a picture of a violation goes")
	timeout := flag.Duration("timeout", 0, "how long the search may take, 0: as long as it wants")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: checker [--picture FILE.html] [--timeout 60s] HISTORY")
		os.Exit(exitUnusable)
	}
	file := os.Stdin
	if flag.Arg(0) != "-" {
		opened, err := os.Open(flag.Arg(0))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUnusable)
		}
		file = opened
	}
	history, err := readHistory(file)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(exitUnusable)
	}
	os.Exit(check(history, *timeout, *picture, os.Stdout))
}

func check(history []operation, timeout time.Duration, picture string, out io.Writer) int {
	if problem := checkRevisions(history); problem != "" {
		fmt.Fprintln(out, "violation:", problem)
		return exitViolation
	}
	end := time.Now().Add(timeout)
	parts := components(history)
	largest, undecided := 0, 0
	for _, operations := range parts {
		part := newComponent(operations)
		if len(operations) > largest {
			largest = len(operations)
		}
		left := time.Duration(0)
		if timeout > 0 {
			left = time.Until(end)
			if left <= 0 {
				undecided++
				continue
			}
		}
		switch porcupine.CheckOperationsTimeout(part.model(), part.history(), left) {
		case porcupine.Illegal:
			explain(part, picture, out)
			return exitViolation
		case porcupine.Unknown:
			undecided++
		}
	}
	unknown := 0
	for _, o := range history {
		if o.Result == nil {
			unknown++
		}
	}
	what := fmt.Sprintf("%d operations (%d of unknown outcome) on %d groups of keys, at most %d on one", len(history), unknown, len(parts), largest)
	if undecided > 0 {
		fmt.Fprintf(out, "undecided: %d groups of keys; %s\n", undecided, what)
		return exitUndecided
	}
	fmt.Fprintf(out, "linearizable: %s\n", what)
	return exitFine
}

// checkRevisions: over all keys, a change that began after another one had returned has a higher revision, and none has that of another.
func checkRevisions(history []operation) string {
	var writes []operation
	for _, o := range history {
		if o.Result != nil && o.Result.Revision != 0 {
			writes = append(writes, o)
		}
	}
	byEnd := append([]operation(nil), writes...)
	sort.Slice(writes, func(a, b int) bool { return writes[a].Call < writes[b].Call })
	sort.Slice(byEnd, func(a, b int) bool { return *byEnd[a].Return < *byEnd[b].Return })
	given := map[int64]int{}
	var highest operation
	ended := 0
	for _, o := range writes {
		for ; ended < len(byEnd) && *byEnd[ended].Return < o.Call; ended++ {
			if highest.Result == nil || byEnd[ended].Result.Revision > highest.Result.Revision {
				highest = byEnd[ended]
			}
		}
		if highest.Result != nil && highest.Result.Revision >= o.Result.Revision {
			return fmt.Sprintf("line %d changed something at revision %d after line %d had done so at %d", o.line, o.Result.Revision,
				highest.line, highest.Result.Revision)
		}
		if other, found := given[o.Result.Revision]; found {
			return fmt.Sprintf("lines %d and %d both changed something at revision %d", other, o.line, o.Result.Revision)
		}
		given[o.Result.Revision] = o.line
	}
	return ""
}

// explain shows what the longest order that works leaves out, the first of it first.
func explain(part component, picture string, out io.Writer) {
	model := part.model()
	_, info := porcupine.CheckOperationsVerbose(model, part.history(), 0)
	var longest []porcupine.Operation
	for _, order := range info.PartialLinearizationsOperations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	now := model.Init()
	placed := map[interface{}]bool{}
	for _, o := range longest {
		_, now = model.Step(now, o.Input, o.Output)
		placed[o.Input] = true
	}
	fmt.Fprintf(out, "violation: no order fits what was seen of these keys; after %d of %d operations they hold %s, and none of these can come next:\n",
		len(longest), len(part.operations), model.DescribeState(now))
	shown := 0
	for _, o := range part.history() {
		if placed[o.Input] {
			continue
		}
		if shown++; shown > mostShown {
			fmt.Fprintln(out, "  ...")
			break
		}
		fmt.Fprintf(out, "  client %d, from %.3f ms on: %s\n", o.Input.(*operation).Client, float64(o.Call)/1e6, model.DescribeOperation(o.Input, o.Output))
	}
	if picture == "" {
		return
	}
	if err := porcupine.VisualizePath(model, info, picture); err != nil {
		fmt.Fprintf(out, "no picture: %v\n", err)
		return
	}
	fmt.Fprintf(out, "picture: %s\n", picture)
}
