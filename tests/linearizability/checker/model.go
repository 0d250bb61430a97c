package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"sort"
	"strings"

	"github.com/anishathalye/porcupine"
)

// record is what a model knows of one key. A write of unknown outcome leaves a revision that is not known (0) but that it is above
// `after`; the first answer that shows it makes it known.
type record struct {
	exists   bool
	value    string
	revision int64
	after    int64
}

// state: the keys of one component, and the highest revision that its changes are known to have had. Never changed, only copied.
type state struct {
	records []record
	last    int64
}

// component is a part of a history that shares no key with the rest.
type component struct {
	operations []operation
	index      map[string]int
}

func newComponent(operations []operation) component {
	index := map[string]int{}
	for _, o := range operations {
		for _, key := range o.keys() {
			if _, found := index[key]; !found {
				index[key] = len(index)
			}
		}
	}
	return component{operations: operations, index: index}
}

// history gives the operations as Porcupine takes them. One of unknown outcome returns at the end of time, or when a get that saw its
// value returned: by then it had taken place, and the search needs not think of later moments.
func (c component) history() []porcupine.Operation {
	seen := map[string]int64{}
	for _, o := range c.operations {
		if o.Result == nil {
			continue
		}
		for _, answer := range o.Result.Steps {
			if answer.Value == nil {
				continue
			}
			value := string(answer.Value)
			if before, found := seen[value]; !found || *o.Return < before {
				seen[value] = *o.Return
			}
		}
	}
	var history []porcupine.Operation
	for at := range c.operations {
		o := &c.operations[at]
		end := int64(math.MaxInt64)
		if o.Return != nil {
			end = *o.Return
		} else {
			for _, s := range append(append([]step{}, o.Then...), o.Else...) {
				if moment, found := seen[string(s.Value)]; s.Op == "put" && found && moment < end {
					end = moment
				}
			}
		}
		history = append(history, porcupine.Operation{ClientId: o.Client, Input: o, Call: o.Call, Output: o.Result, Return: end})
	}
	return separateClients(history)
}

// separateClients gives a client a new number after an operation that is still open when its next one begins: a picture has one line
// for each client.
func separateClients(history []porcupine.Operation) []porcupine.Operation {
	sort.SliceStable(history, func(a, b int) bool { return history[a].Call < history[b].Call })
	var freeFrom []int64 // by line of the picture
	lineOf := map[int]int{}
	for at := range history {
		o := &history[at]
		line, found := lineOf[o.ClientId]
		if !found || freeFrom[line] > o.Call {
			line = len(freeFrom)
			freeFrom = append(freeFrom, 0)
			lineOf[o.ClientId] = line
		}
		freeFrom[line] = o.Return
		o.ClientId = line
	}
	return history
}

func (c component) model() porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return state{records: make([]record, len(c.index))} },
		Step: func(before, input, output interface{}) (bool, interface{}) {
			return c.step(before.(state), input.(*operation), output.(*result))
		},
		Equal:             equal,
		Hash:              hash,
		DescribeOperation: func(input, output interface{}) string { return describe(input.(*operation), output.(*result)) },
		DescribeState:     c.describeState,
	}
}

// verdict of a guard when a revision is not known.
type verdict int

const (
	no verdict = iota
	maybe
	yes
)

func (r record) judge(g guard) verdict {
	holds := false
	switch {
	case g.Exists != nil:
		holds = r.exists == *g.Exists
	case g.Value != nil:
		holds = r.exists && r.value == string(g.Value)
	case r.exists && r.revision == 0:
		if *g.Revision > r.after {
			return maybe
		}
	default:
		holds = r.exists && r.revision == *g.Revision
	}
	if holds {
		return yes
	}
	return no
}

// step: whether the operation can have taken place now with this result (nil: unknown), and what is then.
//
// Where a guard may hold or not, it is taken to hold if the outcome is unknown: that it did not is the same as taking place at the
// end, where nobody looks any more.
func (c component) step(before state, o *operation, output *result) (bool, state) {
	after := state{records: append([]record(nil), before.records...), last: before.last}
	holds := yes
	for _, g := range o.Guards {
		if judged := after.records[c.index[g.Key]].judge(g); judged < holds {
			holds = judged
		}
	}
	succeeded := holds != no
	if output != nil {
		if succeeded != *output.Succeeded && holds != maybe {
			return false, before
		}
		succeeded = *output.Succeeded
	}
	steps := o.Else
	if succeeded {
		steps = o.Then
		c.learnRevisions(&after, o.Guards)
	}
	changed := false
	for at, s := range steps {
		var answer *shown
		if output != nil {
			answer = &output.Steps[at]
		}
		possible, hasChanged := after.take(c.index[s.Key], s, answer)
		if !possible {
			return false, before
		}
		changed = changed || hasChanged
	}
	revision := int64(0)
	if output != nil {
		revision = output.Revision
	}
	if revision != 0 && (!changed || revision <= before.last) {
		return false, before
	}
	after.name(revision)
	return true, after
}

