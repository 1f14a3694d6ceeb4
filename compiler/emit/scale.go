// A workflow that is too large for one file. GitHub takes 500 KB a file (docs.github.com/actions/reference/limits); a build through Docker's action is 4 KB, so some hundred builds fill one. Then the main workflow keeps check, plan,
// register, prefect and what all others wait for, and calls reusable workflows that hold the builds: at most 50 of them from one file, on a server of one's own 20
// (docs.github.com/actions/reference/workflows-and-actions/reusing-workflow-configurations). No limit is known for the jobs of a run that no matrix makes, nor for `needs`.
//
// A called workflow is one job to its caller, so what needs one of its jobs waits for all of them. Builds are therefore put together by level, where those of level n need something of level n-1:
//
//	hash ─┬─ image 1 … image 150       main: check, plan, hash, builds-1 (image 1 … 75), builds-2 (image 76 … 150), register, prefect
//	      └─ …
//
// The parts of one level run side by side. A part also runs when a part before it failed: that concerns only its jobs that wanted something of the failed one, and those find nothing given and fail.
package emit

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

const (
	// fileLimit is what GitHub takes, and partSize what a called workflow is filled up to: versions that a bot edits, and some more of a comment, must have room.
	fileLimit = 500_000
	partSize  = 440_000
	// stays is up to how much the main workflow keeps of the first level.
	stays = 60_000
	// fewCalls are as many called workflows as any GitHub takes; mostCalls as github.com does.
	fewCalls, mostCalls = 20, 50
)

// File is one of the files of a pipeline, by its name in the directory where the main one is.
type File struct {
	Name string
	Data []byte
}

// GitHubFiles are the workflow called name and, where one file would be too large, those that it calls.
func GitHubFiles(in *Input, name string) ([]File, diag.List) {
	g, root, diags := newGitHub(in)
	if diags.Errors(false) > 0 {
		return nil, diags
	}
	if size := g.sizeOfAll(root); size <= fileLimit+fileLimit/5 { // else it is not worth the printing
		if whole := g.document(root, size); len(whole) <= fileLimit {
			return []File{{name, whole}}, diags
		}
	}
	s := scaling{github: g, root: root, jobs: get(root, "jobs"), name: name, node: map[string]*yaml.Node{}, key: map[string]*yaml.Node{}, of: map[string]int{}, level: map[string]int{}}
	for i := 0; i < len(s.jobs.Content); i += 2 {
		s.key[s.jobs.Content[i].Value], s.node[s.jobs.Content[i].Value] = s.jobs.Content[i], s.jobs.Content[i+1]
	}
	files, fault := s.files()
	if fault != nil {
		return nil, append(diags, *fault)
	}
	return files, diags
}

// shortness is how a job is written: in full; as calls of the runtime without outputs of the job, cut where they are passed different variables; or as one call, which is passed all of them.
type shortness int

const (
	inFull shortness = iota
	onlyCalls
	oneCall
)

// fit writes jobs that are too large for any file shorter, as far as it takes: an image a deployment and a script of which nothing is known make one job of hundreds of steps.
func (g *github) fit(root *yaml.Node) *yaml.Node {
	g.compact = map[string]shortness{}
	for _, how := range []shortness{onlyCalls, oneCall} {
		jobs, again := get(root, "jobs"), false
		for _, j := range g.pipeline.Jobs {
			if g.sizeOf(get(jobs, j.ID)) > partSize-partSize/10 {
				g.compact[j.ID], again = how, true
			}
		}
		if !again {
			break
		}
		root = g.workflow()
	}
	return root
}

// sizeOf is about how many bytes a job takes.
func (g *github) sizeOf(job *yaml.Node) int {
	size, ok := g.sizes[job]
	if !ok {
		size = atMost(job, 4)
		g.sizes[job] = size
	}
	return size
}

// sizeOfAll is the same of a workflow: its jobs, and some more.
func (g *github) sizeOfAll(root *yaml.Node) int {
	size := 0
	for i, n := range root.Content {
		if jobs := get(root, "jobs"); n != jobs || n.Kind != yaml.MappingNode {
			size += atMost(root.Content[i], 2)
			continue
		}
		for k := 1; k < len(n.Content); k += 2 {
			size += atMost(n.Content[k-1], 2) + 2 + g.sizeOf(n.Content[k])
		}
	}
	return size
}

