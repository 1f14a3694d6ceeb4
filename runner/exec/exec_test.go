// The order, the sharing and the endings, with steps that are functions of the test; and real children where an interrupt has to end
// them.
package exec

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// made builds a graph from lines like "push: image hash": a step and what it needs.
func made(lines ...string) (*graph.Graph, map[string]*graph.Step) {
	g, byKey := &graph.Graph{}, map[string]*graph.Step{}
	for _, line := range lines {
		key, needs, _ := strings.Cut(line, ":")
		s := &graph.Step{Key: key, ID: key, Function: "test." + key, Inputs: value.Value{Kind: value.Map}}
		for _, need := range strings.Fields(needs) {
			s.Needs, s.Upstream = append(s.Needs, byKey[need]), append(s.Upstream, byKey[need])
		}
		g.Steps, byKey[key] = append(g.Steps, s), s
	}
	return g, byKey
}

// told collects what a run did, in order.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func TestEachStepOnceInOrder(t *testing.T) {
	g, _ := made("a", "b: a", "c: a", "d: b c", "e")
	for _, jobs := range []int{0, 1, 3, 100} {
		var ran told
		r := &Runner{Jobs: jobs, Do: func(_ context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
			ran.add("%s", s.Key)
			return value.Value{}, nil
		}}
		results := r.Run(context.Background(), g)
		if jobs < 2 && !slices.Equal(ran.lines, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("one by one: %v", ran.lines)
		}
		if len(ran.lines) != 5 || len(results) != 5 {
			t.Errorf("%d jobs: ran %v, %d results", jobs, ran.lines, len(results))
		}
		for _, s := range g.Steps {
			for _, need := range s.Needs {
				if slices.Index(ran.lines, need.Key) > slices.Index(ran.lines, s.Key) {
					t.Errorf("%d jobs: %s ran before %s: %v", jobs, s.Key, need.Key, ran.lines)
				}
			}
		}
	}
}

// TestGivenStepsDoNotRun: what ran elsewhere counts as succeeded, also where it stands between two that touch the same thing.
func TestGivenStepsDoNotRun(t *testing.T) {
	g, byKey := made("a", "b: a", "c: b", "d", "e: d")
	var ran told
	r := &Runner{Jobs: 10, Given: map[*graph.Step]value.Value{byKey["b"]: value.Of([]value.Entry{{Key: "x", Value: value.Of(1)}})},
		Do: func(_ context.Context, s *graph.Step, c step.Call) (value.Value, error) {
			if s.Key == "a" {
				time.Sleep(20 * time.Millisecond) // time for c, if it did not wait
			}
			ran.add("%s %s", s.Key, c.Inputs.Repr())
			if s.Key != "c" {
				return value.Value{}, errors.New("no")
			}
			return value.Value{}, nil
		},
		Resolve: func(_ context.Context, _ *graph.Step, outputs value.Value) (value.Value, error) { return outputs, nil }}
	results := r.Run(context.Background(), g)
	slices.Sort(ran.lines)
	if got := strings.Join(ran.lines, "; "); got != "a {}; c {'b': {'x': 1}, 'x': 1}; d {}" {
		t.Errorf("ran %s", got)
	}
	if b := results[byKey["b"]]; !b.Given || b.Outcome != Succeeded || results[byKey["c"]].Outcome != Succeeded || results[byKey["e"]].Outcome != Skipped || results[byKey["a"]].Given {
		t.Errorf("results %+v", results)
	}
	var ended told
	order := &Runner{Jobs: 10, Given: r.Given, Do: func(_ context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
		if s.Key == "a" {
			time.Sleep(20 * time.Millisecond)
		}
		ended.add("%s", s.Key)
		return value.Value{}, nil
	}}
	order.Run(context.Background(), g)
	if slices.Index(ended.lines, "a") > slices.Index(ended.lines, "c") {
		t.Errorf("c did not wait for a, which comes before it through b: %v", ended.lines)
	}
}

