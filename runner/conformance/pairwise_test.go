//go:build real

// Made-up cases: every two ways to write two fields, options or placeholders meet in one of them. Each is deployed by the real Prefect and by us, on the same server made
// clean in between, and what is then registered must be equal, or neither may have registered anything. After ours a second deploy must write nothing and a plan be empty.
//
//	CASES=0 SEED=2 go test -tags real -run TestPairwise ./runner/conformance    all rows of another seed
//	ROWS=17,42 …                                                                 some rows again, with their files
package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// prefects is one Python that plays many `prefect deploy`.
type prefects struct {
	in  io.Writer
	out *bufio.Reader
}

func startPrefects(t *testing.T) *prefects {
	t.Helper()
	home := t.TempDir()
	bin := filepath.Join(venv(t), "bin")
	cmd := exec.Command(filepath.Join(bin, "python"), "testdata/deploys.py")
	cmd.Env = cleanEnv(home, bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	return &prefects{in, bufio.NewReader(out)}
}

// deploy is one run, with the environment that a command of a case gets.
func (p *prefects) deploy(t *testing.T, c *testCase, project, address string) (code int, output string) {
	t.Helper()
	bin, home, env := filepath.Join(venv(t), "bin"), filepath.Join(filepath.Dir(project), "home"), map[string]string{}
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, entry := range append(cleanEnv(home, bin+string(os.PathListSeparator)+os.Getenv("PATH")), "PREFECT_API_URL="+address) {
		k, v, _ := strings.Cut(entry, "=")
		env[k] = v
	}
	for k, v := range c.Env {
		env[k] = v
	}
	file := filepath.Join(filepath.Dir(project), "prefect.log")
	words := []string{"--no-prompt", "deploy"}
	if slices.ContainsFunc(c.Args, func(s string) bool { return strings.HasPrefix(s, "--prompt") || strings.HasPrefix(s, "--no-prompt") }) {
		words = words[1:] // it can be said once
	}
	fmt.Fprintln(p.in, text(map[string]any{"dir": project, "env": env, "args": append(words, c.Args...), "output": file}))
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the real Prefect's process ended: %v", err)
	}
	code, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(file)
	return code, string(data)
}

// madeSetup is what every made-up case begins with.
func madeSetup() setup {
	return setup{WorkPools: []map[string]any{{"name": "pool", "queues": []any{"fast"}}, {"name": "other-pool"}},
		Variables: map[string]any{"word": "filled", "limit": 40, "ratio": 0.25, "on": true, "none": nil, "zones": []any{"a", "b", 3}, "shape": object{"w": 2, "h": []any{1, nil}},
			"line": "0 3 * * *", "zone": "Europe/Oslo", "start": "2024-05-06T07:08:09Z", "pool": "pool"},
		Blocks: []block{{"secret", "db", object{"value": "pass word"}}, {"conformance-list", "boxed", object{"value": object{"key": []any{1, "x"}}}},
			{"conformance-store", "main", object{"host": "store.example.com", "port": 9000, "users": []any{object{"name": "ann"}, object{"name": "bob"}}}}}}
}

const madeFlow = `from prefect import flow


@flow
def hello(text: str = "you", times: int = 1, half: float = 0.5, flag: bool = False, any=None, nested=None, list=None, option=None):
    pass


@flow(name="A Name", version="2024.1", description="as declared")
def named(text: str = "you", times: int = 1, half: float = 0.5, flag: bool = False, any=None, nested=None, list=None, option=None):
    pass
`

const deepFlow = `from prefect import flow


@flow
def described(text: str = "you", times: int = 1, half: float = 0.5, flag: bool = False, any=None, nested=None, list=None, option=None):
    """Goes deep.

    Args:
        text: said
    """
`

const madeSteps = `def make(size):
    return {"text": "round", "flag": True, "none": None, "size": size, "half": size / 2, "tree": {"leaf": [1, "b"]}, "items": [1, 2.5, "x", None, False]}
`