// atMost is how many bytes a node takes when it is printed, and a little more.
func atMost(n *yaml.Node, indent int) int {
	if n.Kind == yaml.ScalarNode {
		size := len(n.Value) + len(n.LineComment) + 4
		if n.Style == yaml.DoubleQuotedStyle {
			size += strings.Count(n.Value, `"`) + strings.Count(n.Value, `\`)
		}
		if lines := strings.Count(n.Value, "\n"); lines > 0 {
			size += lines * (indent + 2)
		}
		return size
	}
	if n.Style == yaml.FlowStyle {
		indent = 0
	}
	size := 2
	for i, c := range n.Content {
		if n.Kind == yaml.SequenceNode || i%2 == 0 {
			size += indent
		}
		size += atMost(c, indent+2)
	}
	return size
}

// sideBySide does what has n parts that know nothing of each other, on all processors: as long as each only writes what is its own, the order shows nowhere.
func sideBySide(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// Parts are the patterns of the names that the called workflows of a main one have.
func Parts(name string) string {
	extension := path.Ext(name)
	return strings.TrimSuffix(name, extension) + "-builds-*" + extension
}

// scaling is the cutting of a workflow into files.
type scaling struct {
	*github
	root, jobs *yaml.Node
	name       string
	// node is a job by its name, key the name's own node, with the comment that says whose it is.
	node, key map[string]*yaml.Node
	// parts are the jobs of each called workflow; of is the part of a job, none for those that the main workflow keeps.
	parts [][]string
	of    map[string]int
	level map[string]int
}

func (s *scaling) files() ([]File, *diag.Diagnostic) {
	builds := s.builds()
	size := map[string]int{}
	for _, id := range builds {
		size[id] = s.sizeOf(s.node[id]) + 200 // with its name and who needs it
	}
	s.divide(builds, size)
	s.merge(size)
	if len(s.parts) > mostCalls {
		return nil, s.tooLarge(fmt.Sprintf("the %d jobs that build fill %d files, and one workflow calls at most %d", len(builds), len(s.parts), mostCalls))
	}
	for i, part := range s.parts {
		for _, id := range part {
			s.of[id] = i
		}
	}
	secrets := make([][]string, len(s.parts))
	called := make([]File, len(s.parts))
	s.makeDigests()
	sideBySide(len(s.parts), func(i int) {
		jobs := s.jobsOf(i)
		seen := survey(jobs)
		secrets[i] = seen.facts().secretsToPass()
		root := s.called(i, jobs, secrets[i])
		room := 0
		for _, id := range s.parts[i] {
			room += size[id]
		}
		called[i] = File{s.file(i), s.documentOf(root, seen, room)}
	})
	files := append([]File{{s.name, s.document(s.main(secrets), stays)}}, called...)
	for _, f := range files {
		if len(f.Data) > fileLimit {
			return nil, s.tooLarge(fmt.Sprintf("%s has %d bytes, and GitHub takes %d", f.Name, len(f.Data), fileLimit))
		}
	}
	return files, nil
}

func (s *scaling) tooLarge(what string) *diag.Diagnostic {
	return &diag.Diagnostic{Severity: diag.Error, Code: "pipeline-too-large", Message: "no workflow of GitHub's can be made of this: " + what, Help: "compile the file in several, each with a workflow of its own",
		Position: diag.Position{File: s.Files[0].Name, Line: 1, Column: 1}}
}

// builds are the jobs that can stand in another file, each after those that it needs.
func (s *scaling) builds() []string {
	var out []string
	for _, j := range s.pipeline.Jobs {
		if node := s.node[j.ID]; node != nil && get(node, "steps") != nil {
			out = append(out, j.ID)
			for _, n := range needsOf(node) {
				if l, ok := s.level[n]; ok {
					s.level[j.ID] = max(s.level[j.ID], l+1)
				}
			}
			s.level[j.ID] += 0 // known from here on
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return s.level[a] - s.level[b] })
	return out
}

func needsOf(job *yaml.Node) (needs []string) {
	n := get(job, "needs")
	switch {
	case n == nil:
	case n.Kind == yaml.ScalarNode:
		needs = []string{n.Value}
	default:
		for _, c := range n.Content {
			needs = append(needs, c.Value)
		}
	}
	return needs
}

// divide fills parts level by level; the main workflow keeps the first level where that is small.
func (s *scaling) divide(builds []string, size map[string]int) {
	first := 0
	for _, id := range builds {
		if s.level[id] == 0 {
			first += size[id]
		}
	}
	full, last := 0, -1
	for _, id := range builds {
		if s.level[id] == 0 && first <= stays {
			continue
		}
		if s.level[id] != last || full+size[id] > partSize {
			s.parts, full, last = append(s.parts, nil), 0, s.level[id]
		}
		s.parts[len(s.parts)-1] = append(s.parts[len(s.parts)-1], id)
		full += size[id]
	}
}

// merge joins neighbours as long as there are more parts than any GitHub takes, the smallest first. Neighbours only: the parts are in the order of what needs what, and that keeps them free of circles.
func (s *scaling) merge(size map[string]int) {
	weight := func(part []string) (sum int) {
		for _, id := range part {
			sum += size[id]
		}
		return sum
	}
	for len(s.parts) > fewCalls {
		best, least := -1, partSize+1
		for i := 0; i+1 < len(s.parts); i++ {
			if w := weight(s.parts[i]) + weight(s.parts[i+1]); w < least {
				best, least = i, w
			}
		}
		if best < 0 {
			return
		}
		s.parts[best] = append(s.parts[best], s.parts[best+1]...)
		s.parts = slices.Delete(s.parts, best+1, best+2)
	}
}

// file is the name of a part's file.
func (s *scaling) file(i int) string {
	return strings.Replace(Parts(s.name), "*", fmt.Sprint(i+1), 1)
}

// caller is the main workflow's job for a part, under a name that no other job has.
func (s *scaling) caller(i int) string {
	id := fmt.Sprintf("builds-%d", i+1)
	for s.node[id] != nil {
		id = "all-" + id
	}
	return id
}

// jobsOf are the jobs of a part as they stand in its file.
func (s *scaling) jobsOf(i int) *yaml.Node {
	jobs := mapping()
	for _, id := range s.parts[i] {
		var needs []string
		for _, n := range needsOf(s.node[id]) {
			if part, ok := s.of[n]; ok && part == i {
				needs = append(needs, n)
			}
		}
		jobs.Content = append(jobs.Content, s.key[id], withNeeds(withoutCheck(s.node[id]), needs))
	}
	return jobs
}

// called is the workflow of a part.
func (s *scaling) called(i int, jobs *yaml.Node, secrets []string) *yaml.Node {
	call := empty()
	if len(secrets) > 0 {
		declared := mapping()
		for _, name := range secrets {
			put(declared, name, flow(mapping("required", false)))
		}
		call = mapping("secrets", declared)
	}
	root := mapping("name", fmt.Sprintf("Prefect builds %d", i+1), "on", mapping("workflow_call", call), "permissions", flow(mapping()), "jobs", jobs)
	root.Content[2].Style = 0
	return root
}

// withNeeds is a job that needs others; the job itself stays as it is.
func withNeeds(job *yaml.Node, needs []string) *yaml.Node {
	out := *job
	out.Content = nil
	for k := 0; k < len(job.Content); k += 2 {
		switch {
		case job.Content[k].Value != "needs":
			out.Content = append(out.Content, job.Content[k], job.Content[k+1])
		case needs != nil:
			out.Content = append(out.Content, job.Content[k], texts(needs))
		}
	}
	return &out
}

// withoutCheck is a job whose condition does not ask for check: its call does.
func withoutCheck(job *yaml.Node) *yaml.Node {
	out := *job
	out.Content = append([]*yaml.Node{}, job.Content...)
	for k := 0; k < len(out.Content); k += 2 {
		if out.Content[k].Value == "if" {
			condition := *out.Content[k+1]
			condition.Value = strings.Replace(condition.Value, checked, "", 1)
			out.Content[k+1] = &condition
		}
	}
	return &out
}

// secretsToPass are the secrets that a called workflow reads; GitHub gives it its token by itself.
func (f facts) secretsToPass() []string {
	return slices.DeleteFunc(slices.Clone(f.secrets), func(name string) bool { return name == "GITHUB_TOKEN" })
}

// main is the workflow without what is called, and with the calls.
func (s *scaling) main(secrets [][]string) *yaml.Node {
	jobs := mapping()
	for k := 0; k < len(s.jobs.Content); k += 2 {
		id := s.jobs.Content[k].Value
		part, moved := s.of[id]
		switch {
		case !moved:
			job := s.jobs.Content[k+1]
			jobs.Content = append(jobs.Content, s.jobs.Content[k], withNeeds(s.askCalls(job), s.calls(needsOf(job))))
		case s.parts[part][0] == id:
			put(jobs, s.caller(part), s.call(part, secrets[part]))
			jobs.Content[len(jobs.Content)-2].LineComment = "# " + some(s.parts[part])
		}
	}
	root := mapping()
	for k := 0; k < len(s.root.Content); k += 2 {
		v := s.root.Content[k+1]
		if v == s.jobs {
			v = jobs
		}
		root.Content = append(root.Content, s.root.Content[k], v)
	}
	return root
}

// askCalls is a job whose `results` ask for those of the calls in place of their jobs, which no other file sees.
func (s *scaling) askCalls(job *yaml.Node) *yaml.Node {
	steps := get(job, "steps")
	if steps == nil || !slices.ContainsFunc(steps.Content, func(n *yaml.Node) bool { return get(get(n, "with"), "results") != nil }) {
		return job
	}
	out := deepCopy(job)
	for _, n := range get(out, "steps").Content {
		results := get(get(n, "with"), "results")
		if results == nil {
			continue
		}
		lines := strings.Split(results.Value, "\n")
		for i, line := range lines {
			id, _, _ := strings.Cut(line, "=")
			if part, moved := s.of[id]; moved {
				lines[i] = strings.Replace(line, resultOf(id), resultOf(s.caller(part)), 1)
			}
		}
		results.Value = strings.Join(lines, "\n")
	}
	return out
}

// calls puts the calls of parts in place of their jobs.
func (s *scaling) calls(needs []string) []string {
	var out []string
	for _, n := range needs {
		if part, moved := s.of[n]; moved {
			n = s.caller(part)
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// call is the job that calls a part. What all of its jobs need must have succeeded, unless one is loose; of what only some need, they find out themselves.
func (s *scaling) call(i int, reads []string) *yaml.Node {
	needs, all := []string{"check"}, map[string]int{}
	permissions := mapping()
	loose := s.loose()
	for _, id := range s.parts[i] {
		job := s.node[id]
		for _, n := range s.calls(needsOf(job)) {
			if n != s.caller(i) && !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
		for _, n := range needsOf(job) {
			if !loose[id] {
				all[n]++
			}
		}
		widen(permissions, get(job, "permissions"))
	}
	condition := "!cancelled()"
	for _, n := range needs {
		if _, moved := s.of[n]; !moved && (n == "check" || all[n] == len(s.parts[i])) && s.node[n] != nil {
			condition += " && needs." + n + ".result == 'success'"
		}
	}
	secrets := mapping()
	for _, name := range reads {
		put(secrets, name, text("${{ secrets."+name+" }}"))
	}
	var passed any
	if len(secrets.Content) > 0 {
		passed = secrets
	}
	return mapping("if", "${{ "+condition+" && "+s.lands()+" }}", "needs", needs, "permissions", flow(permissions), "uses", "./.github/workflows/"+s.file(i), "secrets", passed)
}

// loose are the jobs that run whatever became of those that they need.
func (s *scaling) loose() map[string]bool {
	out := map[string]bool{}
	for _, j := range s.pipeline.Jobs {
		out[j.ID] = j.Loose
	}
	return out
}

// widen takes permissions in: a called workflow has no more than its call.
func widen(into, more *yaml.Node) {
	for k := 0; more != nil && more.Kind == yaml.MappingNode && k+1 < len(more.Content); k += 2 {
		key, v := more.Content[k].Value, more.Content[k+1].Value
		switch old := get(into, key); {
		case old == nil:
			put(into, key, text(v))
		case v == "write":
			old.Value = v
		}
	}
}
