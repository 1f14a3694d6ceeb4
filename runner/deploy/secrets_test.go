// Secrets on every way out: the live log, the JSON (and so all reports), errors. Each is a word that occurs nowhere else.
package deploy

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

const shell = "- prefect.deployments.steps.run_shell_script: "

// logged is deploy, one step after the other, with what was shown while it ran.
func (s *scene) logged(files ...File) (*plan.Plan, string) {
	s.t.Helper()
	o := s.options("")
	o.Files, o.Jobs = files, 1
	var log strings.Builder
	o.Log = exec.Plain(&log)
	p, err := Deploy(context.Background(), o)
	if err != nil {
		s.t.Fatalf("deploy: %v", err)
	}
	if err := o.State.Close(); err != nil {
		s.t.Fatal(err)
	}
	return p, log.String()
}

func TestSecretsInsideTextAreMasked(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"a block in a command", `script: "echo got {{ prefect.blocks.secret.pw }} end"`, "s | got *** end"},
		{"a leaf of a block", `script: "echo {{ prefect.blocks.json.conf.inner.key }}"`, "s | ***"},
		{"all leaves of a block that a field is filled from", `script: "cat conf"`, "s | the key *** of ***"},
		{"a block that is a template", `script: "cat env", env: {A: "{{ prefect.blocks.secret.filled }}"}`, "s | plain-***"},
		{"a variable of the environment", `script: "echo a{{ $TOKEN }}b"`, "s | a***b"},
		{"in a step's own environment", `script: "bash -c 'echo $HIDDEN'", env: {HIDDEN: "{{ $TOKEN }}"}`, "s | ***"},
		{"by a name without $", `script: "echo {{ $SHOWN }}"`, "s | shown"},
		{"several lines", `script: "cat key", env: {KEY: "{{ $KEY }}"}`, "s | ***\ns | in ***"},
		{"in a URL", `script: "echo https://u:w%2Fcanary%40x@h {{ $URLISH }}"`, "s | https://u:***@h ***"},
		{"in an error", `script: "ls ./{{ $TOKEN }}"`, "***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.env["TOKEN"], s.env["KEY"], s.env["URLISH"], s.env["SHOWN"] = "hunter2-canary", "BEGIN-canary\n  canary-body\n", "w/canary@x", "shown"
			s.write("conf", "the key inner-canary of user-canary\n")
			s.write("env", "plain-hunter2-canary\n")
			s.write("key", "BEGIN-canary\nin canary-body\n")
			s.write("state.json", `{"schema": 1, "blocks": {"secret/pw": {"value": "blockpw-canary"}, "secret/filled": {"value": "x{{ $TOKEN }}"},
				"json/conf": {"value": {"user": "user-canary", "inner": {"key": "inner-canary", "n": 1}}}}}`)
			p, log := s.logged(File{"prefect.yaml", []byte("x-ci: {vars: [SHOWN]}\nbuild:\n" + shell + "{id: s, " + c.step + "}\n" +
				one("  enforce_parameter_schema: false\n  parameters: {who: '{{ prefect.blocks.json.conf }}'}"))})
			if all := log + string(p.JSON()); strings.Contains(all, "canary") || !strings.Contains(all, c.want) {
				t.Errorf("want %q and no secret in\n%s", c.want, all)
			}
		})
	}
}

