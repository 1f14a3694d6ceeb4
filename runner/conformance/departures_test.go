//go:build real

// Departures that no case can show, because they are about a second deploy, another machine, or what someone did by hand in between: both programs, one after the other.
package conformance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// departureTests are named by the rows of docs/differences.md.
func departureTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"dropped-slug":     droppedSlug,
		"slug-by-hand":     slugByHand,
		"owner-label":      ownerLabel,
		"derived-pull":     derivedPull,
		"derived-version":  derivedVersion,
		"unchanged":        unchangedIsNotWritten,
		"shared-limit":     sharedLimit,
		"proposed-server":  proposedServer,
		"step-environment": stepEnvironment,
	}
}

// TestDepartures runs them, and holds their names against the table.
func TestDepartures(t *testing.T) {
	tests := departureTests()
	for key, s := range shownBy() {
		if s.test != (tests[key] != nil) {
			t.Errorf("%s: a test is promised: %v, and it is there: %v", key, s.test, tests[key] != nil)
		}
	}
	for _, key := range sortedKeys(tests) {
		t.Run(key, tests[key])
	}
}

// theTwo are the programs, as what deploys a workspace; more are arguments that only ours has.
func theTwo() map[string]func(*testing.T, *workspace, ...string) (int, string) {
	return map[string]func(*testing.T, *workspace, ...string) (int, string){
		"Prefect": func(t *testing.T, w *workspace, _ ...string) (int, string) {
			bin := filepath.Join(venv(t), "bin")
			w.c.Args = []string{"--all"}
			return w.c.run(t, w.project, command{words: []string{filepath.Join(bin, "prefect"), "--no-prompt", "deploy"}, path: bin + string(os.PathListSeparator) + os.Getenv("PATH"), env: w.cmd.env})
		},
		"ours": func(t *testing.T, w *workspace, more ...string) (int, string) {
			w.c.Args = append([]string{"--all"}, more...)
			return w.c.run(t, w.project, command{words: []string{program(t), "deploy"}, path: w.cmd.path, env: w.cmd.env})
		},
	}
}

// both runs a story by each program on a clean server and compares how it ended with what is wanted of each.
func both(t *testing.T, files map[string]string, prefect, ours string, story func(t *testing.T, a api, w *workspace, deploy func(more ...string)) string) {
	t.Helper()
	for name, deploy := range theTwo() {
		t.Run(name, func(t *testing.T) {
			a := server(t)
			a.reset(t)
			a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
			w := newWorkspace(t, a.url, files)
			got := story(t, a, w, func(more ...string) {
				t.Helper()
				if code, output := deploy(t, w, more...); code != 0 {
					t.Fatalf("exit %d\n%s", code, output)
				}
			})
			want := prefect
			if name == "ours" {
				want = ours
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// plainFile is a file of one deployment, which says as little as can be, but for these fields.
func plainFile(more object) map[string]string {
	d := object{"name": "d", "entrypoint": "flow.py:hello", "work_pool": object{"name": "pool"}}
	for k, v := range more {
		d[k] = v
	}
	return map[string]string{"flow.py": flowSource, "prefect.yaml": text(object{"deployments": []any{d}})}
}

func (a api) only(t *testing.T) map[string]any {
	t.Helper()
	all := a.all(t, "/deployments/filter")
	if len(all) != 1 {
		t.Fatalf("%d deployments", len(all))
	}
	return all[0]
}

// stepEnvironment: a function sets a variable and changes directory; a script after it tells what it sees.
func stepEnvironment(t *testing.T) {
	files := plainFile(object{"tags": []any{"{{ s.stdout }}-x"}, "build": []any{
		object{"leaving.leave": object{}},
		object{"prefect.deployments.steps.run_shell_script": object{"id": "s", "script": `sh -c 'if [ -e ../leaving.py ]; then echo "<$LEFT>" moved; else echo "<$LEFT>" stayed; fi'`}},
	}})
	files["leaving.py"] = "import os\ndef leave():\n    os.environ['LEFT'] = 'here'\n    os.makedirs('sub', exist_ok=True)\n    os.chdir('sub')\n"
	both(t, files, "[<here> moved-x]", "[<> stayed-x]", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		w.cmd.env = append(w.cmd.env, "PREFECT_DEPLOY_PYTHON="+filepath.Join(venv(t), "bin", "python"))
		deploy()
		return fmt.Sprint(a.only(t)["tags"])
	})
}

func ownerLabel(t *testing.T) {
	both(t, plainFile(nil), "false", "true", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		deploy()
		labels, _ := a.only(t)["labels"].(map[string]any)
		return fmt.Sprint(labels["x-ci.owner"] != nil)
	})
}

// derivedPull: the same project, deployed from two folders as by two machines.
func derivedPull(t *testing.T) {
	both(t, plainFile(nil), "the second's", "the first's", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		deploy()
		second := filepath.Join(t.TempDir(), "second")
		if err := copyTree(w.project, second); err != nil {
			t.Fatal(err)
		}
		w.project = second
		deploy()
		if strings.Contains(text(a.only(t)["pull_steps"]), "second") {
			return "the second's"
		}
		return "the first's"
	})
}

// derivedVersion: a commit that changes nothing of the deployment.
func derivedVersion(t *testing.T) {
	both(t, plainFile(nil), "another version", "the same version", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		g := (&gitSetup{Remote: "https://git.example.com/team/code.git"}).defaults()
		for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "one"}, {"remote", "add", "origin", g.Remote}} {
			g.run(t, w.project, args...)
		}
		deploy()
		version := a.only(t)["version"]
		g.run(t, w.project, "commit", "-q", "--allow-empty", "-m", "two")
		deploy()
		if version == a.only(t)["version"] {
			return "the same version"
		}
		return "another version"
	})
}

