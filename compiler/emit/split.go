// Cutting the graph into jobs. The machine that a job runs on is gone when the job ends, so what a step leaves on it (a changed workspace, an image in the engine, a working directory, packages) binds the
// steps that touch it to the same job; what leaves the machine (a pushed image, a bucket, a printed text) does not. Take
//
//	hash (git rev-parse) ─┬─ build app ─── push app
//	                      └─ build gpu ─── push gpu
//
// `hash` only reads the workspace, so the builds may stand elsewhere and get its output as a file; `push app` needs the image that `build app` left in the engine. Three jobs: hash, build-app, build-gpu. A script of
// which nothing is known may have written anything, so all that follows it and touches the workspace stays with it.
//
// Joining can close a circle of jobs (a → b → c with a and c joined); then b belongs to them too. And a text that must not be shown never leaves its job, so who gives it and who uses it stand in one; where a deployment
// uses it, that is the job that registers.
package emit

import (
	"slices"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// Job is a part of the graph that runs on one machine.
type Job struct {
	// ID is its name: the key of its chief step.
	ID string
	// Steps are its steps in the order in which they run.
	Steps []*graph.Step
	// Needs are the jobs whose outputs or effects its steps wait for, in the pipeline's order.
	Needs []*Job
	// Deployments are the full names of those that have a step of it.
	Deployments []string
	// Apart: its steps are of different deployments, so that one may fail and concern only some of them.
	Apart bool
	// Loose: it runs also when a job that it needs failed, since that may concern only some of its steps, or none.
	Loose bool
	// Stacked: one of its builds begins with an image that another one leaves in the machine's engine. A builder beside the engine, as the platforms have it for the cache, does not see that.
	Stacked bool
}

// Pipeline is what a run of CI does, in no platform's words.
type Pipeline struct {
	// Jobs build and push, each after those it needs.
	Jobs []*Job
	// Last are the steps that run in the job that registers, which waits for all: a deployment uses something of theirs that must not be shown.
	Last          []*graph.Step
	Registrations []*graph.Registration
	// IDs are names for the steps that a platform takes, all different also where case does not count.
	IDs map[*graph.Step]string
	// Hidden are the steps whose outputs must not be shown, with the placeholder that is the reason.
	Hidden map[*graph.Step]string
	// Private are the steps of which something that a builder would have to be told must not be shown, with the placeholder that is the reason.
	Private map[*graph.Step]string
}

// passesHidden reports whether a step of the job uses what another one gave and must not be shown: that never leaves the process, so the job is one call.
func (p *Pipeline) passesHidden(j *Job) bool {
	for _, s := range j.Steps {
		for _, u := range s.Upstream {
			if p.Hidden[u] != "" {
				return true
			}
		}
	}
	return false
}

// Cut makes the pipeline of a graph. deployments are those that the graph was built of: a registration's Index is a place among them.
func Cut(g *graph.Graph, deployments []*resolve.Deployment) *Pipeline {
	c := cutter{graph: g, place: map[*graph.Step]int{}, parent: make([]int, len(g.Steps)+1), hidden: map[*graph.Step]string{}, private: map[*graph.Step]string{}}
	for i, s := range g.Steps {
		c.place[s] = i
	}
	for i := range c.parent {
		c.parent[i] = i
	}
	c.findHidden(deployments)
	c.joinLocal()
	c.joinHidden(deployments)
	c.joinCircles()
	return c.pipeline()
}

type cutter struct {
	graph *graph.Graph
	place map[*graph.Step]int
	// parent is a union-find over the steps; the last place is the job that registers.
	parent []int
	// hidden are the steps whose outputs must not leave their job, and why.
	hidden, private map[*graph.Step]string
}

func (c *cutter) register() int { return len(c.graph.Steps) }

func (c *cutter) find(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

// join makes two places one job; the later stands for it, so that the registering job always stands for itself.
func (c *cutter) join(a, b int) {
	a, b = c.find(a), c.find(b)
	c.parent[min(a, b)] = max(a, b)
}

// joinLocal joins steps that meet on what only their machine has: on the workspace whosever they are, as a later script may read what an earlier one left; on an image or packages only where one needs the other.
// Of the steps that write a resource, only the last so far is held against a new one: they are one job already.
func (c *cutter) joinLocal() {
	touched := local{}
	for i, s := range c.graph.Steps {
		for _, d := range s.Directory {
			c.join(i, c.place[d])
		}
		for _, n := range s.Needs {
			if share(n, s) {
				c.join(i, c.place[n])
			}
		}
		for _, n := range standsOn(s) { // it may be another deployment's
			c.join(i, c.place[n])
		}
		for _, j := range touched.meet(i, s) {
			c.join(i, j)
		}
	}
}

// share reports whether a step uses an image of the machine's engine, or packages of its Python, that another one made.
func share(made, using *graph.Step) bool {
	if resolve.Canonical(made.Function) == resolve.BuildDockerImage && resolve.Canonical(using.Function) == resolve.PushDockerImage && slices.Contains(using.Upstream, made) {
		return true
	}
	if stands(made, using) && slices.Contains(docker.ActionInputs(made.Inputs), "push") {
		return false // whoever builds on it gets it from its registry
	}
	for _, w := range made.Writes {
		if kind, _, _ := strings.Cut(w, ":"); (kind == "docker" || kind == "python") && slices.Contains(using.Reads, w) {
			return true
		}
	}
	return false
}

// stands reports whether a build begins with the image of another one.
func stands(made, using *graph.Step) bool {
	return resolve.Canonical(made.Function) == resolve.BuildDockerImage && resolve.Canonical(using.Function) == resolve.BuildDockerImage && slices.ContainsFunc(made.Writes, func(w string) bool { return slices.Contains(using.Reads, w) })
}

// stacked reports whether a build of some steps begins with an image that another one leaves in the machine's engine.
func stacked(steps []*graph.Step) bool {
	return slices.ContainsFunc(steps, func(s *graph.Step) bool { return len(standsOn(s)) > 0 })
}

// standsOn are the builds before a build whose images it begins with and finds only in the engine.
func standsOn(s *graph.Step) (on []*graph.Step) {
	if resolve.Canonical(s.Function) != resolve.BuildDockerImage || !slices.ContainsFunc(s.Reads, func(r string) bool { return strings.HasPrefix(r, "docker:") }) {
		return nil
	}
	for _, n := range before(s) {
		if stands(n, s) && share(n, s) {
			on = append(on, n)
		}
	}
	return on
}

// local remembers, for each resource of a machine, who wrote it last and who read it since.
type local map[string]*touch

type touch struct {
	writer  int
	written bool
	readers []int
}

// readsImage reports whether a later step of a job may want the image of a build in the machine's engine. A builder that pushes leaves none there by itself.
func (p *Pipeline) readsImage(j *Job, build *graph.Step) bool {
	at := slices.Index(j.Steps, build)
	return slices.ContainsFunc(j.Steps[at+1:], func(s *graph.Step) bool { return share(build, s) || slices.Contains(s.Reads, graph.Everything) })
}

// meet returns the earlier steps that a step meets, and takes it in.
func (l local) meet(place int, s *graph.Step) (out []int) {
	for _, w := range localOnly(s.Writes) {
		for name, t := range l {
			if overlaps(name, w) {
				out = append(out, t.readers...)
				if t.written {
					out = append(out, t.writer)
				}
			}
		}
	}
	for _, r := range localOnly(s.Reads) {
		for name, t := range l {
			if t.written && overlaps(name, r) {
				out = append(out, t.writer)
			}
		}
	}
	for _, r := range localOnly(s.Reads) {
		t := l.at(r)
		t.readers = append(t.readers, place)
	}
	for _, w := range localOnly(s.Writes) {
		*l.at(w) = touch{writer: place, written: true}
	}
	return out
}

func (l local) at(name string) *touch {
	if l[name] == nil {
		l[name] = &touch{}
	}
	return l[name]
}

// localOnly leaves out what is not on the machine (registries and buckets) and what is looked at otherwise: images and packages (share), directories (Step.Directory).
func localOnly(resources []string) []string {
	var out []string
	for _, r := range resources {
		switch kind, _, _ := strings.Cut(r, ":"); kind {
		case "registry", "s3", "gs", "az", "docker", "python", "env":
		default:
			out = append(out, r)
		}
	}
	return out
}

// overlaps: equal, a part of the other, or everything.
func overlaps(a, b string) bool {
	return a == b || a == graph.Everything || b == graph.Everything || strings.HasPrefix(a, b+":") || strings.HasPrefix(b, a+":")
}

// before are the steps that a step waits for.
func before(s *graph.Step) []*graph.Step {
	return append(s.Needs[:len(s.Needs):len(s.Needs)], s.After...)
}

// joinCircles joins the jobs of each circle, until none is left. Joining can only make a circle through a job that stands before one of its own steps' needs, so one pass over the strongly
// connected parts is enough.
func (c *cutter) joinCircles() {
	next := map[int][]int{}
	for i, s := range c.graph.Steps {
		for _, n := range before(s) {
			if a, b := c.find(c.place[n]), c.find(i); a != b {
				next[a] = append(next[a], b)
			}
		}
	}
	for i := range c.graph.Steps { // everything is registered in the end, and nothing waits for that but what stands in its job
		if c.find(i) != c.register() {
			next[c.find(i)] = append(next[c.find(i)], c.register())
		}
	}
	for _, part := range components(len(c.parent), next) {
		for _, i := range part[1:] {
			c.join(part[0], i)
		}
	}
}

// components are the strongly connected parts of a graph over 0…n-1 (Tarjan's algorithm, with a stack of its own as chains may be long).
func components(n int, next map[int][]int) [][]int {
	t := tarjan{next: next, index: make([]int, n), low: make([]int, n), on: make([]bool, n)}
	for i := range n {
		if t.index[i] == 0 {
			t.visit(i)
		}
	}
	return t.parts
}

type tarjan struct {
	next       map[int][]int
	index, low []int
	on         []bool
	stack      []int
	count      int
	parts      [][]int
}

type frame struct{ node, edge int }

func (t *tarjan) enter(i int) frame {
	t.count++
	t.index[i], t.low[i], t.on[i] = t.count, t.count, true
	t.stack = append(t.stack, i)
	return frame{node: i}
}

func (t *tarjan) visit(start int) {
	frames := []frame{t.enter(start)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if f.edge < len(t.next[f.node]) {
			to := t.next[f.node][f.edge]
			f.edge++
			switch {
			case t.index[to] == 0:
				frames = append(frames, t.enter(to))
			case t.on[to]:
				t.low[f.node] = min(t.low[f.node], t.index[to])
			}
			continue
		}
		done := f.node
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			up := frames[len(frames)-1].node
			t.low[up] = min(t.low[up], t.low[done])
		}
		if t.low[done] == t.index[done] {
			t.leave(done)
		}
	}
}

func (t *tarjan) leave(root int) {
	var part []int
	for {
		i := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.on[i] = false
		part = append(part, i)
		if i == root {
			break
		}
	}
	t.parts = append(t.parts, part)
}

// pipeline collects the jobs.
func (c *cutter) pipeline() *Pipeline {
	p := &Pipeline{Registrations: c.graph.Registrations, Hidden: c.hidden, Private: c.private}
	jobs := map[int]*Job{}
	for i, s := range c.graph.Steps {
		of := c.find(i)
		if of == c.register() {
			p.Last = append(p.Last, s)
			continue
		}
		if jobs[of] == nil {
			jobs[of] = &Job{}
			p.Jobs = append(p.Jobs, jobs[of])
		}
		jobs[of].Steps = append(jobs[of].Steps, s)
	}
	c.needs(p, jobs)
	p.Jobs = inOrder(p.Jobs)
	p.IDs = identifiers(c.graph.Steps)
	p.name()
	p.tellApart()
	return p
}

// tellApart finds the jobs in which, or before which, a step may fail that concerns only some deployments. Where all steps of a job are of the same deployments, a failure of one takes all of these with it, and plain order does.
// Looseness goes on to who needs such a job: GitHub's success() asks all jobs before, not only those that are needed.
func (p *Pipeline) tellApart() {
	of := map[*graph.Step]*Job{}
	for _, j := range p.Jobs {
		j.Stacked = stacked(j.Steps)
		wanted := map[*Job]bool{}
		for _, s := range j.Steps {
			of[s] = j
			j.Apart = j.Apart || !sameNames(s.Deployments, j.Steps[0].Deployments)
			for _, n := range s.Needs {
				wanted[of[n]] = true
			}
		}
		for _, n := range j.Needs {
			j.Loose = j.Loose || j.Apart || n.Apart || n.Loose || !wanted[n]
		}
	}
}

func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	in := make(map[string]bool, len(a))
	for _, name := range a {
		in[name] = true
	}
	return !slices.ContainsFunc(b, func(name string) bool { return !in[name] })
}

