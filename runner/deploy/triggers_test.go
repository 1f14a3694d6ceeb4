// Triggers and SLAs from file to state and again; and, against a stand-in for a server that holds automations of unknown origin, which of them a plan takes for the file's.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// TestEditsOfTriggers deploys before, finds nothing to do, plans after, deploys it and finds nothing to do again.
func TestEditsOfTriggers(t *testing.T) {
	triggers := func(list string) string { return one("  triggers: [" + list + "]") }
	step := "build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: echo 1, stream_output: false}\n"
	cases := []struct{ name, before, after, want string }{
		{"one more", triggers("{expect: [a]}"), triggers("{expect: [a]}, {expect: [b]}"), "update hello/d triggers[1](known)"},
		{"one less", triggers("{name: x, expect: [a]}, {name: y}"), triggers("{name: y}"), "update hello/d triggers[1](known)"},
		{"none any more", triggers("{name: x, expect: [a]}"), one(""), "update hello/d triggers[0](known)"},
		{"another name", triggers("{name: x, expect: [a]}"), triggers("{name: y, expect: [a]}"), "update hello/d triggers[0](known) triggers[1](known)"},
		{"order of sets", triggers("{expect: [a, b], after: [c, d]}"), triggers("{after: [d, c, d], expect: [b, a]}"), "unchanged hello/d"},
		{"order of triggers", triggers("{name: x, expect: [a]}, {name: y}"), triggers("{name: y}, {name: x, expect: [a]}"), "unchanged hello/d"},
		{"what is said and what is not", triggers("{}"), triggers("{type: event, enabled: yes, description: '', match: {}, posture: Reactive, threshold: 1, within: PT0S, schedule_after: 0, parameters: null}"), "unchanged hello/d"},
		{"an item of a set", triggers("{expect: [a, b, c]}"), triggers("{expect: [a, x, c, y]}"), "update hello/d triggers[0].expect[1](known) triggers[0].expect[3](known)"},
		{"an item less", triggers("{expect: [a, b]}"), triggers("{expect: [b]}"), "update hello/d triggers[0].expect[1](known)"},
		{"a label", triggers("{match: {a.b: x, c: y}}"), triggers("{match: {a.b: [x], c: y}}"), "update hello/d triggers[0].match.a.b(known)"},
		{"spans", triggers("{within: 60, schedule_after: 5}"), triggers("{within: PT2M, schedule_after: 5.0}"), "update hello/d triggers[0].within(known)"},
		{"switched off", triggers("{expect: [a]}"), triggers("{expect: [a], enabled: false}"), "update hello/d triggers[0].enabled(known)"},
		{"parameters", triggers("{parameters: {n: '{{ event.id }}', who: x}}"), triggers("{parameters: {n: '{{ event.name }}'}}"), "update hello/d triggers[0].parameters.n(known) triggers[0].parameters.who(sensitive)"},
		{"parameters unsaid", triggers("{parameters: {n: 1}}"), triggers("{}"), "update hello/d triggers[0].parameters.n(sensitive)"},
		{"parameters of nothing", triggers("{parameters: {}}"), triggers("{}"), "update hello/d triggers[0].parameters(known)"},
		{"job variables", triggers("{job_variables: {env: {A: 1}}}"), triggers("{job_variables: {env: {A: 2}}}"), "update hello/d triggers[0].job_variables.env.A(known)"},
		{"another kind", triggers("{expect: [a]}"), triggers("{triggers: [{expect: [a]}]}"), "update hello/d triggers[0](known)"},
		{"nested", triggers("{require: all, triggers: [{expect: [a]}, {triggers: [{within: 5}]}]}"), triggers("{require: any, triggers: [{expect: [b]}, {triggers: [{within: 6}, {}]}]}"),
			"update hello/d triggers[0].triggers[0].expect[0](known) triggers[0].triggers[1].triggers[0].within(known) triggers[0].triggers[1].triggers[1](known) triggers[0].require(known)"},
		{"nested, another order", triggers("{triggers: [{expect: [a]}, {triggers: []}]}"), triggers("{triggers: [{triggers: []}, {expect: [a]}]}"), "update hello/d triggers[0].triggers[0](known) triggers[0].triggers[1](known)"},
		{"before the build", step + one("  tags: [a]\n  triggers: [{name: x, expect: ['{{ s.stdout }}.a']}]"), step + one("  tags: [a]\n  triggers: [{name: x, expect: ['{{ s.stdout }}.a']}]"), "rebuild hello/d triggers[0].expect[0](after-build)"},
		{"a name from the build", step + one("  triggers: [{name: 'x{{ s.stdout }}', expect: [a]}]"), step + one("  triggers: [{name: 'x{{ s.stdout }}', expect: [a]}]"), "rebuild hello/d triggers[0].name(after-build)"},
		{"not set here", one("  triggers: [{expect: ['a{{ $V }}'], name: '{{ $V }}'}]"), one("  triggers: [{expect: ['a{{ $V }}'], name: '{{ $V }}'}]"), "unchanged hello/d"},
		{"an SLA", one("  sla: [{name: a, duration: 60}]"), one("  sla: [{name: a, duration: 61}]"), "update hello/d sla[0].duration(known)"},
		{"SLAs unsaid keep", one("  sla: [{name: a, duration: 60}]"), one(""), "unchanged hello/d"},
		{"no SLAs any more", one("  sla: [{name: a, duration: 60}]"), one("  sla: []"), "update hello/d sla(known)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			if got := told(s.deploy(c.before)); got != "create hello/d" {
				t.Fatalf("first deploy: %s", got)
			}
			if got := told(s.deploy(c.before)); got != "unchanged hello/d" {
				t.Errorf("again: %s", got)
			}
			if got := told(s.plan(c.after)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			s.deploy(c.after)
			before, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
			if got := told(s.deploy(c.after)); got != "unchanged hello/d" {
				t.Errorf("afterwards: %s", got)
			}
			if after, _ := os.ReadFile(filepath.Join(s.dir, "state.json")); string(after) != string(before) {
				t.Errorf("a second deploy wrote\n%s\n%s", before, after)
			}
		})
	}
}