// row is one made-up case. values are the numbers of its values where it is one of the covering ones.
type row struct {
	label   string
	values  []int
	choices []choice
	refused bool
}

// makeRows gives three kinds: the covering ones; those that put into each place the writings which the covering ones leave out; and one for each value that Prefect refuses,
// amid values that it takes.
func makeRows(seed int64, each int) (rows []row, sizes []int) {
	all, rest := factors(seed, each)
	for _, f := range all {
		sizes = append(sizes, len(f.values))
	}
	table := covering(sizes, seed)
	with := func(values []int, but map[int]choice) (r row) {
		var names []string
		for i, f := range all {
			c, ok := but[i]
			if !ok {
				c = f.values[values[i]]
			}
			r.choices = append(r.choices, c)
			if name := strings.TrimSpace(c.name); !slices.Contains([]string{"unsaid", "none", "nothing"}, name) {
				names = append(names, f.name+"="+name)
			}
		}
		r.label = strings.Join(names, "; ")
		return r
	}
	for _, values := range table {
		r := with(values, nil)
		r.values = values
		rows = append(rows, r)
	}
	first := len(all) - len(rest)
	for k, more := 0, true; more; k++ {
		but := map[int]choice{}
		for i, others := range rest {
			if k < len(others) {
				but[first+i] = others[k]
			}
		}
		if more = len(but) > 0; more {
			rows = append(rows, with(table[k%len(table)], but))
		}
	}
	for k, c := range refusals() {
		// Not with an entrypoint on the command line: there Prefect drops a file with a fault and deploys without it, which is one of our departures.
		r := with(table[(k*7)%len(table)], map[int]choice{0: all[0].values[k%4]})
		r.choices, r.label, r.refused = append(r.choices, c), "REFUSED "+c.name+" amid "+r.label, true
		rows = append(rows, r)
	}
	return rows, sizes
}

// makeCase writes a row's project.
func makeCase(t *testing.T, r row) *testCase {
	t.Helper()
	d := newDraft()
	for _, c := range r.choices {
		c.set(d)
	}
	dir := t.TempDir()
	for name, data := range map[string]string{"prefect.yaml": text(d.finish()), "flow.py": madeFlow, "flows/__init__.py": "", "flows/deep.py": deepFlow, "steps/__init__.py": "", "steps/shapes.py": madeSteps} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &testCase{dir: dir, name: "made", Args: d.args, Env: d.env, Git: d.git}
}

// clear takes away what a deploy of a made-up case leaves; what madeSetup put there stays.
func (a api) clear(t *testing.T) {
	t.Helper()
	for _, kind := range []string{"automations", "deployments", "flows", "v2/concurrency_limits"} {
		for _, item := range a.all(t, "/"+kind+"/filter") {
			a.call(t, http.MethodDelete, "/"+kind+"/"+str(item, "id"), nil)
		}
	}
	for _, q := range a.all(t, "/work_queues/filter") {
		if name := str(q, "name"); name != "default" && name != "fast" {
			a.call(t, http.MethodDelete, "/work_queues/"+url.PathEscape(str(q, "id")), nil)
		}
	}
}

// bench is what all rows share.
type bench struct {
	api     api
	wire    *wire
	address string
	prefect *prefects
}

// outcome is what became of a case: both registered it, the real Prefect refused it, what is not as there, and what the two said.
type outcome struct {
	registered, refused bool
	faults              []string
	said                string
}

func (b *bench) try(t *testing.T, r row) outcome {
	t.Helper()
	o := b.compare(t, makeCase(t, r), func(difference string) bool {
		return slices.ContainsFunc(r.choices, func(c choice) bool { return c.departs != "" && c.excused(difference) })
	})
	if r.refused && !o.refused {
		o.faults = append(o.faults, "the real Prefect takes it: this is no refusal")
	}
	if len(o.faults) == 0 && !(o.refused && !r.refused && os.Getenv("WHY") != "") {
		o.said = ""
	}
	return o
}

