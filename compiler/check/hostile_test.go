// Files that mean harm, or that a broken program wrote: each is read correctly or refused with a clear error, without a panic, without end, and without gigabytes.
package check

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// project is a working directory with one flow.
var project = fstest.MapFS{"f.py": {Data: []byte("from prefect import flow\n\n\n@flow\ndef f():\n    pass\n")}}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// chain makes n anchors, each of which holds the one before.
func chain(first, each string, n int) string {
	var b strings.Builder
	b.WriteString(first)
	for i := 1; i < n; i++ {
		b.WriteString(strings.NewReplacer("#", fmt.Sprint(i), "@", fmt.Sprint(i-1)).Replace(each))
	}
	return b.String()
}

func inUTF16(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

const (
	kilo = 1000
	mega = 1 << 20
)

// hostile are the files; want is the code of the first error, "" where there must be none.
var hostile = []struct {
	name, want string
	make       func() string
}{
	{"billion laughs", "alias-bomb", func() string { return chain("x0: &x0 [a, a, a, a]\n", "x#: &x# [*x@, *x@, *x@, *x@]\n", 40) }},
	{"quadratic aliases", "alias-bomb", func() string {
		return "a: &a \"" + strings.Repeat("x", 100*kilo) + "\"\nb: [" + strings.Repeat("*a, ", 100*kilo) + "]\n"
	}},
	{"doubling through merge keys", "alias-bomb", func() string { return chain("x0: &x0 {a: 1}\n", "x#: &x# {l: *x@, r: *x@, <<: *x@}\n", 60) }},
	{"wide merge keys", "alias-bomb", func() string {
		return "x: &x {" + numbered("k#: 1, ", 10*kilo) + "}\ny:\n" + numbered("  - {<<: *x, z: #}\n", 10*kilo)
	}},
	{"a deep chain of merge keys", "alias-bomb", func() string { return chain("x0: &x0 {k0: 1}\n", "x#: &x# {<<: *x@, k#: 1}\n", 5*kilo) }},
	{"a bomb in each deployment", "alias-bomb", func() string {
		return chain("x0: &x0 {a: 1}\n", "x#: &x# {l: *x@, r: *x@}\n", 22) + "deployments:\n" + numbered("  - name: d#\n    parameters: *x21\n", 50)
	}},
	{"recursive anchors", "recursive-alias", func() string { return "a: &a\n  b: &b\n    c: *a\n    d: *b\n    <<: *a\n" }},
	{"deployments inside themselves", "recursive-alias", func() string { return "deployments: &d\n  - *d\n" }},
	{"100 MB of comments", "file-too-large", func() string { return strings.Repeat("# "+strings.Repeat("x", 61)+"\n", 100*mega/64) }},
	{"60 MB of comments", "", func() string { return strings.Repeat("# "+strings.Repeat("x", 61)+"\n", 60*mega/64) }},
	{"100 MB of one text", "file-too-large", func() string { return "name: " + strings.Repeat("x", 100*mega) }},
	{"60 MB of one text", "", func() string { return "name: " + strings.Repeat("x", 60*mega) }},
	{"60 MB of opening brackets", "file-too-large", func() string { return strings.Repeat("[", 60*mega) }},
	{"60 MB of list items", "file-too-large", func() string { return strings.Repeat("- a\n", 15*mega) }},
	{"a million brackets", "invalid-yaml", func() string { return strings.Repeat("[", mega) }},
	{"a million dashes", "invalid-yaml", func() string { return strings.Repeat("- ", mega) }},
	{"a million question marks", "invalid-yaml", func() string { return strings.Repeat("? ", mega) }},
	{"mappings 100,000 deep", "invalid-yaml", func() string { return strings.Repeat("{a: ", 100*kilo) }},
	{"mappings 9,000 deep", "", func() string { return strings.Repeat("{a: ", 9*kilo) + "1" + strings.Repeat("}", 9*kilo) }},
	{"blocks 3,000 deep", "", func() string {
		var b strings.Builder
		for i := range 3 * kilo {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}},
	{"NUL", "control-character", func() string { return "name: a\x00b\n" }},
	{"escape", "control-character", func() string { return "name: a\x1b[2Jb\n" }},
	{"UTF-16", "wrong-encoding", func() string { return inUTF16("name: a\n") }},
	{"UTF-16 without its mark", "wrong-encoding", func() string { return inUTF16("name: a\n")[2:] }},
	{"UTF-32", "wrong-encoding", func() string { return "n\x00\x00\x00a\x00\x00\x00" }},
	{"Latin-1", "wrong-encoding", func() string { return "name: caf\xe9\n" }},
	{"BOM", "", func() string { return "\ufeffname: a\n" }},
	{"CRLF", "", func() string { return "name: a\r\nbuild:\r\n" }},
	{"lone CR", "wrong-type", func() string { return "name: a\rprefect-version: 7\r" }},
	{"tabs", "invalid-yaml", func() string { return strings.Repeat("\t", mega) }},
	{"many documents", "several-documents", func() string { return strings.Repeat("---\nname: a\n", 300*kilo) }},
	{"many directives", "invalid-yaml", func() string { return strings.Repeat("%YAML 1.2\n", 100*kilo) }},
	{"many unknown directives", "", func() string { return strings.Repeat("%x\n", 300*kilo) + "---\nname: a\n" }},
	{"a key of a megabyte", "invalid-yaml", func() string { return "\"" + strings.Repeat("k", mega) + "\": 1\n" }},
	{"a line of megabytes", "", func() string { return "x-a: [" + strings.Repeat("b, ", mega) + "]\n" }},
	{"a million keys", "", func() string {
		return "deployments:\n  - name: d\n    parameters:\n" + numbered("      k#: 1\n", 1000*kilo)
	}},
	{"100,000 anchors", "", func() string { return numbered("k#: &a# v\n", 100*kilo) + "z: [" + numbered("*a#, ", 100*kilo) + "]\n" }},
	{"a long anchor", "", func() string { return "name: &" + strings.Repeat("x", mega) + " a\n" }},
	{"only a comment", "", func() string { return "# a\n" }},
	{"a comment before each line", "", func() string { return strings.ReplaceAll(numbered("~ c\nx-#: 1 ~ e\n", 200*kilo), "~", "#") }},
	{"comments between list items", "", func() string { return "x-a:\n  - b\n" + strings.Repeat("  # foot\n\n", 100*kilo) + "name: c\n" }},
	{"long numbers", "invalid-value", func() string {
		return "x-a: " + strings.Repeat("9", mega) + "\nx-b: 0x" + strings.Repeat("f", mega) + "\nx-c: 1" + strings.Repeat(":59", mega) + "\nx-d: 1." + strings.Repeat("9", mega) + "\n"
	}},
	{"braces", "", func() string {
		return "deployments:\n  - name: d\n    description: \"" + strings.Repeat("{{ ", 300*kilo) + "\"\n"
	}},
	{"long timings", "invalid-cron", func() string {
		return "deployments:\n  - name: d\n    schedules:\n      - cron: \"" + strings.Repeat("1,", 50*kilo) + "x * * * *\"\n      - rrule: \"FREQ=DAILY;BYDAY=" + strings.Repeat("MO,", 2*kilo) + "MO\"\n"
	}},
	{"100,000 faulty deployments", "wrong-type", func() string {
		return "deployments:\n" + numbered("  - name: #\n    entrypoint: gone#.py:f\n    version: 2\n", 100*kilo)
	}},
	{"a fault at the end", "invalid-yaml", func() string { return numbered("k#: [1, 2]\n", 60*kilo) + " bad: 1\n" }},
	{"unquoted templates", "unquoted-template", func() string { return "a:\n" + strings.Repeat("  - x: {{ a.b }}:c\n", 50*kilo) }},
	{"an open quote", "invalid-yaml", func() string { return "a: \"" + strings.Repeat("x\n", 500*kilo) }},
}

// ceiling is the memory that the largest of these files may take from the system.
const ceiling = 1600 * mega

func TestHostileFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("large files")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(ceiling * 3 / 4))
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			src := []byte(h.make())
			c := New(project)
			c.File("prefect.yaml", src)
			diags := c.Diagnostics()
			got := ""
			for _, d := range diags {
				if d.Severity == diag.Error && d.Code != "missing-entrypoint-file" {
					got = d.Code
					break
				}
			}
			if got != h.want {
				t.Errorf("the first error is %q, not %q", got, h.want)
			}
			text := diags.Text(func(string) []byte { return src })
			if len(text) > 8*mega {
				t.Errorf("%d MB are printed", len(text)/mega)
			}
			harmless(t, text)
			harmless(t, diags.GitHub(""))
			var m runtime.MemStats
			if runtime.ReadMemStats(&m); m.Sys > ceiling {
				t.Fatalf("%d MB were taken from the system", m.Sys/mega)
			}
		})
		debug.FreeOSMemory()
	}
}

