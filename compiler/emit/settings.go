// What stands under x-ci for a platform, put together over the files: lists are joined, and a setting that two files give differently is a fault at both places.
package emit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// settings are x-ci.PLATFORM of all files.
type settings struct {
	platform string
	scalars  map[string]placed
	lists    map[string][]value.Value
	patches  []placed
	diags    diag.List
}

// placed is a value and the file in which it stands.
type placed struct {
	value value.Value
	file  *spec.File
}

// settingsOf reads x-ci.PLATFORM. The keys' types are checked where the file is read (compiler/spec).
func (in *Input) settingsOf(platform string) *settings {
	s := &settings{platform: platform, scalars: map[string]placed{}, lists: map[string][]value.Value{}, diags: in.paths()}
	for _, f := range in.Files {
		own, _ := f.CI.Get(platform)
		for _, e := range own.Map {
			switch e.Key {
			case "secrets", "vars", "setup", "branches", "before_script":
				s.join(e)
			case "patches":
				for _, p := range e.Value.List {
					s.patches = append(s.patches, placed{p, f})
				}
			default:
				s.scalar(e, f)
			}
		}
		if platform == "github" {
			own, _ := f.CI.Get("vars")
			s.join(value.Entry{Key: "vars", Value: own})
		}
	}
	return s
}

// paths refuses what no platform passes on unchanged: names of files travel in a list with commas and line ends.
func (in *Input) paths() diag.List {
	var diags diag.List
	for _, p := range append(in.Patterns[:len(in.Patterns):len(in.Patterns)], in.Within) {
		if strings.ContainsFunc(p, func(r rune) bool { return r == ',' || r == utf8.RuneError || !unicode.IsPrint(r) }) || strings.TrimSpace(p) != p {
			diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "unusable-path", Message: fmt.Sprintf("no pipeline can name the path %s: there is a comma, a sign that does not show, or a space at its end in it", diag.Quote(p)),
				Help: "rename the file or directory", Position: diag.Position{File: oneLine(p)}})
		}
	}
	return diags
}

func (s *settings) join(e value.Entry) {
	for _, item := range e.Value.List {
		if !slices.ContainsFunc(s.lists[e.Key], func(v value.Value) bool { return value.Equal(v, item) }) {
			s.lists[e.Key] = append(s.lists[e.Key], item)
		}
	}
}

func (s *settings) scalar(e value.Entry, f *spec.File) {
	before, ok := s.scalars[e.Key]
	if !ok {
		s.scalars[e.Key] = placed{e.Value, f}
		return
	}
	if !value.Equal(before.value, e.Value) {
		s.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "conflicting-ci-setting", Message: fmt.Sprintf("x-ci.%s.%s is one thing here and another in %s, and they make one pipeline", s.platform, e.Key, before.file.Name),
			Help: "write the same in both, or compile the files one by one", Position: f.Position(e.Value.Pos),
			Related: []diag.Related{{Position: before.file.Position(before.value.Pos), Message: "the other one"}}})
	}
}

// ofJob is a setting that is for all jobs that run steps, or a mapping with one for each of some: that of a job, nil where none is said. all tells whether the job is one of those that what is for all is meant for.
func (s *settings) ofJob(key, job string, all bool) *yaml.Node {
	p := s.scalars[key]
	if p.value.Kind != value.Map {
		if p.value.IsNull() || !all {
			return nil
		}
		return ofValue(p.value)
	}
	if v, ok := p.value.Get(job); ok && !v.IsNull() {
		return ofValue(v)
	}
	return nil
}

// ofNoJob are the faults of such a mapping that names jobs which are not there.
func (s *settings) ofNoJob(key string, jobs []string) diag.List {
	p := s.scalars[key]
	for _, e := range p.value.Map {
		if !slices.Contains(jobs, e.Key) {
			return diag.List{{Severity: diag.Error, Code: "invalid-ci-setting", Message: fmt.Sprintf("x-ci.%s.%s names the job %s, and the pipeline has none of that name", s.platform, key, diag.Quote(e.Key)),
				Help: strings.TrimSpace(diag.DidYouMean(e.Key, jobs) + " it has " + some(jobs)), Position: p.file.Position(e.KeyPos)}}
		}
	}
	return nil
}

// names are the texts of a list.
func (s *settings) names(key string) []string {
	var out []string
	for _, v := range s.lists[key] {
		out = append(out, v.Str())
	}
	return out
}

// node is a scalar setting, or what stands in its place.
func (s *settings) node(key string, orElse any) *yaml.Node {
	if p, ok := s.scalars[key]; ok && !p.value.IsNull() {
		return ofValue(p.value)
	}
	return node(orElse)
}
