// Triggers and SLAs given on the command line: each option is a mapping in JSON, or names a .yaml or .json file that has a list of them under a key, as Prefect takes them.
package main

import (
	"os"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// mappings reads the values of --trigger (key "triggers") or --sla (key "sla"); nil where none are given.
func mappings(dir, option, key string, texts []string) ([]value.Value, error) {
	var out []value.Value
	for i, text := range texts {
		list, err := mappingsOf(dir, option, key, text, i+1)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			if v.Kind != value.Map {
				return nil, cli.Usage("--%s number %d: each is a mapping, and one is %s", option, i+1, v.Kind)
			}
			out = append(out, elsewhere(v))
		}
	}
	if len(texts) > 0 && out == nil {
		out = []value.Value{}
	}
	return out, nil
}

// mappingsOf reads one value, the n-th. What can't be read is not repeated, as it may hold a secret.
func mappingsOf(dir, option, key, text string, n int) ([]value.Value, error) {
	read := value.FromPythonJSON
	switch {
	case strings.HasSuffix(text, ".yaml"):
		read = func(data []byte) (value.Value, error) { return spec.ReadDocument(text, data) }
	case strings.HasSuffix(text, ".json"):
	default:
		v, err := value.FromPythonJSON([]byte(text))
		if err != nil {
			return nil, cli.Usage("--%s number %d is neither JSON nor the name of a .yaml or .json file: %v", option, n, err)
		}
		return []value.Value{v}, nil
	}
	data, err := os.ReadFile(under(dir, text))
	if err != nil {
		return nil, cli.Usage("--%s: %v", option, err)
	}
	v, err := read(data)
	if err != nil {
		return nil, cli.Usage("--%s %s: %v", option, text, err)
	}
	if v.Kind != value.Map {
		return nil, cli.Usage("--%s %s: the file is a mapping with the key %s, and this is %s", option, text, key, v.Kind)
	}
	list, said := v.Get(key)
	if said && list.Kind != value.List {
		return nil, cli.Usage("--%s %s: %s is a list, and this is %s", option, text, key, list.Kind)
	}
	return list.List, nil
}

// elsewhere takes the places out: they are none of prefect.yaml.
func elsewhere(v value.Value) value.Value {
	v.Pos, v.Ext = value.Pos{}, nil
	list := make([]value.Value, len(v.List))
	for i := range v.List {
		list[i] = elsewhere(v.List[i])
	}
	entries := make([]value.Entry, len(v.Map))
	for i, e := range v.Map {
		e.Value, e.KeyPos = elsewhere(e.Value), value.Pos{}
		entries[i] = e
	}
	v.List, v.Map = list, entries
	return v
}