// learnRevisions: guards that held say what a revision is.
func (c component) learnRevisions(now *state, guards []guard) {
	for _, g := range guards {
		if g.Revision != nil {
			now.learn(c.index[g.Key], *g.Revision)
		}
	}
}

func (s *state) learn(key int, revision int64) {
	r := &s.records[key]
	if !r.exists || r.revision != 0 {
		return
	}
	r.revision = revision
	if revision > s.last {
		s.last = revision
	}
}

// unnamed marks what the present operation has put, until its revision is known.
const unnamed = -1

func (s *state) take(key int, by step, answer *shown) (possible, changed bool) {
	r := &s.records[key]
	switch by.Op {
	case "put":
		*r = record{exists: true, value: string(by.Value), revision: unnamed, after: s.last}
		return true, true
	case "delete":
		if answer != nil && answer.Missing == r.exists {
			return false, false
		}
		existed := r.exists
		*r = record{}
		return true, existed
	}
	if answer == nil {
		return true, false
	}
	if answer.Missing || !r.exists {
		return answer.Missing && !r.exists, false
	}
	if answer.Value == nil || r.value != string(answer.Value) {
		return false, false
	}
	if answer.Revision == 0 || r.revision == unnamed {
		return true, false
	}
	if answer.Revision > r.after {
		s.learn(key, answer.Revision)
	}
	return r.revision == answer.Revision, false
}

// name gives what was put just now its revision, or 0: not known.
func (s *state) name(revision int64) {
	for at := range s.records {
		if s.records[at].revision == unnamed {
			s.records[at].revision = revision
		}
	}
	if revision != 0 {
		s.last = revision
	}
}

func equal(left, right interface{}) bool {
	a, b := left.(state), right.(state)
	if a.last != b.last {
		return false
	}
	for at := range a.records {
		if a.records[at] != b.records[at] {
			return false
		}
	}
	return true
}

func hash(of interface{}) uint64 {
	s := of.(state)
	sum := fnv.New64a()
	fmt.Fprint(sum, s.last)
	for _, r := range s.records {
		fmt.Fprint(sum, r.exists, r.value, r.revision, r.after)
	}
	return sum.Sum64()
}

func describe(o *operation, output *result) string {
	var words []string
	for _, g := range o.Guards {
		switch {
		case g.Exists != nil && *g.Exists:
			words = append(words, fmt.Sprintf("if %s exists", g.Key))
		case g.Exists != nil:
			words = append(words, fmt.Sprintf("if no %s", g.Key))
		case g.Value != nil:
			words = append(words, fmt.Sprintf("if %s = %s", g.Key, g.Value))
		default:
			words = append(words, fmt.Sprintf("if %s is of revision %d", g.Key, *g.Revision))
		}
	}
	if output == nil {
		return strings.Join(append(words, describeSteps(o.Then, nil), "-> unknown"), " ")
	}
	if !*output.Succeeded {
		words = append(words, "-> no;")
	}
	words = append(words, describeSteps(o.ran(), output.Steps))
	if output.Revision != 0 {
		words = append(words, fmt.Sprintf("at revision %d", output.Revision))
	}
	return strings.Join(words, " ") + fmt.Sprintf(" (line %d)", o.line)
}

func describeSteps(steps []step, answers []shown) string {
	var words []string
	for at, s := range steps {
		word := fmt.Sprintf("%s %s", s.Op, s.Key)
		if s.Op == "put" {
			word += fmt.Sprintf(" = %s", s.Value)
		}
		if answers != nil && answers[at].Missing {
			word += " -> missing"
		} else if answers != nil && s.Op == "get" {
			word += fmt.Sprintf(" -> %s", answers[at].Value)
			if answers[at].Revision != 0 {
				word += fmt.Sprintf(" of revision %d", answers[at].Revision)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func (c component) describeState(of interface{}) string {
	s := of.(state)
	var keys, words []string
	for key := range c.index {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		r := s.records[c.index[key]]
		if !r.exists {
			words = append(words, key+": none")
		} else {
			words = append(words, fmt.Sprintf("%s: %s of revision %d", key, r.value, r.revision))
		}
	}
	return strings.Join(words, ", ")
}
