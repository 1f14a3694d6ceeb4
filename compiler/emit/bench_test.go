// How long emission takes against a check of the same file: the contract of speed is a ratio, and both run here side by side.
package emit

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
)

// thousand is a file of n deployments that build some images between them, and the flows of its entrypoints.
func thousand(n, images int) (string, fstest.MapFS) {
	var b strings.Builder
	flows := fstest.MapFS{}
	b.WriteString("pull: []\ndeployments:\n")
	for i := range n {
		k := i % images
		fmt.Fprintf(&b, `  - name: deployment-%[1]d
    entrypoint: flows/flow_%[1]d.py:main
    work_pool: {name: pool, job_variables: {image: "{{ image-%[2]d.image }}"}}
    schedules: [{cron: "%[3]d 6 * * *"}]
    build:
      - prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}
      - prefect_docker.deployments.steps.build_docker_image: {id: image-%[2]d, image_name: registry.example.com/team/image-%[2]d, tag: "{{ hash.stdout }}", dockerfile: images/%[2]d/Dockerfile}
    push:
      - prefect_docker.deployments.steps.push_docker_image: {image_name: "{{ image-%[2]d.image_name }}", tag: "{{ image-%[2]d.tag }}"}
`, i, k, i%60)
		flows[fmt.Sprintf("flows/flow_%d.py", i)] = &fstest.MapFile{Data: []byte("from prefect import flow\n\n\n@flow\ndef main(x: int = 1):\n    pass\n")}
	}
	return b.String(), flows
}

func checkOnce(text string, root fstest.MapFS) {
	c := check.New(root)
	c.File("prefect.yaml", []byte(text))
	c.Diagnostics()
}

func BenchmarkCheck(b *testing.B) {
	text, root := thousand(1000, 300)
	for b.Loop() {
		checkOnce(text, root)
	}
}

func BenchmarkGitHub(b *testing.B) {
	against(b, func(in *Input) diag.List {
		_, diags := GitHubFiles(in, "prefect.yml")
		return diags
	})
}

func BenchmarkGitLab(b *testing.B) {
	against(b, func(in *Input) diag.List {
		_, diags := GitLab(in)
		return diags
	})
}

// against also tells the ratio of an emission, with all that it reads, to a check, in pairs.
func against(b *testing.B, emission func(*Input) diag.List) {
	text, root := thousand(1000, 300)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the program has it
	var emitting, checking time.Duration
	for b.Loop() {
		start := time.Now()
		in, _ := Load(root, []Source{{"prefect.yaml", []byte(text)}})
		in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
		if diags := emission(in); len(diags) > 0 {
			b.Fatal(diags.Error())
		}
		emitting += time.Since(start)
		b.StopTimer()
		start = time.Now()
		checkOnce(text, root)
		checking += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(emitting)/float64(checking), "emissions/check")
}
