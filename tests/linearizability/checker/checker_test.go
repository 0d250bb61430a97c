package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// verdictOf checks lines of a history, each with ' for ".
func verdictOf(t *testing.T, lines ...string) (int, string) {
	t.Helper()
	history, err := readHistory(strings.NewReader(strings.ReplaceAll(strings.Join(lines, "\n"), "'", `"`)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return check(history, 0, "", &out), out.String()
}

func put(client, call, end int, key, value string, revision int) string {
	return fmt.Sprintf(`{'client':%d,'call':%d,'return':%d,'then':[{'op':'put','key':'%s','value':'%s'}],'result':{'succeeded':true,'revision':%d,'steps':[{}]}}`,
		client, call, end, key, value, revision)
}

func unknownPut(client, call int, key, value string) string {
	return fmt.Sprintf(`{'client':%d,'call':%d,'then':[{'op':'put','key':'%s','value':'%s'}]}`, client, call, key, value)
}

func get(client, call, end int, key, shown string) string {
	return fmt.Sprintf(`{'client':%d,'call':%d,'return':%d,'then':[{'op':'get','key':'%s'}],'result':{'succeeded':true,'steps':[{%s}]}}`,
		client, call, end, key, shown)
}

func remove(client, call, end int, key, result string) string {
	return fmt.Sprintf(`{'client':%d,'call':%d,'return':%d,'then':[{'op':'delete','key':'%s'}],'result':{'succeeded':true,%s}}`,
		client, call, end, key, result)
}

func TestWhatCanHaveHappenedIsFine(t *testing.T) {
	for name, lines := range map[string][]string{
		"nothing":                         {},
		"a missing key":                   {get(0, 1, 2, "k", "'missing':true")},
		"one after the other":             {put(0, 1, 2, "k", "a", 1), get(1, 3, 4, "k", "'value':'a','revision':1")},
		"a get sees a put before it ends": {put(0, 1, 9, "k", "a", 1), get(1, 3, 4, "k", "'value':'a'"), get(2, 3, 4, "k", "'missing':true")},
		"puts at once, in either order":   {put(0, 1, 9, "k", "a", 2), put(1, 1, 9, "k", "b", 1), get(2, 10, 11, "k", "'value':'a'")},
		"an unknown put that happened":    {unknownPut(0, 1, "k", "a"), get(1, 5, 6, "k", "'missing':true"), get(1, 7, 8, "k", "'value':'a','revision':3")},
		"an unknown put that did not":     {unknownPut(0, 1, "k", "a"), put(0, 2, 3, "k", "b", 1), get(1, 7, 8, "k", "'value':'b'")},
		"an unknown put that came late":   {unknownPut(0, 1, "k", "a"), put(0, 2, 3, "k", "b", 1), get(1, 7, 8, "k", "'value':'a','revision':2")},
		"a delete":                        {put(0, 1, 2, "k", "a", 1), remove(0, 3, 4, "k", "'revision':2,'steps':[{}]"), get(1, 5, 6, "k", "'missing':true")},
		"a delete of nothing":             {remove(0, 3, 4, "k", "'steps':[{'missing':true}]")},
		"keys apart":                      {put(0, 1, 2, "k", "a", 1), put(0, 3, 4, "l", "b", 2), get(1, 5, 6, "k", "'value':'a'")},
	} {
		if exit, said := verdictOf(t, lines...); exit != exitFine {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func TestWhatCannotHaveHappenedIsAViolation(t *testing.T) {
	for name, lines := range map[string][]string{
		"a stale read":                  {put(0, 1, 2, "k", "a", 1), put(0, 3, 4, "k", "b", 2), get(1, 5, 6, "k", "'value':'a'")},
		"a read that went back":         {put(0, 1, 9, "k", "a", 1), get(1, 3, 4, "k", "'value':'a'"), get(2, 5, 6, "k", "'missing':true")},
		"a lost write":                  {put(0, 1, 2, "k", "a", 1), get(1, 5, 6, "k", "'missing':true")},
		"a value that nobody put":       {get(1, 5, 6, "k", "'value':'a'")},
		"a put before it was asked for": {get(1, 1, 2, "k", "'value':'a'"), unknownPut(0, 3, "k", "a")},
		"an unknown put done twice": {unknownPut(0, 1, "k", "a"), get(1, 2, 3, "k", "'value':'a'"), put(1, 4, 5, "k", "b", 2),
			get(1, 6, 7, "k", "'value':'a'")},
		"a delete that found nothing":           {put(0, 1, 2, "k", "a", 1), remove(0, 3, 4, "k", "'steps':[{'missing':true}]")},
		"another revision than that of the put": {put(0, 1, 2, "k", "a", 1), get(1, 3, 4, "k", "'value':'a','revision':2")},
		"a revision that changed without a change": {unknownPut(0, 1, "k", "a"), get(1, 2, 3, "k", "'value':'a','revision':2"),
			get(1, 4, 5, "k", "'value':'a','revision':3")},
		"a revision that was there before":          {put(0, 1, 2, "k", "a", 5), unknownPut(0, 3, "k", "b"), get(1, 6, 7, "k", "'value':'b','revision':4")},
		"revisions against the order of keys apart": {put(0, 1, 2, "k", "a", 2), put(0, 3, 4, "l", "b", 1)},
		"one revision for two":                      {put(0, 1, 9, "k", "a", 1), put(1, 1, 9, "l", "b", 1)},
	} {
		if exit, said := verdictOf(t, lines...); exit != exitViolation {
			t.Errorf("%s: %d %s", name, exit, said)
		}
	}
}

func TestGuardsDecide(t *testing.T) {
	guarded := func(call int, guard, value, result string) string {
		return fmt.Sprintf(`{'client':7,'call':%d,'return':%d,'guards':[{'key':'k',%s}],'then':[{'op':'put','key':'k','value':'%s'}],'result':%s}`,
			call, call+1, guard, value, result)
	}
	done := func(revision int) string {
		return fmt.Sprintf("{'succeeded':true,'revision':%d,'steps':[{}]}", revision)
	}
	const not = "{'succeeded':false,'steps':[]}"
	first := put(0, 1, 2, "k", "a", 4)
	for name, one := range map[string]struct {
		lines []string
		exit  int
	}{
		"a revision that holds":          {[]string{first, guarded(3, "'revision':4", "b", done(5))}, exitFine},
		"a revision that does not":       {[]string{first, guarded(3, "'revision':3", "b", not)}, exitFine},
		"a revision that held, refused":  {[]string{first, guarded(3, "'revision':4", "b", not)}, exitViolation},
		"another revision, and yet done": {[]string{first, guarded(3, "'revision':3", "b", done(5))}, exitViolation},
		"a value that holds":             {[]string{first, guarded(3, "'value':'a'", "b", done(5))}, exitFine},
		"a value that does not":          {[]string{first, guarded(3, "'value':'z'", "b", not)}, exitFine},
		"another value, and yet done":    {[]string{first, guarded(3, "'value':'z'", "b", done(5))}, exitViolation},
		"create only, of nothing":        {[]string{guarded(3, "'exists':false", "b", done(5))}, exitFine},
		"create only, of something":      {[]string{first, guarded(3, "'exists':false", "b", done(5))}, exitViolation},
		"two that both compared and set": {[]string{first, guarded(3, "'revision':4", "b", done(5)), guarded(5, "'revision':4", "c", done(6))}, exitViolation},
		"a guard shows an unknown put's revision": {[]string{unknownPut(0, 1, "k", "a"), guarded(3, "'revision':4", "b", done(5)),
			get(1, 6, 7, "k", "'value':'b','revision':5")}, exitFine},
		"and another can't be it too": {[]string{unknownPut(0, 1, "k", "a"), guarded(3, "'revision':4", "b", not),
			get(1, 6, 7, "k", "'value':'a','revision':4"), guarded(8, "'revision':4", "c", not)}, exitViolation},
	} {
		if exit, said := verdictOf(t, one.lines...); exit != one.exit {
			t.Errorf("%s: %d %s", name, exit, said)
		}
	}
}

func TestTransactionsAreWhole(t *testing.T) {
	const moved = `{'client':0,'call':1,'return':2,'then':[{'op':'put','key':'k','value':'a'},{'op':'put','key':'l','value':'b'}],'result':{'succeeded':true,'revision':1,'steps':[{},{}]}}`
	both := func(call int, k, l string) string {
		return fmt.Sprintf(`{'client':1,'call':%d,'return':%d,'then':[{'op':'get','key':'k'},{'op':'get','key':'l'}],'result':{'succeeded':true,'steps':[{%s},{%s}]}}`,
			call, call+1, k, l)
	}
	if exit, said := verdictOf(t, moved, both(3, "'value':'a','revision':1", "'value':'b','revision':1")); exit != exitFine {
		t.Error(said)
	}
	unknown := strings.Replace(strings.Replace(moved, ",'return':2", "", 1), ",'result':{'succeeded':true,'revision':1,'steps':[{},{}]}", "", 1)
	if exit, said := verdictOf(t, unknown, both(3, "'missing':true", "'missing':true"), both(5, "'value':'a'", "'value':'b'")); exit != exitFine {
		t.Error(said)
	}
	for _, half := range []string{both(3, "'value':'a'", "'missing':true"), both(3, "'missing':true", "'value':'b'")} {
		if exit, said := verdictOf(t, unknown, half); exit != exitViolation {
			t.Error("half of a transaction is taken for whole: " + said)
		}
	}
	// Each alone could be: the first get before, the second after.
	if exit, _ := verdictOf(t, unknown, get(1, 3, 4, "k", "'value':'a'"), get(1, 5, 6, "l", "'missing':true")); exit != exitViolation {
		t.Error("a transaction seen first on one key, later not on the other")
	}
}

func TestAFileThatIsNoHistoryIsRefused(t *testing.T) {
	for _, line := range []string{
		"{", `{'client':0,'call':1,'return':2}`, `{'client':0,'call':3,'return':2,'then':[],'result':{'succeeded':true,'steps':[]}}`,
		`{'client':0,'call':1,'then':[{'op':'jump','key':'k'}]}`, `{'client':0,'call':1,'then':[{'op':'put','key':'k'}]}`,
		`{'client':0,'call':1,'guards':[{'key':'k'}]}`, `{'client':0,'call':1,'colour':1}`,
		`{'client':0,'call':1,'return':2,'then':[{'op':'get','key':'k'}],'result':{'succeeded':true,'steps':[]}}`,
		`{'client':0,'call':1,'guards':[{'key':'k','revision':1}],'else':[{'op':'delete','key':'k'}]}`,
		unknownPut(0, 1, "k", "a") + "\n" + unknownPut(0, 1, "l", "a"),
	} {
		if _, err := readHistory(strings.NewReader(strings.ReplaceAll(line, "'", `"`))); err == nil {
			t.Errorf("taken: %s", line)
		}
	}
}

// A store that works one operation at a time, seen by clients whose answers take their time; some never come.
func simulated(random *rand.Rand, operations int) []string {
	type entry struct {
		value    string
		revision int
	}
	held := map[string]entry{}
	revision, freeFrom := 0, make([]int, 6)
	var lines []string
	for at := 1; at <= operations; at++ {
		client := random.Intn(len(freeFrom))
		moment := at * 100
		call := moment - random.Intn(300)
		if call < freeFrom[client] {
			continue
		}
		end := moment + random.Intn(300)
		freeFrom[client] = end + 1
		key := fmt.Sprintf("k%d", random.Intn(2))
		before, found := held[key]
		switch random.Intn(4) {
		case 0, 1:
			shown := "'missing':true"
			if found {
				shown = fmt.Sprintf("'value':'%s','revision':%d", before.value, before.revision)
			}
			lines = append(lines, get(client, call, end, key, shown))
		case 2:
			value := fmt.Sprintf("v%d", at)
			if random.Intn(10) == 0 {
				if random.Intn(2) == 0 {
					revision++
					held[key] = entry{value, revision}
				}
				lines = append(lines, unknownPut(client, call, key, value))
				continue
			}
			revision++
			held[key] = entry{value, revision}
			lines = append(lines, put(client, call, end, key, value, revision))
		default:
			if !found {
				lines = append(lines, remove(client, call, end, key, "'steps':[{'missing':true}]"))
				continue
			}
			revision++
			delete(held, key)
			lines = append(lines, remove(client, call, end, key, fmt.Sprintf("'revision':%d,'steps':[{}]", revision)))
		}
	}
	return lines
}

func TestWhatAStoreInOnePieceShowsIsLinearizable(t *testing.T) {
	seed := rand.Int63()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewSource(seed))
	for round := 0; round < 50; round++ {
		lines := simulated(random, 300)
		if exit, said := verdictOf(t, lines...); exit != exitFine {
			t.Fatalf("seed %d, round %d: %s", seed, round, said)
		}
	}
}

func TestAViolationIsExplainedAndDrawn(t *testing.T) {
	history, err := readHistory(strings.NewReader(strings.ReplaceAll(
		put(0, 1, 2, "k", "a", 1)+"\n"+put(0, 3, 4, "k", "b", 2)+"\n"+get(1, 5, 6, "k", "'value':'a'"), "'", `"`)))
	if err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "violation.html")
	var out bytes.Buffer
	if exit := check(history, 0, picture, &out); exit != exitViolation {
		t.Fatal(out.String())
	}
	for _, said := range []string{`k: "b" of revision 2`, `get k -> "a"`, "line 3", picture} {
		if !strings.Contains(out.String(), said) {
			t.Errorf("%q is not in %s", said, out.String())
		}
	}
	if drawn, err := os.ReadFile(picture); err != nil || !bytes.Contains(drawn, []byte("<html")) {
		t.Error("no picture", err)
	}
}
