// A plan binds what runs, too: a plan shows no output, so the steps and the places of their outputs are what a review can hold a deploy to.
package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
)

// bound is a deploy that is bound to a plan of other files.
func (s *scene) bound(reviewed, now string, change func(*Options)) error {
	s.t.Helper()
	o := s.options(reviewed)
	if change != nil {
		change(&o)
	}
	o.Given = Given{} // the plan comes before the build
	p, err := Plan(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = o.State.Close()
	o = s.options(now)
	o.Reviewed = p.JSON()
	if change != nil {
		change(&o)
	}
	_, err = Deploy(context.Background(), o)
	_ = o.State.Close()
	return err
}

func TestAPlanBindsItsSteps(t *testing.T) {
	const build = "build:\n- prefect.deployments.steps.run_shell_script: {id: img, script: echo repo/app, stream_output: false}\n- prefect.deployments.steps.run_shell_script: {id: other, script: echo other}\n"
	uses := one("  tags: [v1]\n  description: '{{ img.stdout }}'")
	plain := one("  tags: [v1]")
	triggered := one("  triggers: [{name: t, expect: ['{{ img.stdout }}']}]")
	evil := strings.NewReplacer("echo repo/app", "echo evil/registry:666")
	skip := func(o *Options) {
		o.Given = Given{SkipBuild: true, Set: []Setting{{"img", "stdout", "repo/app"}, {"other", "stdout", "x"}}}
	}
	for _, c := range []struct {
		name, before, reviewed, now string
		change                      func(*Options)
		stale                       string
	}{
		{"a creation", "", build + uses, evil.Replace(build + uses), nil, "the step img is not the one that was planned"},
		{"an update", build + uses, build + strings.Replace(uses, "v1", "v2", 1), evil.Replace(build) + strings.Replace(uses, "v1", "v2", 1), nil, "the step img is not"},
		{"a rebuild", build + uses, build + uses, evil.Replace(build + uses), nil, "the step img is not"},
		{"without change, but its steps run", build + plain, build + plain, evil.Replace(build + plain), nil, "the step img is not"},
		{"with the builds left out", build + uses, build + uses, evil.Replace(build + uses), skip, "the step img is not"},
		{"another output", build + uses, build + uses, build + strings.Replace(uses, "img.stdout", "other.stdout", 1), nil, "the place of a step's output"},
		{"around an output", build + uses, build + uses, build + strings.Replace(uses, "'{{", "'evil/{{", 1), nil, "the place of a step's output"},
		{"in a trigger", build + triggered, build + triggered, build + strings.Replace(triggered, "img.stdout", "other.stdout", 1), nil, "the place of a step's output"},
		{"a step more", build + uses, build + uses, build + shell + "{id: more, script: echo}\n" + uses, nil, "the step more is not"},
		{"the same", build + uses, build + uses, build + uses, nil, ""},
		{"the same, with the builds left out", build + uses, build + uses, build + uses, skip, ""},
		{"the same in another order", build + uses, build + uses, strings.Replace(build, "{id: img, script: echo repo/app,", "{script: echo repo/app, id: img,", 1) + one("  description: '{{ img.stdout }}'\n  tags: [v1]"), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			if c.before != "" {
				s.deploy(c.before)
			}
			file := filepath.Join(s.dir, "state.json")
			before, _ := os.ReadFile(file)
			err := s.bound(c.reviewed, c.now, c.change)
			after, _ := os.ReadFile(file)
			var stale *Stale
			switch {
			case c.stale == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.stale != "" && (!errors.As(err, &stale) || !strings.Contains(err.Error(), c.stale)):
				t.Errorf("%v", err)
			case c.stale != "" && string(before) != string(after):
				t.Errorf("written:\n%s", after)
			}
		})
	}
}

// TestAPlanKeyBindsSensitiveValues: without a key a plan says nothing of them.
func TestAPlanKeyBindsSensitiveValues(t *testing.T) {
	yaml := one("  parameters: {who: '{{ $WHO }}'}")
	for _, c := range []struct {
		name, before, reviewedKey, key string
		change                         bool
		stale                          string
	}{
		{"a creation", "", "k", "k", true, "a value that a plan does not show"},
		{"an update", yaml, "k", "k", true, "a value that a plan does not show"},
		{"the same", yaml, "k", "k", false, ""},
		{"without a key", yaml, "", "", true, ""},
		{"with a key no more", yaml, "k", "", false, "planned with a plan-key, and this run is without one"},
		{"with a key at last", yaml, "", "k", false, "planned without a plan-key, and this run is with one"},
		{"another key", yaml, "k", "l", false, "or the plan-key is another one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.env["WHO"] = "first"
			if c.before != "" {
				s.deploy(c.before)
			}
			s.env["WHO"] = "second"
			err := s.bound(yaml, yaml, func(o *Options) {
				if o.PlanKey = c.key; o.Reviewed == nil {
					o.PlanKey = c.reviewedKey
				} else if c.change {
					env := o.Env
					o.Env = func(name string) (string, bool) {
						if name == "WHO" {
							return "third", true
						}
						return env(name)
					}
				}
			})
			if c.stale == "" && err != nil || c.stale != "" && (err == nil || !strings.Contains(err.Error(), c.stale)) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "third") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// text is the state's file.
func text(t *testing.T, s *scene) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestWhatWasApprovedIsCarriedOut: between the plan that is approved and the deploy somebody edits what both read.
func TestWhatWasApprovedIsCarriedOut(t *testing.T) {
	const first = `{"schema": 1, "variables": {"v": "one"}, "blocks": {"secret/pw": {"value": "pw-canary"}}}`
	yaml := one("  triggers: [{name: t, expect: [my.event]}]\n  description: '{{ prefect.variables.v }}'\n  parameters: {who: '{{ prefect.blocks.secret.pw }}'}")
	for _, c := range []struct{ name, old, now, stale string }{
		{"nothing", "", "", ""},
		{"a field", `"paused": false`, `"paused": true`, "hello/d: was changed on the server"},
		{"an automation", "my.event", "your.event", "hello/d: was changed on the server"},
		{"a variable", `"v": "one"`, `"v": "two"`, "the variable v was changed"},
		{"a variable that is gone", `"v":`, `"w":`, "the variable v was changed"},
		{"a block", `"value": "pw-canary"`, `"value": "other-canary"`, "the block secret/pw was changed"},
		{"it is gone", `"name": "d"`, `"name": "e"`, "hello/d: was changed on the server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.write("state.json", first)
			s.deploy(yaml)
			o := s.options(strings.Replace(yaml, "  description", "  tags: [new]\n  description", 1))
			edited := ""
			o.Approve = func(context.Context, *plan.Plan) error {
				_ = o.State.Close()
				was := text(t, s)
				if edited = strings.Replace(was, c.old, c.now, 1); edited == was && c.old != "" {
					t.Fatalf("no %s in\n%s", c.old, was)
				}
				s.write("state.json", edited)
				*o.State = *s.options("").State
				return nil
			}
			_, err := Deploy(context.Background(), o)
			_ = o.State.Close()
			var stale *Stale
			switch {
			case c.stale == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.stale != "" && (!errors.As(err, &stale) || !strings.Contains(err.Error(), c.stale) || strings.Contains(err.Error(), "canary")):
				t.Errorf("%v", err)
			case c.stale != "" && text(t, s) != edited:
				t.Error("it was written")
			}
		})
	}
}
