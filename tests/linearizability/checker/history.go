// The history file: JSON lines, each one operation that a client made, in any order.
//
//	operation := {"client":n, "call":ns, "return":ns, "guards":[guard...], "then":[step...], "else":[step...], "result":result}
//	guard     := {"key":text, "exists":bool} | {"key":text, "value":value} | {"key":text, "revision":n}
//	step      := {"op":"get","key":text} | {"op":"put","key":text,"value":value} | {"op":"delete","key":text}
//	result    := {"succeeded":bool, "revision":n, "steps":[shown...]}
//	shown     := {"value":value, "revision":n} of a get that found the key | {"missing":true} of a get or delete that did not | {}
//	value     := a JSON text or integer
//
// Everything is a transaction: a put is a `then` of one put, a strong read a `then` of one get, a put on a condition has a guard.
// "guards" and "else" may be left out. `call` and `return` are moments of one clock that never goes back; a client has one
// operation at a time, but after one of unknown outcome. The store is empty at first.
//
// An operation without "result" (and "return") has an unknown outcome: it took place once at any time after its call, or never.
// What was refused with "nothing was done" is left out, so that a refused write that is seen after all is a violation.
//
// "succeeded" tells which of then and else ran, "steps" what each of its steps answered. "revision" is that of the operation's
// changes, present only if it changed something; it may be left out there and in a get's answer when it is not known.
// Two limits: values that are put are unique over the whole history (that is what makes the check quick and strict), and an
// operation with a guard by revision has only gets in "else".
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

type guard struct {
	Key      string          `json:"key"`
	Exists   *bool           `json:"exists"`
	Value    json.RawMessage `json:"value"`
	Revision *int64          `json:"revision"`
}

type step struct {
	Op    string          `json:"op"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

type shown struct {
	Value    json.RawMessage `json:"value"`
	Revision int64           `json:"revision"`
	Missing  bool            `json:"missing"`
}

type result struct {
	Succeeded *bool   `json:"succeeded"`
	Revision  int64   `json:"revision"`
	Steps     []shown `json:"steps"`
}

type operation struct {
	Client int     `json:"client"`
	Call   int64   `json:"call"`
	Return *int64  `json:"return"`
	Guards []guard `json:"guards"`
	Then   []step  `json:"then"`
	Else   []step  `json:"else"`
	Result *result `json:"result"`
	line   int
}

const longestLine = 1 << 24

func readHistory(from io.Reader) ([]operation, error) {
	var history []operation
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, longestLine)
	for number := 1; lines.Scan(); number++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		read := operation{line: number}
		if err := decoder.Decode(&read); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if err := read.validate(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		history = append(history, read)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return history, validateValues(history)
}

func (o *operation) validate() error {
	if (o.Result == nil) != (o.Return == nil) {
		return fmt.Errorf("an operation has both \"return\" and \"result\", or neither")
	}
	if o.Client < 0 {
		return fmt.Errorf("\"client\" is below 0")
	}
	if o.Return != nil && *o.Return < o.Call {
		return fmt.Errorf("it returned before it was called")
	}
	byRevision := false
	for _, g := range o.Guards {
		if err := g.validate(); err != nil {
			return err
		}
		byRevision = byRevision || g.Revision != nil
	}
	for _, s := range append(append([]step{}, o.Then...), o.Else...) {
		if err := s.validate(); err != nil {
			return err
		}
	}
	if byRevision && changes(o.Else) {
		return fmt.Errorf("an operation with a guard by revision has only gets in \"else\"")
	}
	if o.Result == nil {
		return nil
	}
	if o.Result.Succeeded == nil {
		return fmt.Errorf("a result has \"succeeded\"")
	}
	if len(o.Result.Steps) != len(o.ran()) {
		return fmt.Errorf("%d steps ran and %d are answered", len(o.ran()), len(o.Result.Steps))
	}
	return nil
}

func (g *guard) validate() error {
	conditions := 0
	for _, given := range []bool{g.Exists != nil, g.Value != nil, g.Revision != nil} {
		if given {
			conditions++
		}
	}
	if g.Key == "" || conditions != 1 {
		return fmt.Errorf("a guard has a key and one of \"exists\", \"value\" and \"revision\"")
	}
	return nil
}

func (s *step) validate() error {
	if s.Op != "get" && s.Op != "put" && s.Op != "delete" {
		return fmt.Errorf("%q is no step", s.Op)
	}
	if s.Key == "" || (s.Value != nil) != (s.Op == "put") {
		return fmt.Errorf("a step has a key, and a value if it is a put")
	}
	return nil
}

// validateValues refuses a history in which two operations put the same value.
func validateValues(history []operation) error {
	putBy := map[string]int{}
	for _, o := range history {
		for _, s := range append(append([]step{}, o.Then...), o.Else...) {
			if s.Op != "put" {
				continue
			}
			if other, found := putBy[string(s.Value)]; found && other != o.line {
				return fmt.Errorf("line %d puts %s, as line %d does: values must be unique", o.line, s.Value, other)
			}
			putBy[string(s.Value)] = o.line
		}
	}
	return nil
}

func changes(steps []step) bool {
	for _, s := range steps {
		if s.Op != "get" {
			return true
		}
	}
	return false
}

// ran gives the steps that ran, by the result.
func (o *operation) ran() []step {
	if *o.Result.Succeeded {
		return o.Then
	}
	return o.Else
}

func (o *operation) keys() []string {
	var keys []string
	for _, g := range o.Guards {
		keys = append(keys, g.Key)
	}
	for _, s := range o.Then {
		keys = append(keys, s.Key)
	}
	for _, s := range o.Else {
		keys = append(keys, s.Key)
	}
	return keys
}

// components splits a history into parts that share no key: the whole is linearizable if each of them is.
func components(history []operation) [][]operation {
	parent := map[string]string{}
	var root func(string) string
	root = func(key string) string {
		above, found := parent[key]
		if !found {
			parent[key] = key
			return key
		}
		if above == key {
			return key
		}
		top := root(above)
		parent[key] = top
		return top
	}
	for _, o := range history {
		keys := o.keys()
		for _, key := range keys {
			parent[root(key)] = root(keys[0])
		}
	}
	var order []string
	parts := map[string][]operation{}
	for _, o := range history {
		keys := o.keys()
		if len(keys) == 0 {
			continue
		}
		name := root(keys[0])
		if _, found := parts[name]; !found {
			order = append(order, name)
		}
		parts[name] = append(parts[name], o)
	}
	var split [][]operation
	for _, name := range order {
		split = append(split, parts[name])
	}
	return split
}