// needs fills who waits for whom, and whose the jobs are.
func (c *cutter) needs(p *Pipeline, jobs map[int]*Job) {
	place := map[*Job]int{}
	for i, j := range p.Jobs {
		place[j] = i
	}
	for of, j := range jobs {
		wanted, names := map[*Job]bool{}, map[string]bool{}
		for _, s := range j.Steps {
			for _, n := range before(s) {
				if other := c.find(c.place[n]); other != of {
					wanted[jobs[other]] = true
				}
			}
			for _, d := range s.Deployments {
				if !names[d] {
					names[d] = true
					j.Deployments = append(j.Deployments, d)
				}
			}
		}
		for other := range wanted {
			j.Needs = append(j.Needs, other)
		}
		sort.Slice(j.Needs, func(a, b int) bool { return place[j.Needs[a]] < place[j.Needs[b]] })
	}
}

// inOrder puts each job after those that it needs, else as the file has them.
func inOrder(jobs []*Job) []*Job {
	var out []*Job
	done := map[*Job]bool{}
	var put func(j *Job)
	put = func(j *Job) {
		if done[j] {
			return
		}
		done[j] = true
		for _, n := range j.Needs {
			put(n)
		}
		out = append(out, j)
	}
	for _, j := range jobs {
		put(j)
	}
	place := map[*Job]int{}
	for i, o := range out {
		place[o] = i
	}
	for _, j := range out {
		sort.Slice(j.Needs, func(a, b int) bool { return place[j.Needs[a]] < place[j.Needs[b]] })
	}
	return out
}