func TestMask(t *testing.T) {
	var m mask
	for _, s := range []string{"abcdef", "abcdefgh", "ghij", "größe-ß", "abc", "true", `q"uote`, "****"} {
		m.add(s)
	}
	for text, want := range map[string]string{
		"x abcdefgh y": "x *** y", "abcdefghij": "***", "abcdefabcdef.": "***.", "die größe-ß!": "die ***!", "abc true": "abc true", `"q\"uote"`: `"***"`, "": "",
		"a**** abcdef": "a*** ***",
	} {
		if got := m.apply(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestWhatIsNoSecret: a short text in another spelling, and a guess at one, are other texts.
func TestWhatIsNoSecret(t *testing.T) {
	var m mask
	for _, s := range []string{"/app/", "<", "'", "a&b"} {
		m.keep(s)
	}
	for _, text := range []string{"registry.example.com/my-app-image:1", "x &lt; y &#39; a&amp;b"} {
		if got := m.apply(text); got != text || m.holds(text) {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := m.apply("in /app/ it is"); got != "in *** it is" {
		t.Errorf("a short secret that is called so is shown: %q", got)
	}
}

// TestSpelled: what Python 3.11 (json, repr, urllib.parse, html, base64) and Node (encodeURIComponent) make of one text, and git of it in an answer without an encoding.
func TestSpelled(t *testing.T) {
	var m mask
	m.add("tok/en+1&<é>'\"\\ %z")
	for _, text := range []string{
		`"tok/en+1&<\u00e9>'\"\\ %z"`, `'tok/en+1&<é>\'"\\ %z'`, `"\"tok/en+1&<\\u00e9>'\\\"\\\\ %z\""`,
		"tok/en%2B1%26%3C%C3%A9%3E%27%22%5C%20%25z", "tok%2Fen%2B1%26%3C%C3%A9%3E%27%22%5C%20%25z", "tok%2Fen%2B1%26%3C%C3%A9%3E%27%22%5C+%25z", "tok%2Fen%2B1%26%3C%C3%A9%3E'%22%5C%20%25z", "tok%2fen%2b1%26%3c%c3%a9%3e%27%22%5c%20%25z",
		"tok/en+1&amp;&lt;é&gt;&#x27;&quot;\\ %z", "tok/en+1&amp;&lt;é&gt;'\"\\ %z", "tok/en+1&<Ã©>'\"\\ %z",
		"dG9rL2VuKzEmPMOpPiciXCAlen4=", "dG9rL2VuKzEmPMOpPiciXCAlej8=", "eHRvay9lbisxJjzDqT4nIlwgJXp+", "eHRvay9lbisxJjzDqT4nIlwgJXo_", "eHl0b2svZW4rMSY8w6k+JyJcICV6fg==", "eHl0b2svZW4rMSY8w6k-JyJcICV6Pw==",
	} {
		if got := m.apply(text); !strings.Contains(got, "***") || len(strings.ReplaceAll(got, "***", "")) > 8 {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("abcd\nefgh", "bcde", "x abcdefgh y")
	f.Add("größe", "ößeé", "größeé")
	f.Fuzz(func(t *testing.T, a, b, text string) {
		var m mask
		m.add(a)
		m.add(b)
		got := m.apply(text)
		for _, piece := range strings.Split(got, "***") {
			for _, s := range m.secrets {
				if strings.Contains(piece, s) {
					t.Fatalf("%q is left in %q", s, got)
				}
			}
		}
	})
}

// TestCredentialsThatAStepGives: nothing says that get-token prints a token, but that the pull step takes it for one; hash is an ordinary step.
func TestCredentialsThatAStepGives(t *testing.T) {
	s := newScene(t)
	yaml := "build:\n" + shell + "{id: get-token, script: cat token}\n" + shell + "{id: hash, script: echo 2026.11}\n" + shell + "{id: use, script: \"echo x{{ get-token.stdout }}\"}\n" +
		strings.Replace(one("  tags: ['{{ hash.stdout }}']"), "pull: []", "pull:\n- prefect.deployments.steps.git_clone: {repository: 'https://h/r', access_token: '{{ get-token.stdout }}'}", 1)
	s.write("token", "token-canary\n")
	yaml = strings.Replace(yaml, "{id: use,", "{id: other, script: cat token}\n"+shell+"{id: use,", 1)
	yaml = strings.Replace(yaml, "build:\n", "build:\n"+shell+"{id: early, script: cat token, stream_output: false}\n", 1)
	p, log := s.logged(File{"prefect.yaml", []byte(yaml)})
	if strings.Contains(log+string(p.JSON()), "canary") || !strings.Contains(log, "get-token | (sensitive)") {
		t.Errorf("a credential is shown:\n%s%s", log, p.JSON())
	}
	if !strings.Contains(log, "hash | 2026.11") || !strings.Contains(string(p.JSON()), `"stdout": "2026.11"`) {
		t.Errorf("an ordinary step is hidden:\n%s%s", log, p.JSON())
	}
	if live := read(t, s); !strings.Contains(live, "token-canary") {
		t.Errorf("the deployment did not get its token:\n%s", live)
	}
}

// read is the state as text.
func read(t *testing.T, s *scene) string {
	t.Helper()
	st, err := state.OpenFile(filepath.Join(s.dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	name := state.Name{Flow: "hello", Deployment: "d"}
	snapshot, err := st.Read(context.Background(), state.Query{Deployments: []state.Name{name}})
	if err != nil {
		t.Fatal(err)
	}
	return string(snapshot.Deployments[name].Fields.AppendJSON(nil))
}

// TestWhatFollowsFromASecretIsSecret: the outputs of a step that was given one, unless it is known what they are made of.
func TestWhatFollowsFromASecretIsSecret(t *testing.T) {
	s := newScene(t)
	s.env["TOKEN"] = "hunter2-canary"
	s.write("sub.txt", "")
	p, log := s.logged(File{"prefect.yaml", []byte("build:\n" + shell + "{id: rot, script: \"bash -c 'echo $T | tr a-z b-za'\", env: {T: '{{ $TOKEN }}'}}\n" +
		shell + "{id: again, script: \"bash -c 'echo $T; echo $T | rev'\", env: {T: '{{ rot.stdout }}'}, stream_output: true}\n" + shell + "{id: open, script: echo visible}\n" + one(""))})
	text := string(p.JSON())
	if strings.Contains(text, "dbobsz") || strings.Contains(text, "zsbobd") || strings.Count(text, "(sensitive)") < 2 || !strings.Contains(text, "visible") {
		t.Errorf("%s", text)
	}
	if !strings.Contains(log, "again | ***\n") {
		t.Errorf("what followed from a secret is shown when it is used:\n%s", log)
	}
}

// TestAnswersHoldNoSecret: servers like to repeat what they refuse.
func TestAnswersHoldNoSecret(t *testing.T) {
	s := newScene(t)
	s.env["TOKEN"] = "hunter2-canary"
	o := s.options("build:\n" + shell + "{id: s, script: echo x}\n" + one("  description: x{{ $TOKEN }}"))
	o.State.Write = func(_ context.Context, w state.Write) (*state.Live, error) {
		description, _ := w.Fields.Get("description")
		return nil, errors.New("422: no such description: " + description.Text)
	}
	p, err := Deploy(context.Background(), o)
	if err != nil || p.Deployments[0].Error != "422: no such description: x***" {
		t.Errorf("%v, %q", err, p.Deployments[0].Error)
	}
}

// TestVarsAreOfTheirOwnFile: what one file lets be shown, another one may not.
func TestVarsAreOfTheirOwnFile(t *testing.T) {
	s := newScene(t)
	s.env["REGION"] = "canary7" // too short to be known for a secret wherever it stands
	file := func(name string) string {
		return "build:\n" + shell + "{id: " + name + ", script: \"echo {{ $REGION }}\"}\n" + strings.Replace(one("  description: in {{ $REGION }}"), "name: d", "name: "+name, 1)
	}
	p, _ := s.logged(File{"a.yaml", []byte("x-ci: {vars: [REGION], version: always}\n" + file("a"))}, File{"b.yaml", []byte(file("b"))})
	for i, want := range []string{"canary7", "(sensitive)"} {
		if out, _ := p.Steps[i].Outputs.Get("stdout"); strings.Contains(want, "canary") != (out.Marks() == 0) {
			t.Errorf("%s: the output's marks are %b", p.Steps[i].Key, out.Marks())
		}
		description, _ := p.Deployments[i].Desired.Fields.Get("description")
		if strings.Contains(want, "canary") != (description.Marks() == 0) {
			t.Errorf("%s: the description's marks are %b", p.Deployments[i].Name, description.Marks())
		}
	}
	both := "build:\n" + shell + "{id: one, script: \"echo {{ $REGION }}\"}\n"
	p, _ = s.logged(File{"a.yaml", []byte("x-ci: {vars: [REGION]}\n" + both + one(""))}, File{"b.yaml", []byte(both + strings.Replace(one(""), "name: d", "name: e", 1))})
	if len(p.Steps) != 1 || strings.Contains(string(p.JSON()), "canary") {
		t.Errorf("a step of both files shows what one of them hides:\n%s", p.JSON())
	}
}

// TestVariablesThatAreSecretsByName: scripts read them without a template. Of what such a script prints nothing is shown that holds the value of one, and no other job gets it.
func TestVariablesThatAreSecretsByName(t *testing.T) {
	const steps = "build:\n" + shell + "{id: leak, shell: true, script: 'echo \"p=$DB_PASSWORD.\"; echo \"$DB_PASSWORD\" | base64; echo $TEAM >&2'}\n" + shell + "{id: env, script: env}\n" + shell + "{id: open, script: echo visible}\n"
	for _, c := range []struct{ name, ci, optional string }{
		{"kept by GitHub", "x-ci: {github: {secrets: [DB_PASSWORD]}}\n", ""},
		{"kept by GitLab", "x-ci: {gitlab: {secrets: [DB_PASSWORD]}}\n", ""},
		{"passed to the job", "x-ci: {vars: [TEAM]}\n", "TEAM,DB_PASSWORD,PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE"},
		{"a secret though it may be shown", "x-ci: {vars: [DB_PASSWORD], github: {secrets: [DB_PASSWORD]}}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.env["DB_PASSWORD"], s.env["TEAM"], s.env["PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE"], s.env["PREFECT_DEPLOY_OPTIONAL"] = "canary7", "data-team", "visible", c.optional
			p, log := s.logged(File{"prefect.yaml", []byte(c.ci + steps + one(""))})
			if all := log + string(p.JSON()); strings.Contains(all, "canary") || !strings.Contains(log, "leak | p=***.") || !strings.Contains(all, "data-team") || !strings.Contains(string(p.JSON()), `"visible\n"`) && !strings.Contains(string(p.JSON()), `"visible"`) {
				t.Errorf("a secret is shown, or what is none is hidden:\n%s", all)
			}
		})
	}
}

// TestLoginsAreNeverShown: a file, which may be a pull request's, lets variables be shown, but not what logs in.
func TestLoginsAreNeverShown(t *testing.T) {
	for name, shown := range map[string]bool{"REGION": true, "PREFECT_API_KEY": false, "PREFECT_API_AUTH_STRING": false, "GH_TOKEN": false, "prefect_api_key": false} {
		s := newScene(t)
		s.env[name] = "hunter2secret"
		yaml := "x-ci: {vars: [" + name + "], github: {vars: [" + name + "]}}\n" + one("  description: 'x {{ $"+name+" }}'")
		if text := string(s.plan(yaml).JSON()); strings.Contains(text, "hunter2") != shown {
			t.Errorf("%s: %s", name, text)
		}
	}
}