// unchangedIsNotWritten: the server notes each write, at which it deletes the runs that are scheduled.
func unchangedIsNotWritten(t *testing.T) {
	both(t, plainFile(object{"schedules": []any{cron("", "0 1 * * *")}}), "written", "left alone", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		deploy()
		before := a.only(t)["updated"]
		deploy()
		if before != a.only(t)["updated"] {
			return "written"
		}
		return "left alone"
	})
}

// droppedSlug: the base commit's file has a slug that the file has no more, and someone made another by hand.
func droppedSlug(t *testing.T) {
	files := map[string]string{"flow.py": flowSource, "prefect.yaml": scheduled(cron("a", "0 1 * * *"), cron("b", "0 2 * * *"))}
	both(t, files, "a 0 1 * * *; b 0 2 * * *; hand 0 3 * * * off", "a 0 1 * * *; hand 0 3 * * * off", func(t *testing.T, a api, w *workspace, deploy func(...string)) string {
		deploy()
		w.commit(t)
		a.call(t, http.MethodPost, "/deployments/"+str(a.only(t), "id")+"/schedules", []any{object{"slug": "hand", "active": false, "schedule": object{"cron": "0 3 * * *", "timezone": "UTC"}}})
		w.write(t, "prefect.yaml", scheduled(cron("a", "0 1 * * *")))
		deploy("--base", "HEAD")
		return a.held(t)
	})
}

// slugByHand: someone gave a slug to the only schedule of a file without slugs.
func slugByHand(t *testing.T) {
	files := map[string]string{"flow.py": flowSource, "prefect.yaml": scheduled(cron("", "0 1 * * *"))}
	for name, deploy := range theTwo() {
		t.Run(name, func(t *testing.T) {
			a := server(t)
			a.reset(t)
			a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
			w := newWorkspace(t, a.url, files)
			if code, output := deploy(t, w); code != 0 {
				t.Fatalf("exit %d\n%s", code, output)
			}
			d := a.only(t)
			s := d["schedules"].([]any)[0].(map[string]any)
			a.call(t, http.MethodPatch, "/deployments/"+str(d, "id")+"/schedules/"+str(s, "id"), object{"slug": "x"})
			code, output := deploy(t, w)
			got := fmt.Sprint(code != 0, " ", a.held(t))
			if want := map[string]string{"Prefect": "true x 0 1 * * *", "ours": "false 0 1 * * *"}[name]; got != want {
				t.Errorf("got %s, want %s\n%s", got, want, output)
			}
		})
	}
}

// proposedServer: the tree names the server, and the job's environment holds the key.
func proposedServer(t *testing.T) {
	of := map[string]map[string]string{
		"none":              {},
		"a push":            {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"},
		"a pull request":    {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"},
		"a merge request":   {"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"},
		"no one knows what": {"CI": "true"},
	}
	refused := map[string]bool{"a pull request": true, "a merge request": true, "no one knows what": true}
	for _, file := range []string{".env", "prefect.toml", "pyproject.toml"} {
		for _, job := range sortedKeys(of) {
			for name, deploy := range theTwo() {
				if job != "a pull request" && (file != ".env" || name == "Prefect") {
					continue // each run takes seconds
				}
				t.Run(file+", a job for "+job+", "+name, func(t *testing.T) {
					a := server(t)
					a.reset(t)
					a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
					files := plainFile(nil)
					files[file] = fmt.Sprintf(map[string]string{".env": "PREFECT_API_URL=%s\n", "prefect.toml": "[api]\nurl = %q\n", "pyproject.toml": "[tool.prefect.api]\nurl = %q\n"}[file], a.url)
					w := newWorkspace(t, "", files)
					w.cmd.env, w.c.Env = []string{"PREFECT_API_KEY=pnu_of_the_job"}, of[job]
					code, output := deploy(t, w)
					wrote := len(a.all(t, "/deployments/filter")) > 0
					if fails := name == "ours" && refused[job]; fails != (code != 0) || fails == wrote || fails && !strings.Contains(output, file+" names the Prefect server") || strings.Contains(output, "pnu_of") {
						t.Errorf("exit %d, registered: %v\n%s", code, wrote, output)
					}
				})
			}
		}
	}
}
