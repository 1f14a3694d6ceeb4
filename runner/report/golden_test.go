// Six typical plans, as pages and on terminals. The inputs are plans as `--json` writes them; what is made of them is read in review: `go test ./runner/report -update`.
package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/graph"
)

var update = flag.Bool("update", false, "write the golden files anew")

const goldens = "../../testdata/report"

var cases = []string{"first-deploy", "one-change", "300-changes", "deletes", "sensitive", "failed-apply"}

func load(t testing.TB, name string) *View {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldens, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func typical(name string) Meta {
	m := Meta{
		Target: "production", Files: []string{"prefect.yaml"},
		Head: "9f31c2e08d7a5b6c4e3f2a1b0c9d8e7f6a5b4c3d", HeadURL: "https://github.com/acme/flows/commit/9f31c2e08d7a5b6c4e3f2a1b0c9d8e7f6a5b4c3d",
		StateName: "workspace acme/prod", StateURL: "https://app.prefect.cloud/account/acme/workspace/prod",
		Time: time.Date(2026, 11, 24, 2, 10, 0, 0, time.UTC), Run: "run 123", RunURL: "https://github.com/acme/flows/actions/runs/123",
		Blob: "https://github.com/acme/flows/blob/9f31c2e08d7a5b6c4e3f2a1b0c9d8e7f6a5b4c3d/",
		Full: "the job summary", FullURL: "https://github.com/acme/flows/actions/runs/123", Footer: Footer{Policy: Require},
	}
	switch name {
	case "first-deploy", "sensitive":
		m.Graph = twoImages()
	case "failed-apply":
		m.Done, m.Elapsed, m.NoFooter, m.Graph = true, "42.3 s", true, twoImages()
	}
	return m
}

// twoImages is a commit's hash that two images carry.
func twoImages() *graph.Graph {
	const docker = "prefect_docker.deployments.steps."
	hash := &graph.Step{Key: "get-commit-hash", Action: "build", Function: "prefect.deployments.steps.run_shell_script"}
	image := &graph.Step{Key: "build-my-image", Action: "build", Function: docker + "build_docker_image", Needs: []*graph.Step{hash}}
	push := &graph.Step{Key: "push-my-image", Action: "push", Function: docker + "push_docker_image", Needs: []*graph.Step{image}}
	gpu := &graph.Step{Key: "build-my-image-gpu", Action: "build", Function: docker + "build_docker_image", Needs: []*graph.Step{hash}}
	g := &graph.Graph{Steps: []*graph.Step{hash, image, push, gpu}}
	for _, d := range []string{"report/daily", "etl/hourly", "etl/backfill"} {
		g.Registrations = append(g.Registrations, &graph.Registration{Deployment: d, Steps: []*graph.Step{hash, image, push}})
	}
	g.Registrations = append(g.Registrations, &graph.Registration{Deployment: "train/nightly", Steps: []*graph.Step{hash, gpu}})
	return g
}

func TestGoldens(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			v, m := load(t, name), typical(name)
			page := v.Page(m)
			wellFormed(t, page, CommentBudget)
			golden(t, name+".md", page)
			o := Terminal{Done: m.Done, Elapsed: m.Elapsed}
			golden(t, name+".txt", v.Terminal(o))
			o.Width = 40
			golden(t, name+".narrow.txt", v.Terminal(o))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(goldens, name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what was agreed:\n%s", name, got)
	}
}