// reserved are the names of the jobs that every pipeline has.
var reserved = []string{"check", "plan", "register", "prefect"}

// name names jobs after the image that they build, else what they push, else their first step.
func (p *Pipeline) name() {
	taken := map[string]bool{}
	for _, r := range reserved {
		taken[r] = true
	}
	for _, j := range p.Jobs {
		chief := j.Steps[0]
		for _, s := range j.Steps {
			if rank(s) > rank(chief) {
				chief = s
			}
		}
		j.ID = different(p.IDs[chief], chief.Digest, taken)
	}
}

func rank(s *graph.Step) int {
	switch resolve.Canonical(s.Function) {
	case resolve.BuildDockerImage:
		return 3
	case resolve.PushDockerImage:
		return 2
	}
	if s.Action == "push" {
		return 1
	}
	return 0
}

// identifiers names steps. A step that is written in several parts has an identifier for each (lower.go), so those are taken too.
func identifiers(steps []*graph.Step) map[*graph.Step]string {
	ids, taken := map[*graph.Step]string{}, map[string]bool{}
	for _, s := range steps {
		id := different(identifier(s.Key), s.Digest, taken)
		for _, part := range parts {
			taken[strings.ToLower(id+part)] = true
		}
		ids[s] = id
	}
	return ids
}

// parts are what the identifiers of a step's parts end in.
var parts = []string{"-inputs", "-build"}

// different is the name, or with a part of the digest where it, or that of a part, is taken; then it is taken.
func different(name, digest string, taken map[string]bool) string {
	out := name
	for width := 6; taken[strings.ToLower(out)] || slices.ContainsFunc(parts, func(part string) bool { return taken[strings.ToLower(out+part)] }); width += 6 {
		out = name + "-" + digest[:min(width, len(digest))]
	}
	taken[strings.ToLower(out)] = true
	return out
}

// identifier is a name that both platforms take for a job or a step: letters, digits, - and _, not beginning with a digit, - or __. GitHub takes 100 bytes; that leaves room for what is put behind it.
func identifier(key string) string {
	if key[0] != '_' && (key[0] < 'A' || key[0] > 'Z') && (key[0] < 'a' || key[0] > 'z') {
		key = "_" + key
	}
	if strings.HasPrefix(key, "__") {
		key = "s" + key
	}
	return key[:min(len(key), 60)]
}