// harmless fails if what is printed could act on a terminal, or on GitHub other than as an annotation.
func harmless(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2028 {
			t.Fatalf("U+%04X is printed", r)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::error file=") && !strings.HasPrefix(line, "::warning file=") {
			t.Fatalf("a command is printed: %.100s", line)
		}
	}
}

// TestNothingFromAFileActs puts what a terminal or GitHub's runner would act on into every place that gets printed.
func TestNothingFromAFileActs(t *testing.T) {
	const evil = `\e]0;owned\a\e[2J\r\n::set-env name=PATH::x\n::error::\u202e\u2028\x9b`
	for _, doc := range []string{
		`"@": 1`, `deployments: [{"@": 1}]`, `deployments: [{name: "a/@"}]`, `deployments: [{entrypoint: "@"}]`, `deployments: [{entrypoint: "@.py:f"}]`, `deployments: [{entrypoint: "f.py:@"}]`, `deployments: [{tags: "@"}]`,
		`deployments: [{work_pool: "@"}]`, `deployments: [{schedule: "@"}]`, `deployments: [{schedules: [{cron: "@"}, {interval: "@"}, {rrule: "@"}, {cron: "* * * * *", timezone: "@"}, {interval: 5, anchor_date: "@"}, {cron: "* * * * *", "@": 1}]}]`,
		`build: [{"@": {}}]`, `build: [{prefect.deployments.steps.@: {}}]`, `build: [{prefect.deployments.steps.run_shell_script: {"@": 1, id: "@", script: "{{ x@ }}"}}]`, `build: [{a.b: {}, "@": 1}]`, `deployments: [{version: "{{ @.x }}"}]`,
		`deployments: [{concurrency_limit: {collision_strategy: "@", limit: 1}}]`, `deployments: [{work_pool: {name: x, job_variables: {e: "{{ prefect.blocks.secret.@ }}"}}}]`, `a: !!int "@"`, `a: !!timestamp "@"`, `{"@": 1, "@": 2}`,
		`deployments: [{name: "@", entrypoint: "f.py:f"}, {name: "@", entrypoint: "f.py:f"}]`, `deployments: [{sla: [{name: n, severity: "@"}]}]`, `deployments: "@"`, `x: [a: "@": b]`, `deployments: [{flow_name: "@"}]`, `deployments: [{parameters: {<<: "@"}}]`,
	} {
		src := []byte(strings.ReplaceAll(doc, "@", evil) + "\n")
		c := New(project)
		c.File("pre\x1b[2Jfect\n::error::.yaml", src)
		diags := c.Diagnostics()
		harmless(t, diags.Text(func(string) []byte { return src }))
		harmless(t, diags.GitHub(""))
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"a: &a [*a]\n", "x: &x {a: 1}\ny: {<<: [*x, {b: 2}]}\n", "name: a\rbuild:\r\n", "\ufeff%YAML 1.2\n---\na: {{ b }}\n", "deployments:\n- tags: x\n  schedule: {interval: PT5M}\n", "a:\n - b\n  - c\n", "a: 'x\ty'\nb: |\n  \tz\n"} {
		f.Add([]byte(seed))
	}
	f.Add([]byte("build:\n- prefect.deployments.steps.run_shell_script: {id: a, script: \"echo {{ b }}\"}\ndeployments:\n- &d {name: x, entrypoint: \"f.py:f\", schedules: [{cron: \"0 0 * * *\"}], tags: [\"{{ a.stdout }}\"]}\n- {<<: *d, version: 2, work_pool: {name: p}}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c := New(project)
		c.File("prefect.yaml", src)
		diags := c.Diagnostics()
		harmless(t, diags.Text(func(string) []byte { return src }))
		again := New(project)
		again.File("prefect.yaml", src)
		if string(again.Diagnostics().JSON(nil)) != string(diags.JSON(nil)) {
			t.Fatal("two checks of one file differ")
		}
	})
}
