// A fault that an option made is told by the option: no line of the file is to blame for it. A fault of a deployment that is not selected concerns nobody.
package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

const oneOfTwo = "deployments:\n- {name: a, entrypoint: 'f.py:f', work_pool: {name: p}, schedules: [{cron: '0 0 * * *', slug: s}, {interval: 600, slug: t}]}\n" +
	"- {name: none, entrypoint: 'f.py:f', work_pool: {name: p}, concurrency_limit: 0}\n"

func TestFaultOfAnOption(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"prefect.yaml": oneOfTwo, "f.py": "from prefect import flow\n\n\n@flow\ndef f():\n    ...\n", "s.json": `{"schema": 1, "work_pools": {"p": {"type": "process"}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := func(args ...string) (int, string) {
		var errs bytes.Buffer
		code := run(context.Background(), cli.World{Args: append([]string{"deploy", "-C", dir, "--state", "file:s.json", "-n", "a"}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &errs,
			Env: func(string) (string, bool) { return "", false }})
		return code, errs.String()
	}
	for _, c := range []struct{ option, given, says string }{
		{"--cron", "61 * * * *", `--cron "61 * * * *": minute 61`},
		{"--cron", "", "--cron, --interval and --rrule want"},
		{"--interval", "0", "--cron, --interval and --rrule want"},
		{"--interval", "-5", "--interval -5: "},
		{"--rrule", "NOPE", `--rrule "NOPE": `},
		{"--timezone", "Mars/X", `--timezone "Mars/X": `},
		{"--anchor-date", "yesterday", `--anchor-date "yesterday": `},
		{"--concurrency-limit", "0", "--concurrency-limit 0 is not positive"},
	} {
		if code, stderr := said(c.option + "=" + c.given); code != cli.ExitUsage || !strings.HasPrefix(stderr, "error: "+c.says) {
			t.Errorf("%s %q: exit %d, %s", c.option, c.given, code, stderr)
		}
	}
	if code, stderr := said("--cron", "5 4 * * *", "--concurrency-limit", "2"); code != 0 || strings.Contains(stderr, "error") {
		t.Errorf("the limit of a deployment that is not selected: exit %d, %s", code, stderr)
	}
}