// TestTriggersOfACommit: against the intent of a commit the same templates are equal.
func TestTriggersOfACommit(t *testing.T) {
	s := newScene(t)
	yaml := one("  triggers: [{name: '{{ prefect.variables.a }}', enabled: '{{ prefect.variables.on }}', within: 5}, {expect: ['{{ $X }}']}]\n  sla: [{name: a, duration: 5}]")
	s.write("prefect.yaml", yaml)
	commitAll(t, s)
	for edit, want := range map[string]string{"": "unchanged hello/d", "within: 5}|within: 6}": "update hello/d triggers[0].within(known)", "duration: 5|duration: 6": "update hello/d sla[0].duration(known)"} {
		from, to, _ := strings.Cut(edit, "|")
		o := s.options(strings.Replace(yaml, from, to, 1))
		o.State = GitState("HEAD")
		p, err := Plan(context.Background(), o)
		if err != nil || told(p) != want {
			t.Errorf("%s: %v %s, want %s", edit, err, told(p), want)
		}
	}
}

func commitAll(t *testing.T, s *scene) {
	t.Helper()
	gitIn(t, s.dir, "init", "-q", "-b", "main")
	gitIn(t, s.dir, "add", "-A")
	gitIn(t, s.dir, "commit", "-q", "-m", "a")
}

