package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// bench writes a project of n deployments over n/5 flow files and returns its directory and its prefect.yaml.
func bench(b *testing.B, n int) (string, []byte) {
	dir := b.TempDir()
	for i := range max(1, n/5) {
		text := fmt.Sprintf("from typing import Literal, Optional\n\nfrom prefect import flow, task\n\n\n@task\ndef load(n: int) -> list[dict]:\n    return [{\"i\": i} for i in range(n)]\n\n\n@flow(name=\"flow-%d\", retries=1)\ndef run(region: Literal[\"eu\", \"us\"] = \"eu\", limit: int = 100, tags: list[str] = [], day: Optional[str] = None):\n    \"\"\"Load an area.\n\n    Args:\n        region: where from\n    \"\"\"\n    return load(limit)\n", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("flow%d.py", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	var y strings.Builder
	y.WriteString("build:\n  - prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}\npull:\n  - prefect.deployments.steps.git_clone: {repository: \"https://github.com/acme/flows.git\"}\n" +
		"definitions:\n  pool: &pool\n    name: p\n    job_variables:\n      image: \"registry.local/flows:{{ hash.stdout }}\"\n      env: {STAGE: prod}\ndeployments:\n")
	for i := range n {
		fmt.Fprintf(&y, "  - name: d%d\n    entrypoint: flow%d.py:run\n    description: number %d\n    tags: [a, \"{{ hash.stdout }}x\"]\n    version: \"1.%d\"\n    schedules:\n      - cron: \"%d %d * * *\"\n        timezone: Europe/Berlin\n      - interval: %d\n        active: false\n    parameters:\n      region: eu\n      limit: %d\n    work_pool: *pool\n",
			i, i%max(1, n/5), i, i, i%60, i%24, 600+i%7, i)
	}
	return dir, []byte(y.String())
}

// BenchmarkCheck is a whole check of 1,000 deployments; BenchmarkParse is what yaml.v3 alone takes for the same bytes, which bounds it.
func BenchmarkCheck(b *testing.B) {
	dir, src := bench(b, 1000)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		c := New(os.DirFS(dir))
		c.File("prefect.yaml", src)
		if diags := c.Diagnostics(); len(diags) > 0 {
			b.Fatal(diags[0])
		}
	}
}

func BenchmarkParse(b *testing.B) {
	_, src := bench(b, 1000)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		var n yaml.Node
		if err := yaml.Unmarshal(src, &n); err != nil {
			b.Fatal(err)
		}
	}
}
