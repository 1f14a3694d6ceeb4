// What is said twice, or in two ways, counts once: an interval in any of its spellings, and a place that a variable fills twice.
package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnIntervalInOtherWords(t *testing.T) {
	with := func(interval string) string {
		return "pull: []\ndeployments:\n- {name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}, schedules: [{interval: " + interval + "}]}\n"
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": with("600")})
	plan, state := filepath.Join(dir, "plan.json"), "file:"+filepath.Join(dir, "state.json")
	must(t, "deploy", "--all", "-C", dir, "--state", state)
	for _, interval := range []string{"600", "600.0", "6.0e+2", "'PT10M'", "'00:10:00'", "0x258"} {
		if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(with(interval)), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := command(t, nil, "plan", "--all", "-C", dir, "--state", state, "--detailed-exitcode"); code != 0 || !strings.Contains(stdout, "1 unchanged") {
			t.Errorf("%s: exit %d\n%s%s", interval, code, stdout, stderr)
		}
		if strings.HasPrefix(interval, "'") {
			continue // a text is shown as it stands, and what was reviewed is what was shown
		}
		fresh := "file:" + filepath.Join(t.TempDir(), "state.json") // a plan of one number holds for the other spellings of it
		if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(with("600")), 0o644); err != nil {
			t.Fatal(err)
		}
		must(t, "plan", "--all", "-C", dir, "--state", fresh, "--json", plan)
		if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(with(interval)), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := command(t, nil, "deploy", "--all", "-C", dir, "--state", fresh, "--plan", plan); code != 0 {
			t.Errorf("%s: exit %d\n%s%s", interval, code, stdout, stderr)
		}
	}
}

func TestANoteNamesAPlaceOnce(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "pull: []\ndeployments:\n- {name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}, description: '{{ $NOWHERE }} and {{ $NOWHERE }}', tags: ['{{ $NOWHERE }}']}\n" +
		"- {name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}, description: '{{ $NOWHERE }}'}\n"})
	code, stdout, stderr := command(t, nil, "plan", "--all", "-C", dir, "--state", "file:s.json")
	if want := "$NOWHERE is not set here, so what it fills was not compared: hello/d description, hello/d tags[0]\n"; code != 0 || !strings.Contains(stdout, want) {
		t.Errorf("exit %d\n%s%s\nwant %s", code, stdout, stderr, want)
	}
}
