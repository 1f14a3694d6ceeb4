// Variables that are not set are told before the steps run, one a step and name; set ones, and those of steps that don't run here, are not.
package deploy

import (
	"context"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

func TestUnsetVariablesOfSteps(t *testing.T) {
	s := newScene(t)
	s.env["HERE"] = "x"
	yaml := `
pull: []
build:
- prefect.deployments.steps.run_shell_script: {id: one, script: "echo {{ $GONE }} {{ $HERE }} {{ $GONE }}", env: {A: "{{ $GONE }}"}}
- prefect.deployments.steps.run_shell_script: {id: two, script: "echo {{ $ALSO }}"}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}
`
	o := s.options(yaml)
	var told string
	o.Warn = func(l diag.List, sources diag.Sources) { told += l.Text(nil) }
	if _, err := Deploy(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	const help = "   | set it where the steps run, or take the placeholder out\n"
	want := "prefect.yaml:4:74: warning: the environment variable GONE is not set here, so the step one runs without what it fills [unset-variable]\n" + help +
		"prefect.yaml:5:74: warning: the environment variable ALSO is not set here, so the step two runs without what it fills [unset-variable]\n" + help
	if strings.TrimRight(told, "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", told, want)
	}
	told = ""
	o = s.options(yaml)
	o.Given.SkipBuild = true
	o.Warn = func(l diag.List, sources diag.Sources) { told += l.Text(nil) }
	if _, err := Deploy(context.Background(), o); err != nil || told != "" {
		t.Errorf("error %v, told\n%s", err, told)
	}
}
