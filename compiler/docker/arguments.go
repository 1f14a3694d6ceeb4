// How one argument is read. Python takes almost anything for an argument, and docker-py turns it into a query of the engine's API; what comes out of that is written
// here kind by kind. Every reader answers with what is wrong, as the rest of a sentence that begins with the argument's name, or with "".
package docker

import (
	"sort"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const (
	atRunTime = "is known only at run time"
	needsText = "must be text"
)

// open reports whether a value is known only when the pipeline runs.
func open(v value.Value) bool { return v.Origin&(value.AfterBuild|value.NotHere) != 0 }

func scalar(v value.Value) bool { return v.Kind != value.List && v.Kind != value.Map }

// shown is a value in a message: never one that must not be seen.
func shown(v value.Value) string {
	text := v.Redacted().Str()
	if len(text) > 80 {
		text = strings.ToValidUTF8(text[:80], "") + "…"
	}
	return strconv.Quote(text)
}

// asked is what the engine takes a query's true or false for: docker-py writes Python's True and False, and texts as they are.
func asked(v value.Value) (bool, string) {
	switch {
	case !scalar(v):
		return false, "must be true or false"
	case open(v):
		return false, atRunTime
	case v.IsNull():
		return false, ""
	}
	switch strings.ToLower(strings.TrimSpace(v.Str())) {
	case "", "0", "no", "false", "none":
		return false, ""
	}
	return true, ""
}

// truth is Python's idea of true.
func truth(v value.Value) (bool, string) {
	if open(v) {
		return false, atRunTime
	}
	return v.Truthy(), ""
}

// text is one text; numbers become texts as Python writes them, null is none.
func text(v value.Value) (string, string) {
	switch {
	case !scalar(v):
		return "", needsText
	case v.IsNull():
		return "", ""
	}
	return v.Str(), ""
}

// texts is a list of texts. What Python would do with one text in place of a list, to take it letter by letter, nobody wants.
func texts(v value.Value) ([]string, string) {
	switch {
	case open(v):
		return nil, atRunTime
	case !v.Truthy():
		return nil, ""
	case v.Kind != value.List:
		return nil, "must be a list"
	}
	var out []string
	for _, item := range v.List {
		if !scalar(item) || item.IsNull() {
			return nil, "must be a list of texts"
		}
		out = append(out, item.Str())
	}
	return out, ""
}

// strictPairs is a mapping as docker-py sends one: JSON, in which the engine takes nothing but texts.
func strictPairs(v value.Value) ([]Pair, string) {
	pairs, why := pairs(v)
	if why != "" {
		return nil, why
	}
	for i := range v.Map {
		if item := v.Map[i].Value; item.Kind != value.Text || item.Origin.Has(value.Dated) {
			return nil, "has " + v.Map[i].Key + ": " + shown(item) + ", and the engine takes only text: quote it"
		}
	}
	return pairs, ""
}

// pairs is a mapping whose values are written as Python writes them.
func pairs(v value.Value) ([]Pair, string) {
	switch {
	case open(v):
		return nil, atRunTime
	case v.Kind != value.Map:
		return nil, "must be a mapping"
	}
	var out []Pair
	for i := range v.Map {
		if v.Map[i].Value.Origin.Has(value.Dated) {
			return nil, "has a date at " + v.Map[i].Key + ": quote it"
		}
		if strings.Contains(v.Map[i].Key, "=") || v.Map[i].Key == "" {
			return nil, "has the name " + strconv.Quote(v.Map[i].Key) + ", which a command line can't give"
		}
		out = append(out, Pair{v.Map[i].Key, v.Map[i].Value.Str(), v.Map[i].Value.Marks().Has(value.Sensitive)})
	}
	return out, ""
}

// joined is a mapping as buildx takes one in a single word: key=value,key=value.
func joined(v value.Value) (string, string) {
	pairs, why := pairs(v)
	if why != "" {
		return "", why
	}
	return strings.Join(written(pairs, "="), ","), ""
}

func written(pairs []Pair, between string) []string {
	var out []string
	for _, p := range pairs {
		out = append(out, p.Key+between+p.Value)
	}
	return out
}

// hosts are docker-py's extra_hosts: a mapping in the order of its names, or what is written already.
func hosts(v value.Value) ([]string, string) {
	if v.Kind == value.Text && !open(v) && v.Text != "" {
		v = value.Of([]value.Value{v})
	}
	if v.Kind != value.Map {
		return texts(v)
	}
	pairs, why := pairs(v)
	sort.SliceStable(pairs, func(i, j int) bool { return pairs[i].Key < pairs[j].Key })
	return written(pairs, ":"), why
}