// compare deploys a case by both, and looks behind ours for what a plan and a second deploy find to do.
func (b *bench) compare(t *testing.T, c *testCase, excused func(difference string) bool) (o outcome) {
	t.Helper()
	theirs, said := b.theirs(t, c)
	project := c.layOut(t)
	bin := filepath.Join(venv(t), "bin")
	cmd := command{words: []string{program(t), "deploy"}, path: bin + string(os.PathListSeparator) + os.Getenv("PATH"), env: []string{"PREFECT_API_URL=" + b.address}}
	code, oursSaid := c.run(t, project, cmd)
	ours := b.take(t, project, code)
	for _, d := range differences(theirs, ours) {
		if !excused(d) {
			o.faults = append(o.faults, d)
		}
	}
	if code == 0 {
		o.faults = append(o.faults, c.again(t, project, cmd, b.wire)...)
	}
	o.registered, o.refused = !theirs.Failed && code == 0, theirs.Failed
	yaml, _ := os.ReadFile(filepath.Join(project, "prefect.yaml"))
	o.said = fmt.Sprintf("args %q env %v git %v\n%s\nPrefect (failed: %v):\n%s\nours (exit %d):\n%s", c.Args, c.Env, c.Git, yaml, theirs.Failed, tail(said), code, tail(oursSaid))
	b.api.clear(t)
	return o
}

// theirs deploys by the real Prefect, and cleans up.
func (b *bench) theirs(t *testing.T, c *testCase) (*snapshot, string) {
	t.Helper()
	project := c.layOut(t)
	code, said := b.prefect.deploy(t, c, project, b.address)
	s := b.take(t, project, code)
	b.api.clear(t)
	return s, said
}

func (b *bench) take(t *testing.T, project string, code int) *snapshot {
	t.Helper()
	s := b.api.snapshot(t, project, b.wire)
	s.Failed = code != 0
	b.wire.forget()
	return s
}

func tail(s string) string { return s[max(0, len(s)-1500):] }

// forget drops the versions that were sent.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.versions = map[string]any{}
}

// TestPairwise is the property.
func TestPairwise(t *testing.T) {
	seed, most, each := int64(setting(t, "SEED", 1)), setting(t, "CASES", 20), setting(t, "EACH", 8)
	rows, sizes := makeRows(seed, each)
	a := server(t)
	a.reset(t)
	a.seed(t, madeSetup())
	w, address := watch(t, a)
	b := &bench{a, w, address, startPrefects(t)}
	missing, order := allPairs(sizes)
	tried, registered, refused := 0, 0, 0
	for _, n := range chosenRows(t, len(rows), most) {
		r := rows[n]
		o := b.try(t, r)
		tried++
		switch {
		case o.registered:
			registered++
			remove(r.values, missing)
		case r.refused:
			refused++
		}
		if len(o.faults) > 0 {
			t.Errorf("row %d: %s\n  %s\n%s", n, r.label, strings.Join(o.faults, "\n  "), o.said)
		} else if o.said != "" {
			t.Logf("row %d: %s\n%s", n, r.label, o.said)
		}
	}
	t.Logf("SEED=%d: %d of %d cases, %d registered by both, %d refused as they should be; %d of %d pairs met in registered ones", seed, tried, len(rows), registered, refused, len(order)-len(missing), len(order))
}

// chosenRows are those that ROWS names, else so many, spread over all; all where most is 0.
func chosenRows(t *testing.T, n, most int) (out []int) {
	t.Helper()
	for _, word := range strings.Split(os.Getenv("ROWS"), ",") {
		if from, to, ok := strings.Cut(word, "-"); ok {
			x, _ := strconv.Atoi(from)
			y, _ := strconv.Atoi(to)
			for i := x; i <= y && i < n; i++ {
				out = append(out, i)
			}
		} else if i, err := strconv.Atoi(word); err == nil && i < n {
			out = append(out, i)
		}
	}
	if len(out) > 0 {
		return out
	}
	if most == 0 || most > n {
		most = n
	}
	for i := range most {
		out = append(out, i*n/most)
	}
	return out
}
