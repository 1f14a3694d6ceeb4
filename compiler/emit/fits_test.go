// A job that no file has room for, what an engine must have of a pushed image, and what a platform's own shell is given.
package emit

import (
	"fmt"
	"strings"
	"testing"
)

// TestOneHugeJob: scripts of which nothing is known tie all builds to one machine; the job is one call then, and fits.
func TestOneHugeJob(t *testing.T) {
	var b strings.Builder
	b.WriteString("deployments:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "- {name: d%d, entrypoint: 'f.py:f', build: [{prefect.deployments.steps.run_shell_script: {id: g%d, script: './gen %d'}}, "+
			"{prefect_docker.deployments.steps.build_docker_image: {id: i%d, image_name: r/i%d, tag: '1', dockerfile: D}}]}\n", i, i, i, i%300, i%300)
	}
	files := filesOf(t, b.String())
	for _, f := range files {
		if len(f.Data) > fileLimit {
			t.Errorf("%s has %d bytes", f.Name, len(f.Data))
		}
	}
	if strings.Count(string(files[0].Data), "mode: step") > 1 {
		t.Errorf("more than one call")
	}
}

// TestAHugeJobPassesNoMoreThanItMust: written shorter, its steps are still passed only what they read; where even that has no room, one call is passed all.
func TestAHugeJobPassesNoMoreThanItMust(t *testing.T) {
	for _, c := range []struct{ steps, secretEvery, secrets, calls int }{{400, 100, 1, 9}, {200, 2, 60, 1}} {
		var b strings.Builder
		b.WriteString("x-ci: {github: {setup: [{run: 'true'}]}}\nbuild:\n")
		for i := range c.steps {
			secret := ""
			if i%c.secretEvery == 1 {
				secret = ", buildargs: {P: '"
				for n := range c.secrets {
					secret += fmt.Sprintf("{{ $PASSWORD_WITH_A_NAME_THAT_IS_RATHER_LONG_%d }}", n)
				}
				secret += "'}"
			}
			fmt.Fprintf(&b, "- prefect.deployments.steps.run_shell_script: {id: g%d, script: './gen %d'}\n- prefect_docker.deployments.steps.build_docker_image: {id: i%d, image_name: r/i%d, tag: '1', dockerfile: D%s}\n", i, i, i, i, secret)
		}
		out := string(filesOf(t, b.String()+deployed)[0].Data)
		calls, passed := strings.Count(out, "mode: step"), strings.Count(out, "LONG_0: ${{ secrets")
		if calls != c.calls || c.calls > 1 && passed != (c.calls-1)/2 {
			t.Errorf("%d steps: %d calls, %d are passed the secret", c.steps, calls, passed)
		}
	}
}

// TestPushedImageIsLoaded: a later step of the job pushes it again, and needs it in the engine.
func TestPushedImageIsLoaded(t *testing.T) {
	with, without := "build:\n"+image("a", "1", ", push: true")+"push:\n"+push("a")+deployed, "build:\n"+image("a", "1", ", push: true")+deployed
	for source, want := range map[string]bool{with: true, without: false} {
		lab, _ := GitLab(input(t, source))
		if got := strings.Contains(emitted(t, input(t, source)), "load: true"); got != want {
			t.Errorf("GitHub: load is %v, want %v", got, want)
		}
		if got := strings.Contains(string(lab), "--load --metadata-file"); got != want {
			t.Errorf("GitLab: load is %v, want %v", got, want)
		}
	}
}

// TestUnsetVariablesOfNativeScripts: what is not set is not there, as on a laptop.
func TestUnsetVariablesOfNativeScripts(t *testing.T) {
	out := emitted(t, input(t, "x-ci: {github: {vars: [REGION]}}\nbuild:\n"+unknown+deployed))
	if !strings.Contains(out, `[ -n "$REGION" ] || unset REGION`) {
		t.Errorf("an unset variable is an empty text:\n%s", out)
	}
}