// standIn is a server that holds the deployment hello/d as the file has it, and automations that run it.
func (s *scene) standIn(yaml string, automations ...string) (Options, *[]state.Write) {
	s.t.Helper()
	desired := s.plan(strings.ReplaceAll(yaml, "triggers", "unread")).Deployments[0].Desired
	var writes []state.Write
	st := &state.State{Source: "http://server/api", Close: func() error { return nil }}
	st.Read = func(_ context.Context, q state.Query) (*state.Snapshot, error) {
		live := plan.AsLive(desired)
		live.ID, live.AllOwned, live.SLAs = "D", false, nil
		for i, text := range automations {
			name, expect, _ := strings.Cut(text, ":")
			trigger, _ := value.FromJSON([]byte(`{"type":"event","match":{},"match_related":{},"after":[],"expect":["` + expect + `"],"for_each":[],"posture":"Reactive","threshold":1,"within":0.0}`))
			live.Automations = append(live.Automations, state.Automation{ID: fmt.Sprint(i), Fields: value.Of([]value.Entry{{Key: "name", Value: value.Of(name)}, {Key: "description", Value: value.Of("")},
				{Key: "enabled", Value: value.Of(true)}, {Key: "trigger", Value: trigger}, {Key: "parameters"}, {Key: "job_variables"}, {Key: "schedule_after", Value: value.Of(0.0)}})})
		}
		return &state.Snapshot{Source: st.Source, PrefectVersion: "3.8.8", Deployments: map[state.Name]*state.Live{live.Name: live}, Complete: true, Total: 1, WorkPools: map[string]*state.WorkPool{"p": {Name: "p"}}}, nil
	}
	st.Write = func(_ context.Context, w state.Write) (*state.Live, error) {
		writes = append(writes, w)
		return w.Live, nil
	}
	o := s.options(yaml)
	o.State = st
	return o, &writes
}

// written is what writes do to automations: "owned -1 ~2 +x".
func written(writes []state.Write) string {
	var out []string
	for _, w := range writes {
		if len(w.Fields.Map) > 0 {
			out = append(out, "the deployment")
		}
		if w.Automations == nil {
			continue
		}
		if w.Automations.Owned {
			out = append(out, "owned")
		}
		for _, id := range w.Automations.Delete {
			out = append(out, "-"+id)
		}
		for _, a := range w.Automations.Update {
			out = append(out, "~"+a.ID)
		}
		for _, c := range w.Automations.Create {
			name, _ := c.Get("name")
			out = append(out, "+"+name.Text)
		}
	}
	return strings.Join(out, " ")
}

