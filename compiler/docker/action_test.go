// The inputs of docker/build-push-action against what the action itself makes of them: testdata/action.json holds, for every recorded build and some more, our inputs and the
// words with which the real action (its bundle of v7.3.0) then called docker. The words must be ours.
package docker

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

var record = flag.Bool("record", false, "write testdata/action.json anew (with -tags 'real action')")

type actionCase struct {
	Name  string      `json:"name"`
	With  value.Value `json:"with"`
	Words []string    `json:"words"`
}

// hostile are inputs whose texts the action's reading could spoil.
var hostile = map[string]string{
	"quotes":       `{"image_name": "app", "tag": "v1", "buildargs": {"A": "\"quoted\"", "B": "a,b", "C": "\"", "D": "", "E": "x\"y,z\"", "F": "'s'"}}`,
	"lines":        `{"image_name": "app", "tag": "v1", "buildargs": {"A": "one\ntwo", "B": "one\r\ntwo,\"three\""}, "labels": {"a": "b\n\nc"}}`,
	"signs":        `{"image_name": "app", "tag": "v1", "labels": {"a": "# no comment", "b": "=;|$HOME {{x}} ü 🎉", "c": "a\\tb"}}`,
	"mapped-cache": `{"image_name": "app", "tag": "v1", "build_backend": "buildx", "cache_from": [{"type": "gha", "scope": "a"}], "cache_to": {"type": "gha", "mode": "max"}}`,
	"both":         `{"image_name": "app", "tag": "v1", "build_backend": "buildx", "push": true, "load": true, "provenance": true, "sbom": {"generator": "x"}}`,
	"attests":      `{"image_name": "app", "tag": "v1", "build_backend": "buildx", "provenance": false, "sbom": true}`,
	"attest":       `{"image_name": "app", "tag": "v1", "build_backend": "buildx", "push": true, "attest": {"type": "sbom", "generator": "x"}}`,
	"inside":       `{"image_name": "app", "tag": "v1", "buildargs": {"A": " x", "B": "- y"}, "target": "dev", "network_mode": "host", "platform": "linux/arm64"}`,
}

// actionBuilds are the builds that the action can be told, by name.
func actionBuilds(t *testing.T) (names []string, builds map[string]*Build) {
	builds = map[string]*Build{}
	add := func(name string, v value.Value, o Options) {
		b, err := BuildOf(v, o)
		if err != nil || len(b.ActionLacks()) > 0 {
			return
		}
		if b.Dockerfile != nil {
			b.File = "elsewhere/Dockerfile"
		}
		names = append(names, name)
		builds[name] = b
	}
	for _, c := range golden(t) {
		if strings.HasPrefix(c.Function, "build") {
			add(c.Name, c.Inputs, c.options())
		}
	}
	for _, name := range []string{"quotes", "lines", "signs", "mapped-cache", "both", "inside", "attests", "attest"} {
		before := len(names)
		if add("hostile-"+name, inputs(t, hostile[name]), options); len(names) == before {
			t.Errorf("%s is not taken", name)
		}
	}
	return names, builds
}

func TestAction(t *testing.T) {
	if *record {
		t.Skip("recording")
	}
	text, err := os.ReadFile("testdata/action.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []actionCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	names, builds := actionBuilds(t)
	if len(names) != len(cases) || len(names) < 90 {
		t.Fatalf("%d builds, %d recorded: record anew", len(names), len(cases))
	}
	for i, c := range cases {
		if c.Name != names[i] {
			t.Fatalf("build %d is %s, recorded is %s: record anew", i, names[i], c.Name)
		}
		b := builds[c.Name]
		if got, want := string(value.Of(b.Action()).AppendJSON(nil)), string(c.With.AppendJSON(nil)); got != want {
			t.Errorf("%s: the inputs are\n%s\nthe recorded ones\n%s\nrecord anew", c.Name, got, want)
		}
		want, got := comparable(t, b.Arguments()), comparable(t, c.Words)
		if _, said := want["--provenance"]; b.provenance() != b.Provenance && !said { // where nothing is said, the input says what is buildx's own default
			want["--attest"] = append([]string{"type=provenance,inline-only=true,mode=min"}, want["--attest"]...)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the action calls with\n%v\nwant\n%v", c.Name, got, want)
		}
	}
}

// comparable brings the several ways to ask for an attestation into one, and leaves out where the action wants its notes.
func comparable(t *testing.T, words []string) map[string][]string {
	m := parse(t, words)
	for _, kind := range []string{"provenance", "sbom"} {
		for _, v := range m["--"+kind] {
			switch v {
			case "false":
				v = "disabled=true"
			case "true":
				v = ""
			}
			m["--attest"] = append(m["--attest"], strings.TrimSuffix("type="+kind+","+v, ","))
		}
		delete(m, "--"+kind)
	}
	for i, a := range m["--attest"] {
		fields := slices.DeleteFunc(strings.Split(a, ","), func(s string) bool { return strings.HasPrefix(s, "builder-id=") || s == "disabled=false" })
		slices.Sort(fields[1:])
		m["--attest"][i] = strings.Join(fields, ",")
	}
	slices.Sort(m["--attest"])
	delete(m, "--iidfile")
	delete(m, "--metadata-file")
	delete(m, "--progress") // the action's log is its own
	if m["--secret"] != nil {
		slices.Sort(m["--secret"])
	}
	return m
}
