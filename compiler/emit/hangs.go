// Whether an emitted file still hangs together once it was patched: a platform refuses a file in which a job needs one that is gone, and it would refuse it only after the push. So every need, and every output that is asked for, is
// looked up, and the patch is named after which the first of them went missing.
package emit

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// patched carries patches out and looks whether the file hangs together afterwards. loose tells what of it does not.
func patched(root *yaml.Node, patches []placed, loose func(root *yaml.Node) []string) diag.List {
	if len(patches) == 0 {
		return nil
	}
	before := deepCopy(root)
	if diags := applyPatches(root, patches); len(diags) > 0 {
		return diags
	}
	var diags diag.List
	for _, end := range loose(root) {
		p := culprit(before, patches, end, loose)
		diags = append(diags, diag.Diagnostic{Severity: diag.Error, Code: "patch-does-not-fit", Message: fmt.Sprintf("after the patch %s %s %s", field(p, "op"), diag.Quote(field(p, "path")), end),
			Help: "patch what refers to it as well: remove it from needs, and take the expression out", Position: p.file.Position(p.value.Pos)})
	}
	return diags
}

// culprit is the last patch that made a loose end.
func culprit(before *yaml.Node, patches []placed, end string, loose func(*yaml.Node) []string) placed {
	root, by, had := deepCopy(before), patches[len(patches)-1], false
	for _, p := range patches {
		if applyPatch(root, p) != nil {
			break // can't be: they were carried out before
		}
		has := slices.Contains(loose(root), end)
		if has && !had {
			by = p
		}
		had = has
	}
	return by
}

// looseGitHub are the jobs and outputs that a workflow asks for and does not have.
func looseGitHub(root *yaml.Node) (out []string) {
	jobs := get(root, "jobs")
	if jobs == nil || jobs.Kind != yaml.MappingNode {
		return []string{"there are no jobs"}
	}
	for i := 0; i+1 < len(jobs.Content); i += 2 {
		name, job := jobs.Content[i].Value, jobs.Content[i+1]
		if job.Kind != yaml.MappingNode {
			out = append(out, fmt.Sprintf("the job %s is no mapping", diag.Quote(name)))
			continue
		}
		needs := needsOf(job)
		for _, n := range needs {
			if get(jobs, n) == nil {
				out = append(out, fmt.Sprintf("the job %s needs %s, and there is no such job", diag.Quote(name), diag.Quote(n)))
			}
		}
		out = append(out, looseExpressions(jobs, name, job, needs)...)
	}
	return out
}

// looseExpressions are the `needs.JOB` and `needs.JOB.outputs.NAME` of a job that give nothing.
func looseExpressions(jobs *yaml.Node, name string, job *yaml.Node, needs []string) (out []string) {
	said := func(format string, a ...any) {
		if text := fmt.Sprintf("the job %s ", diag.Quote(name)) + fmt.Sprintf(format, a...); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	evaluated(job, "", func(text string) {
		for _, path := range references(text, "needs.") {
			parts := strings.Split(path, ".")
			of := get(jobs, parts[0])
			switch {
			case !slices.Contains(needs, parts[0]):
				said("reads needs.%s, which it does not need", parts[0])
			case len(parts) > 2 && parts[1] == "outputs" && of != nil && get(of, "uses") == nil && (get(of, "outputs") == nil || get(get(of, "outputs"), parts[2]) == nil):
				said("reads needs.%s.outputs.%s, and that job has no such output", parts[0], parts[2])
			}
		}
	})
	return out
}

// evaluated visits what GitHub evaluates: what stands in ${{ … }}, and conditions.
func evaluated(n *yaml.Node, key string, visit func(string)) {
	if n.Kind == yaml.ScalarNode && key == "if" {
		visit(n.Value)
		return
	}
	for _, part := range strings.Split(n.Value, "${{")[min(1, strings.Count(n.Value, "${{")):] {
		if inner, _, closed := strings.Cut(part, "}}"); closed {
			visit(inner)
		}
	}
	for i, c := range n.Content {
		under := ""
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			under = n.Content[i-1].Value
		}
		evaluated(c, under, visit)
	}
}

// references are the dotted names behind a context in an expression: "a.outputs.b" of "needs.a.outputs.b". One that a bracket or a star goes on with is cut there.
func references(text, context string) (out []string) {
	for {
		i := strings.Index(text, context)
		if i < 0 {
			return out
		}
		whole := i == 0 || !strings.ContainsRune(".", rune(text[i-1])) && !word(text[i-1])
		text = text[i+len(context):]
		end := 0
		for end < len(text) && (word(text[end]) || text[end] == '.' && end > 0) {
			end++
		}
		if whole && end > 0 {
			out = append(out, strings.TrimRight(text[:end], "."))
		}
	}
}

func word(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// looseGitLab are the jobs and stages that a pipeline asks for and does not have.
func looseGitLab(root *yaml.Node) (out []string) {
	if root.Kind != yaml.MappingNode {
		return []string{"there is no pipeline"}
	}
	if get(root, "include") != nil { // what it names is not here
		return nil
	}
	var stages []string
	if n := get(root, "stages"); n != nil {
		for _, c := range n.Content {
			stages = append(stages, c.Value)
		}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, job := root.Content[i].Value, root.Content[i+1]
		if job.Kind != yaml.MappingNode || slices.Contains([]string{"workflow", "variables", "default", "cache", "spec"}, name) {
			continue
		}
		for _, n := range needsOfGitLab(job) {
			if get(root, n) == nil {
				out = append(out, fmt.Sprintf("the job %s needs %s, and there is no such job", diag.Quote(name), diag.Quote(n)))
			}
		}
		if n := get(job, "extends"); n != nil && n.Kind == yaml.ScalarNode && get(root, n.Value) == nil {
			out = append(out, fmt.Sprintf("the job %s extends %s, and there is no such job", diag.Quote(name), diag.Quote(n.Value)))
		}
		if n := get(job, "stage"); n != nil && n.Kind == yaml.ScalarNode && n.Value != ".pre" && n.Value != ".post" && !slices.Contains(stages, n.Value) {
			out = append(out, fmt.Sprintf("the job %s is in the stage %s, and stages has none of that name", diag.Quote(name), diag.Quote(n.Value)))
		}
	}
	return out
}

// needsOfGitLab are the jobs of its own pipeline that a job needs and that have to be there.
func needsOfGitLab(job *yaml.Node) (out []string) {
	needs := get(job, "needs")
	if needs == nil || needs.Kind != yaml.SequenceNode {
		return nil
	}
	for _, n := range needs.Content {
		switch optional, of := get(n, "optional"), get(n, "job"); {
		case n.Kind == yaml.ScalarNode:
			out = append(out, n.Value)
		case of != nil && get(n, "pipeline") == nil && get(n, "project") == nil && (optional == nil || optional.Value != "true"):
			out = append(out, of.Value)
		}
	}
	return out
}