// TestAutomationsOfUnknownOrigin: what is not surely a deploy's goes by no other request than the one in which the server goes by its owner, and that one is only sent where
// no automation would have to be made anew for it.
func TestAutomationsOfUnknownOrigin(t *testing.T) {
	cases := []struct {
		name, triggers, base string
		live                 []string
		want, note           string
	}{
		{"equal", "{name: x, expect: [a]}", "", []string{"x:a"}, "", ""},
		{"changed in place", "{name: x, expect: [b]}", "", []string{"x:a"}, "~0", ""},
		{"unnamed, changed in place", "{expect: [b]}", "", []string{"d__automation_1:a"}, "~0", ""},
		{"a number less", "{expect: [a]}", "", []string{"d__automation_1:a", "d__automation_2:b"}, "-1", ""},
		{"another deployment's number is a name like any other", "{expect: [a]}", "", []string{"d__automation_1:a", "e__automation_2:b"}, "", `automations kept that run a deployment and that its file does not have: hello/d ("e__automation_2")`},
		{"by hand beside", "{name: x, expect: [a]}", "", []string{"x:a", "hand:h"}, "", `kept that run a deployment and that its file does not have: hello/d ("hand")`},
		{"by hand beside a change", "{name: x, expect: [b]}, {name: y}", "", []string{"x:a", "hand:h"}, "~0 +y", `("hand")`},
		{"nobody matched: the server decides", "{name: x, expect: [a]}", "", []string{"hand:h"}, "owned +x", ""},
		{"none any more: the server decides", "", "", []string{"hand:h"}, "owned", ""},
		{"a number and by hand: the server decides on both", "", "", []string{"hand:h", "d__automation_1:a"}, "owned", ""},
		{"the base had it", "", "{name: x}", []string{"x:a"}, "-0", ""},
		{"the base had it, another is there", "{name: y, expect: [b]}", "{name: x}, {name: y}", []string{"x:a", "y:b"}, "-0", ""},
		{"the base did not have it", "", "{name: x}", []string{"hand:h"}, "", ""},
		{"by hand under a name that the file has newly", "{name: hand, expect: [new]}", "{name: x}", []string{"hand:h"}, "+hand", ""},
		{"by hand and equal", "{name: hand, expect: [h]}", "{name: x}", []string{"hand:h"}, "", ""},
		{"two of a name, one equal", "{name: x, expect: [a]}", "", []string{"x:h", "x:a"}, "", `("x")`},
		{"two of a name, neither equal", "{name: x, expect: [b]}, {name: y, expect: [c]}", "", []string{"x:h", "x:a", "y:c"}, "owned +x +y", ""},
		{"the base had it, and by hand is one of its name", "{name: x, expect: [a]}", "{name: x, expect: [a]}", []string{"x:h", "x:a"}, "", `("x")`},
		{"the base had it, it is gone from the file, and by hand is one of its name", "{name: y, expect: [b]}", "{name: x, expect: [a]}, {name: y, expect: [b]}", []string{"x:h", "x:a", "y:b"}, "", `("x", "x")`},
		{"the same, and nobody matched: the server decides", "", "{name: x, expect: [a]}", []string{"x:h", "x:a"}, "owned", ""},
		{"two of a name in the file too", "{name: x, expect: [a]}, {name: x, expect: [b]}", "", []string{"x:b", "x:c"}, "~1", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			file := func(triggers string) string { return one("  triggers: [" + triggers + "]") }
			if c.base != "" {
				s.write("prefect.yaml", file(c.base))
				commitAll(t, s)
			}
			o, writes := s.standIn(file(c.triggers), c.live...)
			if c.base != "" {
				o.Base, o.Environ = "HEAD", os.Environ()
			}
			p, err := Deploy(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := written(*writes); got != c.want {
				t.Errorf("writes %q, want %q\n%s", got, c.want, told(p))
			}
			if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "kept that run") {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// TestTheServerTellsWhatWasADeploys: after the request by owner, what is gone was a deploy's and is a change; what is left was made by hand.
func TestTheServerTellsWhatWasADeploys(t *testing.T) {
	s := newScene(t)
	o, _ := s.standIn(one(""), "hand:h", "old:a")
	if p, err := Plan(context.Background(), o); err != nil || told(p) != "unchanged hello/d" || !strings.Contains(p.Notes[0], `hello/d ("hand", "old"); a deploy takes away those that a deploy made`) {
		t.Errorf("%v %s %q", err, told(p), p.Notes)
	}
	o.State.Write = func(_ context.Context, w state.Write) (*state.Live, error) {
		live := *w.Live
		live.Automations = slices.Clone(live.Automations[:1])
		return &live, nil
	}
	p, err := Deploy(context.Background(), o)
	if err != nil || told(p) != "update hello/d triggers[0](known)" || p.Deployments[0].Outcome != plan.Applied {
		t.Errorf("%v %s", err, told(p))
	}
	if len(p.Notes) > 0 { // what is left somebody made by hand, and that is how it should be
		t.Errorf("notes %q", p.Notes)
	}
}

// TestCloudOnly: what a server of one's own lacks is said before anything is written, with its line; Cloud gets it.
func TestCloudOnly(t *testing.T) {
	for yaml, line := range map[string]int{
		one("  triggers:\n  - {expect: [a]}\n  - {require: any, triggers: [{posture: Metric, metric: {name: duration, operator: '>', threshold: 1}}]}"): 8,
		one("  sla: [{name: a, duration: 60}]"): 6,
		one("  sla: []"):                        6,
	} {
		s := newScene(t)
		o, writes := s.standIn(yaml)
		var faults *Faults
		if _, err := Deploy(context.Background(), o); !errors.As(err, &faults) || faults.List[0].Code != "cloud-only" || faults.List[0].Line != line || len(*writes) > 0 {
			t.Errorf("%s: %v, %d writes", yaml, err, len(*writes))
		}
		cloud, writes := s.standIn(yaml)
		read := cloud.State.Read
		cloud.State.Read = func(ctx context.Context, q state.Query) (*state.Snapshot, error) {
			snapshot, err := read(ctx, q)
			snapshot.PrefectVersion = "cloud"
			return snapshot, err
		}
		if p, err := Deploy(context.Background(), cloud); err != nil || len(*writes) != 1 || len((*writes)[0].Fields.Map) > 0 {
			t.Errorf("%s: at Cloud %v, %d writes\n%s", yaml, err, len(*writes), told(p))
		}
	}
}

// TestServersWithoutAutomations: the plan says that triggers are not registered, as Prefect's own deploy goes on without a word.
func TestServersWithoutAutomations(t *testing.T) {
	s := newScene(t)
	o, writes := s.standIn(one("  triggers: [{expect: [a]}]"))
	read := o.State.Read
	reason := "this server has no automations"
	o.State.Read = func(ctx context.Context, q state.Query) (*state.Snapshot, error) {
		snapshot, err := read(ctx, q)
		snapshot.NoAutomations = reason
		return snapshot, err
	}
	p, err := Deploy(context.Background(), o)
	if err != nil || len(*writes) > 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "triggers not registered: hello/d; "+reason) {
		t.Errorf("%v %q", err, p.Notes)
	}
	reason = state.MayNotRead
	var faults *Faults
	if _, err := Plan(context.Background(), o); !errors.As(err, &faults) || faults.List[0].Code != "automations-unreadable" || faults.List[0].Line != 6 {
		t.Errorf("got %v", err)
	}
}

// TestSecretsInTriggers: what came from the environment is not shown, on neither side, whichever way it changes; the base's file tells of what this one no longer does.
func TestSecretsInTriggers(t *testing.T) {
	before := "{name: one, match: {k: '{{ $TOKEN }}'}, expect: ['{{ $TOKEN }}', b], parameters: {a: '{{ $TOKEN }}', p: plain}}, {name: 'n-{{ $TOKEN }}', expect: [x]}, {expect: ['{{ $TOKEN }}'], triggers: [{expect: ['{{ $TOKEN }}']}]}"
	for name, after := range map[string]string{
		"the same, and more": before + ", {name: new, match: {k: '{{ $TOKEN }}'}, job_variables: {t: '{{ $TOKEN }}'}}",
		"plain":              "{name: one, match: {k: x}, expect: [y, b], parameters: {a: x}}, {name: n, expect: [x]}, {triggers: [{expect: [z]}, {}]}",
		"gone":               "",
		"another kind":       "{name: one, triggers: []}, {name: 'n-{{ $TOKEN }}', require: any, triggers: []}",
	} {
		s := newScene(t)
		s.env["TOKEN"] = "hunter2secret"
		s.write("prefect.yaml", one("  triggers: ["+before+"]"))
		commitAll(t, s)
		s.deploy(one("  triggers: [" + before + "]"))
		o := s.options(one("  triggers: [" + after + "]"))
		o.Base, o.Environ = "HEAD", append(os.Environ(), "TOKEN=hunter2secret")
		p, err := Plan(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(p.JSON()); strings.Contains(text, "hunter2") || len(p.Deployments[0].Changes) == 0 {
			t.Errorf("%s: %s", name, text)
		}
	}
	s := newScene(t)
	s.env["TOKEN"] = "hunter2secret"
	if text := string(s.plan(one("  triggers: [" + before + "]")).JSON()); strings.Contains(text, "hunter2") || !strings.Contains(text, "triggers[0].parameters.p") {
		t.Errorf("a creation: %s", text)
	}
}
