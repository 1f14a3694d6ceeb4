// What is known in a plan that is given some outputs and not others: never more than a deploy would then have.
package deploy

import (
	"context"
	"strings"
	"testing"
)

func TestGivenValuesInAPlan(t *testing.T) {
	yaml := "build:\n- prefect.deployments.steps.run_shell_script: {id: a, script: echo 1}\n- prefect.deployments.steps.run_shell_script: {id: b, script: echo 2}\n" +
		one("  tags: ['{{ stdout }}', '{{ a.stdout }}']\n")
	s := newScene(t)
	s.deploy(yaml)
	for _, c := range []struct {
		set       string
		skip      bool
		want, err string
	}{
		{"", false, "rebuild hello/d tags(after-build)", ""},
		{"a.stdout=1", false, "rebuild hello/d tags(after-build)", ""}, // `stdout` is that of b, which is still to run
		{"b.stdout=2", false, "rebuild hello/d tags(after-build)", ""},
		{"a.stdout=1 b.stdout=2", false, "unchanged hello/d", ""},
		{"a.stdout=1 b.stdout=3", true, "rebuild hello/d tags(known)", ""},
		{"a.stdout=1", true, "", "hello/d needs b.stdout"},
		{"b.stdout=1", true, "", "hello/d needs a.stdout"},
		{"", true, "", "hello/d needs b.stdout"},
	} {
		o := s.options(yaml)
		o.Given.SkipBuild = c.skip
		for _, text := range strings.Fields(c.set) {
			set, err := ParseSetting(text, 1)
			if err != nil {
				t.Fatal(err)
			}
			o.Given.Set = append(o.Given.Set, set)
		}
		p, err := Plan(context.Background(), o)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("--set %s, skip %v: %v", c.set, c.skip, err)
		case c.err == "" && err != nil:
			t.Errorf("--set %s, skip %v: %v", c.set, c.skip, err)
		case c.err == "" && told(p) != c.want:
			t.Errorf("--set %s, skip %v: %s", c.set, c.skip, told(p))
		}
	}
}