// TestRandomGraphs: whatever the graph, the failures and the number of jobs, exactly the steps downstream of a failure are skipped.
func TestRandomGraphs(t *testing.T) {
	for seed := range int64(200) {
		dice := rand.New(rand.NewSource(seed))
		g := &graph.Graph{}
		fails := map[*graph.Step]bool{}
		for i := range dice.Intn(30) {
			s := &graph.Step{Key: fmt.Sprint("s", i)}
			for _, earlier := range g.Steps {
				if dice.Intn(6) == 0 {
					s.Needs = append(s.Needs, earlier)
				}
			}
			g.Steps, fails[s] = append(g.Steps, s), dice.Intn(6) == 0
		}
		var mu sync.Mutex
		running, most, jobs := 0, 0, 1+dice.Intn(4)
		r := &Runner{Jobs: jobs, Do: func(_ context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			defer func() { mu.Lock(); running--; mu.Unlock() }()
			if fails[s] {
				return value.Value{}, errors.New("no")
			}
			return value.Value{}, nil
		}}
		results := r.Run(context.Background(), g)
		if most > jobs {
			t.Errorf("seed %d: %d at once with %d jobs", seed, most, jobs)
		}
		blame := map[*graph.Step]*graph.Step{} // worked out in the simplest way
		for _, s := range g.Steps {
			for _, need := range s.Needs {
				b := blame[need]
				if b == nil && fails[need] {
					b = need
				}
				if b != nil && (blame[s] == nil || slices.Index(g.Steps, b) < slices.Index(g.Steps, blame[s])) {
					blame[s] = b
				}
			}
			want := Succeeded
			if blame[s] != nil {
				want = Skipped
			} else if fails[s] {
				want = Failed
			}
			if got := results[s]; got == nil || got.Outcome != want || got.Cause != blame[s] {
				t.Fatalf("seed %d, %s: %+v, want %s because of %v", seed, s.Key, got, want, blame[s])
			}
		}
	}
}

func TestFailureNamesTheRoot(t *testing.T) {
	g, steps := made("hash", "image: hash", "push: image", "docs", "notify: push docs")
	r := &Runner{Do: func(_ context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
		if s.Key == "image" {
			return value.Value{}, errors.New("password hunter2 refused")
		}
		return value.Value{}, nil
	}, Mask: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }}
	results := r.Run(context.Background(), g)
	if got := results[steps["image"]]; got.Outcome != Failed || got.Err.Error() != "password *** refused" {
		t.Errorf("image: %+v", got)
	}
	for _, key := range []string{"push", "notify"} {
		if got := results[steps[key]]; got.Outcome != Skipped || got.Cause != steps["image"] || got.Err.Error() != "skipped because image failed" {
			t.Errorf("%s: %+v", key, got)
		}
	}
	if results[steps["docs"]].Outcome != Succeeded {
		t.Error("docs stands alone and should have run")
	}
	r.FailFast = true
	results = r.Run(context.Background(), g)
	if got := results[steps["docs"]]; got.Outcome != Skipped || got.Cause != steps["image"] || !strings.Contains(got.Err.Error(), "--fail-fast") {
		t.Errorf("docs with FailFast: %+v", got)
	}
}

func TestStepsGetTheOutputsBeforeThem(t *testing.T) {
	g, steps := made("a", "move: a", "b: a move")
	steps["b"].Directory = []*graph.Step{steps["move"]}
	steps["b"].Requires = []string{"pkg"}
	steps["a"].Sensitive = true
	root := t.TempDir()
	r := &Runner{Root: root, Env: []string{"A=1"}, Prefect: 2,
		Resolve: func(_ context.Context, s *graph.Step, outputs value.Value) (value.Value, error) {
			return value.Of([]value.Entry{{Key: "seen", Value: outputs}}), nil
		},
		Do: func(_ context.Context, s *graph.Step, c step.Call) (value.Value, error) {
			switch s.Key {
			case "a":
				return value.Of([]value.Entry{{Key: "stdout", Value: value.Of("x")}}), nil
			case "move":
				return value.Of([]value.Entry{{Key: "directory", Value: value.Of("sub")}}), nil
			}
			if c.Dir != filepath.Join(root, "sub") || c.Root != root || c.Requires[0] != "pkg" || c.Env[0] != "A=1" || c.Prefect != 2 || c.Function != "test.b" {
				t.Errorf("the call is %+v", c)
			}
			return c.Inputs, nil
		}}
	results := r.Run(context.Background(), g)
	got := results[steps["b"]].Outputs
	if want := `{"seen":{"a":{"stdout":"x"},"stdout":"x","move":{"directory":"sub"},"directory":"sub"}}`; string(got.AppendJSON(nil)) != want {
		t.Errorf("b saw %s\nwant  %s", got.AppendJSON(nil), want)
	}
	if out, _ := results[steps["a"]].Outputs.Get("stdout"); !out.Origin.Has(value.Sensitive) {
		t.Error("the output of a sensitive step is not marked")
	}
}

func TestOutputsAsPrefectMergesThem(t *testing.T) {
	one, two, three, four := &graph.Step{ID: "one"}, &graph.Step{ID: "stdout"}, &graph.Step{}, &graph.Step{ID: "four"}
	out := func(s string) value.Value {
		return value.Of([]value.Entry{{Key: "stdout", Value: value.Of(s)}})
	}
	results := map[*graph.Step]*Result{one: {Outputs: out("1")}, two: {Outputs: out("2")}, three: {Outputs: value.Of(nil)}, four: {Outcome: Failed, Outputs: out("4")}}
	got := Outputs([]*graph.Step{one, two, three, four}, results)
	if want := `{"one":{"stdout":"1"},"stdout":"2"}`; string(got.AppendJSON(nil)) != want {
		t.Errorf("%s, want %s", got.AppendJSON(nil), want)
	}
}

