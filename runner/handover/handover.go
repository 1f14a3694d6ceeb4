// Package handover is what steps gave, as it travels from the job that ran them to a job that needs it: a JSON file, written by `run step --outputs`, read by `--from`.
//
//	{"schema": 1, "attempt": "1", "steps": [{"key": "hash", "digest": "9f2c…", "outputs": {"stdout": "abc123"}}]}
//
// The digest is the step's identity in the graph: whoever reads a file for another step of the same name is told so, instead of deploying what an older pipeline built. What
// is sensitive never gets into a file, since artifacts can be downloaded by whoever can read the repository. Only its name does, under `withheld`, so that a reader that needs
// it can say what is wrong. The attempt is the one of the CI's run, where it tells: a run that is started again finds the files of the attempts before (attempt.go).
package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// schema is the version of the form.
const schema = 1

// Step is what one step gave.
type Step struct {
	Key, Digest string
	// Outputs is the mapping that it returned without what is sensitive; null when it returned none.
	Outputs value.Value
	// Withheld are the names of the outputs that are sensitive.
	Withheld []string
	// File is the file that it was read from, Attempt what of a CI's run it was written in, "" where nothing tells.
	File, Attempt string
}

// Of is what may leave the job of a step's outputs.
func Of(key, digest string, outputs value.Value) Step {
	s := Step{Key: key, Digest: digest}
	if outputs.Kind != value.Map {
		return s
	}
	s.Outputs = value.Value{Kind: value.Map}
	for _, e := range outputs.Map {
		if (outputs.Origin | e.Value.Marks()).Has(value.Sensitive) {
			s.Withheld = append(s.Withheld, e.Key)
			continue
		}
		s.Outputs.Map = append(s.Outputs.Map, e)
	}
	return s
}

// JSON is the file's content.
func JSON(steps []Step) []byte { return inAttempt("", steps) }

// inAttempt is the content of a file that is written in an attempt of a run.
func inAttempt(attempt string, steps []Step) []byte {
	b := fmt.Appendf(nil, `{"schema":%d,`, schema)
	if attempt != "" {
		b = append(value.Of(attempt).AppendJSON(append(b, `"attempt":`...)), ',')
	}
	b = append(b, `"steps":[`...)
	for i, s := range steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(value.Of(s.Key).AppendJSON(append(b, `{"key":`...)), `,"digest":`...)
		b = append(value.Of(s.Digest).AppendJSON(b), `,"outputs":`...)
		b = s.Outputs.AppendJSON(b)
		if len(s.Withheld) > 0 {
			b = texts(s.Withheld).AppendJSON(append(b, `,"withheld":`...))
		}
		b = append(b, '}')
	}
	return append(b, "]}\n"...)
}

func texts(list []string) value.Value {
	v := value.Value{Kind: value.List}
	for _, s := range list {
		v.List = append(v.List, value.Of(s))
	}
	return v
}

// Read reads the files that --from names, each a file, a directory (its *.json) or a pattern, relative to dir. Two files may give the same step when they agree; fewer lets a pattern match nothing.
func Read(dir string, named []string, fewer bool) ([]Step, error) {
	var out []Step
	seenFile, place := map[string]bool{}, map[string]int{}
	for _, name := range named {
		files, err := expand(dir, name)
		if fewer && errors.Is(err, errNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if seenFile[f] {
				continue
			}
			seenFile[f] = true
			steps, err := readFile(dir, f)
			if err != nil {
				return nil, err
			}
			for _, s := range steps {
				if i, twice := place[s.Key]; !twice {
					place[s.Key] = len(out)
					out = append(out, s)
				} else if !agree(out[i], s) {
					return nil, fmt.Errorf("--from: %s and %s give different outputs of the step %s: one of them is of another run; take only the files of this one", diag.Clean(out[i].File), diag.Clean(s.File), diag.Quote(s.Key))
				}
			}
		}
	}
	return out, nil
}

func agree(a, b Step) bool {
	return a.Digest == b.Digest && value.Equal(a.Outputs, b.Outputs) && slices.Equal(a.Withheld, b.Withheld)
}

// expand names the files that one --from means. A name that is there is never a pattern.
func expand(dir, name string) ([]string, error) {
	path := under(dir, name)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("--from %s: %w", diag.Quote(name), plain(err))
		}
		var found []string
		for _, e := range entries { // no Glob: the directory's own name may hold a bracket
			if strings.HasSuffix(e.Name(), ".json") && !e.IsDir() {
				found = append(found, filepath.Join(name, e.Name()))
			}
		}
		return some(found, name, "the directory holds no *.json")
	case err == nil:
		return []string{filepath.Clean(name)}, nil
	case !strings.ContainsAny(name, "*?["):
		return nil, fmt.Errorf("--from %s: %w: name a file that `run step --outputs` wrote, or the directory or pattern of several", diag.Quote(name), plain(err))
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("--from %s is not a pattern: %w", diag.Quote(name), err)
	}
	for i, f := range found {
		if rel, err := filepath.Rel(dir, f); err == nil && !filepath.IsAbs(name) {
			found[i] = rel
		}
	}
	return some(found, name, "no file matches")
}

// errNone: there is no file where some were looked for.
var errNone = errors.New("the jobs that these outputs are of ran no step, or their files were not brought here")

func some(found []string, name, none string) ([]string, error) {
	if len(found) == 0 {
		return nil, fmt.Errorf("--from %s: %s: %w", diag.Quote(name), none, errNone)
	}
	sort.Strings(found)
	return found, nil
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// plain takes the operation and the path off a file error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func readFile(dir, name string) ([]Step, error) {
	data, err := os.ReadFile(under(dir, name))
	if err != nil {
		return nil, fmt.Errorf("--from %s: %w", diag.Quote(name), plain(err))
	}
	steps, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("--from %s: %w", diag.Quote(name), err)
	}
	for i := range steps {
		steps[i].File = filepath.ToSlash(name)
	}
	return steps, nil
}

// errForm is the error for a file that nobody here wrote.
var errForm = errors.New("this is no file that `run step --outputs` wrote")

// Parse reads a file's content.
func Parse(data []byte) ([]Step, error) {
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	version, _ := v.Get("schema")
	list, ok := v.Get("steps")
	switch {
	case version.Kind != value.Int || !ok || list.Kind != value.List:
		return nil, errForm
	case version.Int != schema:
		return nil, fmt.Errorf("its schema is %d, and this program knows %d: let one version of the program run all jobs", version.Int, schema)
	}
	attempt, _ := v.Get("attempt")
	steps := make([]Step, 0, len(list.List))
	for _, x := range list.List {
		s, err := parseStep(x)
		if err != nil {
			return nil, err
		}
		s.Attempt = attempt.Text
		steps = append(steps, s)
	}
	return steps, nil
}

func parseStep(v value.Value) (Step, error) {
	key, _ := v.Get("key")
	digest, _ := v.Get("digest")
	outputs, ok := v.Get("outputs")
	withheld, _ := v.Get("withheld")
	if key.Kind != value.Text || digest.Kind != value.Text || key.Text == "" || digest.Text == "" || !ok || outputs.Kind != value.Map && !outputs.IsNull() {
		return Step{}, errForm
	}
	s := Step{Key: key.Text, Digest: digest.Text, Outputs: outputs}
	for _, name := range withheld.List {
		s.Withheld = append(s.Withheld, name.Str())
	}
	return s, nil
}
