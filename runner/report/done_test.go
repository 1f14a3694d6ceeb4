// What a deploy leaves on a terminal: what ran at the same time is marked, what was written is a line each.
package report

import (
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

func deployed() *View {
	image := func(name string) value.Value { return value.Of([]value.Entry{{Key: "image", Value: value.Of(name)}}) }
	p := &plan.Plan{State: "http://127.0.0.1:4200/api", Steps: []plan.Step{
		{Key: "get-commit-hash", Function: "x.run_shell_script", Outcome: "succeeded", Seconds: 0.1, Outputs: value.Of([]value.Entry{{Key: "stdout", Value: value.Of("9f31c2e")}})},
		{Key: "build-my-image", Function: "x.build_docker_image", Outcome: "succeeded", Began: 0.1, Seconds: 38.2, Outputs: image("localhost:5000/my-image:9f31c2e")},
		{Key: "build-my-image-gpu", Function: "x.build_docker_image", Outcome: "succeeded", Began: 0.1, Seconds: 41.7, Outputs: image("localhost:5000/my-image-gpu:9f31c2e")},
		{Key: "push", Function: "x.push_docker_image", Outcome: "succeeded", Began: 41.8, Seconds: 1},
		{Key: "p1", Function: "x.push_docker_image", Outcome: "succeeded", Began: 42.8, Seconds: 2},
		{Key: "p2", Function: "x.push_docker_image", Outcome: "succeeded", Began: 42.8, Seconds: 3},
		{Key: "p3", Function: "x.push_docker_image", Outcome: "succeeded", Began: 43.8, Seconds: 2},
		{Key: "given", Function: "x.push_docker_image", Outcome: "given"},
	}}
	v := Of(p)
	item := func(name string, action plan.Action, paths ...string) Item {
		it := Item{Name: name, Action: action, Outcome: plan.Applied}
		for _, path := range paths {
			it.Changes = append(it.Changes, Change{Path: path, Value: plan.Known, Before: value.Of("a"), After: value.Of("b")})
		}
		return it
	}
	v.Deployments = []Item{item("report/daily", plan.Update, "schedules[0].cron", "parameters.region"), item("etl/hourly", plan.Create, "work_pool_name"), item("a/many", plan.Update, strings.Fields("a b c d e f g h")...),
		item("a/rebuilt", plan.Rebuild, "job_variables.image"), item("a/same", plan.Unchanged)}
	return v
}

func TestDone(t *testing.T) {
	want := ` ✓ get-commit-hash     run_shell_script      0.1 s   stdout=9f31c2e
 ✓ build-my-image      build_docker_image   38.2 s   localhost:5000/my-image:9f31c2e      ┐ side by side
 ✓ build-my-image-gpu  build_docker_image   41.7 s   localhost:5000/my-image-gpu:9f31c2e  ┘
 ✓ push                push_docker_image     1.0 s
 ✓ p1                  push_docker_image     2.0 s  ┐ side by side
 ✓ p2                  push_docker_image     3.0 s  │
 ✓ p3                  push_docker_image     2.0 s  ┘
 ✓ given               push_docker_image     0.0 s
 + etl/hourly
 ± a/many              a, b, c, d, e, f, 2 more
 ± report/daily        schedules[0].cron, parameters.region
 ↻ a/rebuilt           job_variables.image
 = 1 unchanged
Applied 4 changes to http://127.0.0.1:4200/api in 0.4 s (42.3 s with builds): 1 created, 2 updated, 1 rebuilt, 1 unchanged.
`
	if got := deployed().Terminal(Terminal{Done: true, Elapsed: "0.4 s (42.3 s with builds)"}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, width := range []int{40, 80, 100} { // no line is wider, and a bracket that has no room is left out whole
		got := deployed().Terminal(Terminal{Done: true, Width: width})
		for _, l := range strings.Split(got, "\n") {
			if len([]rune(l)) > width {
				t.Errorf("%d columns: %q", width, l)
			}
		}
		if strings.Count(got, "┐") != strings.Count(got, "┘") {
			t.Errorf("%d columns:\n%s", width, got)
		}
	}
}