func TestInterrupt(t *testing.T) {
	g, steps := made("a", "b: a", "c")
	ctx, cancel := context.WithCancel(context.Background())
	ended := false
	r := &Runner{Do: func(ctx context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
		cancel()
		<-ctx.Done()
		ended = true
		return value.Value{}, ctx.Err()
	}}
	results := r.Run(ctx, g)
	if !ended {
		t.Error("Run returned before its step had ended")
	}
	if got := results[steps["a"]]; got.Outcome != Failed || !errors.Is(got.Err, context.Canceled) {
		t.Errorf("a: %+v", got)
	}
	for _, key := range []string{"b", "c"} {
		if got := results[steps[key]]; got.Outcome != Skipped || got.Cause != nil || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

func TestInterruptEndsChildren(t *testing.T) {
	dir := t.TempDir()
	g, steps := made("long")
	steps["long"].Function = "prefect.deployments.steps.run_shell_script"
	steps["long"].Inputs = value.Of([]value.Entry{{Key: "shell", Value: value.Of(true)}, {Key: "script", Value: value.Of("echo $$ > pid; sleep 600 & echo started; wait")}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &Runner{Root: dir, Env: []string{"PATH=/usr/bin:/bin"}, Log: func(e Event) {
		if e.Kind == Line {
			cancel()
		}
	}, Do: func(ctx context.Context, s *graph.Step, c step.Call) (value.Value, error) {
		return step.Lookup(s.Function, nil)(ctx, c)
	}}
	if got := r.Run(ctx, g)[steps["long"]]; got.Outcome != Failed || !errors.Is(got.Err, context.Canceled) {
		t.Fatalf("%+v", got)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if group := alive(strings.TrimSpace(string(pid))); len(group) > 0 {
		t.Errorf("of its group these live on: %v", group)
	}
}

// alive lists the processes of a group that are no zombies, from /proc where there is one.
func alive(group string) []string {
	var found []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if fields[2] == group && fields[0] != "Z" {
			found = append(found, name)
		}
	}
	return found
}

func TestTimeout(t *testing.T) {
	g, steps := made("slow", "after: slow", "quick")
	r := &Runner{Timeout: time.Millisecond, Do: func(ctx context.Context, s *graph.Step, _ step.Call) (value.Value, error) {
		if s.Key == "slow" {
			<-ctx.Done()
			return value.Value{}, ctx.Err()
		}
		return value.Value{}, nil
	}}
	results := r.Run(context.Background(), g)
	if got := results[steps["slow"]]; got.Outcome != Failed || !strings.Contains(got.Err.Error(), "longer than 1ms") {
		t.Errorf("slow: %+v", got)
	}
	if got := results[steps["after"]]; got.Cause != steps["slow"] {
		t.Errorf("after: %+v", got)
	}
	// A step that reports a deadline of its own (of an HTTP client, say) has failed like any other.
	r.Timeout, r.Do = 0, func(context.Context, *graph.Step, step.Call) (value.Value, error) {
		return value.Value{}, context.DeadlineExceeded
	}
	if got := r.Run(context.Background(), g)[steps["after"]]; got.Outcome != Skipped || got.Cause != steps["slow"] {
		t.Errorf("after: %+v", got)
	}
}

func TestCircleIsAnErrorAndNoHang(t *testing.T) {
	g, steps := made("a", "b: a")
	steps["a"].Needs = []*graph.Step{steps["b"]}
	results := (&Runner{}).Run(context.Background(), g)
	if got := results[steps["a"]]; got.Outcome != Failed || !strings.Contains(got.Err.Error(), "need it in turn") {
		t.Errorf("a: %+v", got)
	}
}

func TestSecretsAndSensitiveSteps(t *testing.T) {
	g, steps := made("open", "closed", "raises", "ours")
	for _, key := range []string{"closed", "raises", "ours"} {
		steps[key].Sensitive = true
	}
	var log strings.Builder
	r := &Runner{Log: Plain(&log), Mask: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") },
		Now: func() time.Time { return time.Time{} },
		Do: func(_ context.Context, s *graph.Step, c step.Call) (value.Value, error) {
			c.Stdout([]byte("it is hun\x00ter2 and \x1b[31mhun\x1b[0mter2"))
			c.Stdout([]byte("more"))
			switch s.Key {
			case "closed":
				return value.Value{}, &step.ExitError{What: "Python", Code: 2, When: "before the function returned", Stderr: "token abc"}
			case "raises":
				return value.Value{}, fmt.Errorf("tried: %w", &step.PythonError{Type: "ValueError", Message: "bad token abc", Trace: "  token = 'abc'"})
			case "ours":
				return value.Value{}, &step.PythonError{Type: "<worker>.Missing", Message: "there is no module m"}
			}
			return value.Value{}, nil
		}}
	r.Run(context.Background(), g)
	want := "open: test.open\nopen | it is *** and ***\nopen | more\nopen: succeeded in 0.0 s\n" +
		"closed: test.closed\nclosed | (sensitive)\nclosed: failed after 0.0 s: Python ended with code 2 before the function returned: (not shown: the step gives a secret)\n" +
		"raises: test.raises\nraises | (sensitive)\nraises: failed after 0.0 s: ValueError: (not shown: the step gives a secret)\n" +
		"ours: test.ours\nours | (sensitive)\nours: failed after 0.0 s: there is no module m\n"
	if log.String() != want {
		t.Errorf("%s\nwant\n%s", log.String(), want)
	}
}

// TestCredentialsAreMarked: of a step that gives a credential nothing is shown live, and its output is sensitive down to the leaves; the others stay plain.
func TestCredentialsAreMarked(t *testing.T) {
	for credential, want := range map[string]string{"key": "true true false", graph.AllOutputs: "true true true"} {
		g, steps := made("a")
		steps["a"].Credentials = []string{credential}
		var log strings.Builder
		r := &Runner{Log: Plain(&log), Do: func(_ context.Context, _ *graph.Step, c step.Call) (value.Value, error) {
			c.Stderr([]byte("hunter2"))
			key := value.Of([]value.Entry{{Key: "inner", Value: value.Of([]value.Value{value.Of("hunter2")})}})
			return value.Of([]value.Entry{{Key: "key", Value: key}, {Key: "expires", Value: value.Of(3600)}}), nil
		}}
		out := r.Run(context.Background(), g)[steps["a"]].Outputs
		key, _ := out.Get("key")
		inner, _ := key.Get("inner")
		expires, _ := out.Get("expires")
		got := fmt.Sprint(key.Origin.Has(value.Sensitive), inner.List[0].Origin.Has(value.Sensitive), expires.Origin.Has(value.Sensitive))
		if got != want || strings.Contains(log.String(), "hunter2") {
			t.Errorf("%s: marked %s, want %s; the log is\n%s", credential, got, want, log.String())
		}
	}
}

// TestColoursHideNoSecret: a secret that is broken up with colours is masked on a terminal too.
func TestColoursHideNoSecret(t *testing.T) {
	g, _ := made("a")
	var log strings.Builder
	r := &Runner{Log: Terminal(&log, true), Mask: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") },
		Do: func(_ context.Context, _ *graph.Step, c step.Call) (value.Value, error) {
			c.Stdout([]byte("\x1b[31mhun\x1b[0mter2"))
			c.Stdout([]byte("\x1b[32mfine\x1b[0m hunter2"))
			return value.Value{}, nil
		}}
	r.Run(context.Background(), g)
	if strings.Contains(log.String(), "ter2") || !strings.Contains(log.String(), "\x1b[32mfine\x1b[0m ***") {
		t.Errorf("%q", log.String())
	}
}

// TestTailCutsNoSecretInHalf: whatever the place of a secret, the cut-off tail of stderr shows no part of it.
func TestTailCutsNoSecretInHalf(t *testing.T) {
	const secret = "abcdefghijklmnopqrstuvwxyz"
	g, steps := made("a")
	for size := 1950; size < 2010; size++ {
		r := &Runner{Mask: func(s string) string { return strings.ReplaceAll(s, secret, "***") },
			Do: func(context.Context, *graph.Step, step.Call) (value.Value, error) {
				exit := &step.ExitError{What: "line 1 of the script", Code: 1, Stderr: secret + strings.Repeat("=", size)}
				return value.Value{}, fmt.Errorf("around: %w", exit)
			}}
		text := r.Run(context.Background(), g)[steps["a"]].Err.Error()
		if strings.ContainsAny(strings.TrimPrefix(text, "around: line 1 of the script ended with code 1: "), "abxyz") {
			t.Fatalf("%d: %s", size, text)
		}
	}
}

func BenchmarkThousandSteps(b *testing.B) {
	g := &graph.Graph{}
	for i := range 1000 {
		s := &graph.Step{Key: fmt.Sprint(i)}
		if i > 0 {
			s.Needs = []*graph.Step{g.Steps[i/2]}
		}
		g.Steps = append(g.Steps, s)
	}
	r := &Runner{Jobs: 4, Do: func(context.Context, *graph.Step, step.Call) (value.Value, error) { return value.Value{}, nil }}
	for b.Loop() {
		r.Run(context.Background(), g)
	}
}
