package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Build makes the graph of the deployments. name gives a deployment's full name (flow/name) as people see it.
func Build(deployments []*resolve.Deployment, name func(*resolve.Deployment) string) *Graph {
	b := builder{graph: &Graph{}, era: 1, nodes: map[[sha256.Size]byte]*node{}, names: map[string]bool{}, order: map[*Step]int{}, dockerfiles: map[string][]byte{}}
	for i, d := range deployments {
		full := name(d)
		l := list{builder: &b, deployment: d, name: full}
		l.walk("build", d.Build)
		l.walk("push", d.Push)
		for i := range d.Pull {
			l.credentials(d.Pull[i].Inputs)
		}
		r := &Registration{Deployment: full, Index: i, File: d.File.Name, Pos: d.Spec.Pos, Entrypoint: d.Entrypoint()}
		for _, n := range l.nodes {
			r.Steps = append(r.Steps, n.step)
		}
		b.graph.Registrations = append(b.graph.Registrations, r)
	}
	return b.graph
}

type builder struct {
	graph *Graph
	nodes map[[sha256.Size]byte]*node // by digest
	text  []byte                      // what the last digest was made of
	names map[string]bool
	order map[*Step]int
	// barrier is the last node that touches everything; reads and writes tell of the nodes made after it who touches what. Who comes later needs only these.
	barrier       *node
	reads, writes touched
	// era counts the barriers.
	era int
	// dockerfiles are those that were read, by their paths.
	dockerfiles map[string][]byte
}

type node struct {
	step    *Step
	effects effects
	era     int
	// means is the step in a text of another one (Source).
	means string
}

// list is one deployment's walk through its steps.
type list struct {
	*builder
	deployment *resolve.Deployment
	name       string
	nodes      []*node
	directory  []*node
}

func (l *list) walk(action string, steps []spec.Step) {
	for i := range steps {
		n := l.intern(action, &steps[i])
		if len(n.step.Deployments) == 0 || n.step.Deployments[len(n.step.Deployments)-1] != l.name {
			n.step.Deployments = append(n.step.Deployments, l.name)
		}
		l.credentials(steps[i].Inputs)
		l.nodes = append(l.nodes, n)
		if resolve.Canonical(steps[i].Function) == resolve.SetWorkingDirectory {
			l.directory = append(l.directory, n)
		}
	}
}

// intern returns the node of a step: a new one, or the one that is the same and depends on the same.
func (l *list) intern(action string, s *spec.Step) *node {
	upstream := l.upstream(s)
	e := effectsOf(l.deployment.File, s)
	shown := len(e.writes)
	e.writes = append(e.writes[:shown:shown], l.sameImages(s.Function, e.writes)...)
	consumed := l.consumed(e)
	bases, known, certain := l.bases(s)
	e.reads = append(e.reads[:len(e.reads):len(e.reads)], bases...)
	if certain {
		consumed = l.consumed(e)
	}
	digest := l.digest(s, upstream, consumed)
	if n, ok := l.builder.nodes[digest]; ok {
		n.step.Sensitive = n.step.Sensitive || sensitive(l.deployment.File, s) // another file may be the only one that says so
		n.step.Always = n.step.Always || always(l.deployment.File, s)
		return n
	}
	n := &node{effects: e, means: Source(s.Function, Meaning(s.Inputs, l.source)), step: &Step{Digest: hex.EncodeToString(digest[:]), Action: action, Function: s.Function, Requires: s.Requires, Inputs: s.Inputs,
		File: l.deployment.File.Name, Pos: s.Pos, Root: l.deployment.File.Root(), Upstream: stepsOf(upstream), Directory: stepsOf(l.directory),
		Reads: e.reads, Writes: e.writes[:shown:shown], Bases: known, Sensitive: sensitive(l.deployment.File, s), TagInputs: TagsInputs(l.deployment.File, s), Always: always(l.deployment.File, s)}}
	if s.ID.Truthy() {
		n.step.ID = s.ID.Str()
	}
	n.step.Key = l.key(n.step)
	n.step.Needs, n.step.After = l.needs(n, upstream)
	l.builder.nodes[digest] = n
	l.order[n.step] = len(l.graph.Steps)
	l.graph.Steps = append(l.graph.Steps, n.step)
	return n
}

// upstream are the earlier steps of the list whose outputs the inputs refer to. For a reference that only an unknown function may fill, that is every such function.
func (l *list) upstream(s *spec.Step) []*node {
	if len(l.nodes) == 0 {
		return nil
	}
	var wanted map[*node]bool
	template.Walk(s.Inputs, func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			if p.Kind != template.Output {
				continue
			}
			if wanted == nil {
				wanted = map[*node]bool{}
			}
			l.sources(resolve.Head(p.Name), wanted)
		}
	})
	if len(wanted) == 0 {
		return nil
	}
	var out []*node
	for _, n := range l.nodes {
		if wanted[n] {
			out = append(out, n)
			delete(wanted, n) // a step that stands twice in a list
		}
	}
	return out
}

func (l *list) sources(head string, wanted map[*node]bool) {
	for i := len(l.nodes) - 1; i >= 0; i-- {
		n := l.nodes[i]
		written := spec.Step{Function: n.step.Function}
		if n.step.ID != "" {
			written.ID = value.Of(n.step.ID)
		}
		sure, maybe := resolve.Gives(&written, head)
		if sure || maybe {
			wanted[n] = true
		}
		if sure {
			return
		}
	}
}

// consumed are the earlier steps of the list that write what this one touches.
func (l *list) consumed(e effects) []*node {
	var out []*node
	for _, n := range l.nodes {
		if meet(n.effects.writes, e.reads) || meet(n.effects.writes, e.writes) {
			out = append(out, n)
		}
	}
	return out
}

// digest is what the step is and depends on. References to outputs stand in it as the digests of the nodes that fill them.
func (l *list) digest(s *spec.Step, upstream, consumed []*node) [sha256.Size]byte {
	b := l.text[:0]
	field := func(parts ...string) {
		for _, p := range parts {
			b = append(append(b, p...), 0)
		}
		b = append(b, 1)
	}
	root, _ := l.deployment.File.CI.Get("root")
	where := ""
	if root.Text == "file" {
		where = l.deployment.File.Name
	}
	id := "" // part of what a step is: its outputs are known under it
	if s.ID.Truthy() {
		id = s.ID.Str()
	}
	field("1", resolve.Canonical(s.Function), where, id, strings.Join(s.Requires, "\x02"))
	b = append(sorted(s.Inputs).AppendJSON(b), 0, 1)
	if e, ok := declared(l.deployment.File, s); ok { // two files may say different things of one step: its order is then not the same either
		field("effects", strings.Join(e.reads, "\x02"), strings.Join(e.writes, "\x02"))
	}
	if TagsInputs(l.deployment.File, s) {
		field("tag", "inputs")
	}
	for _, group := range [][]*node{upstream, consumed, l.directory} {
		for _, n := range group {
			b = append(append(b, n.step.Digest...), 0)
		}
		b = append(b, 1)
	}
	l.text = b
	return sha256.Sum256(b)
}

// sorted orders the top-level arguments, whose order means nothing.
func sorted(v value.Value) value.Value {
	if slices.IsSortedFunc(v.Map, func(a, b value.Entry) int { return strings.Compare(a.Key, b.Key) }) {
		return v
	}
	entries := append([]value.Entry(nil), v.Map...)
	for i := 1; i < len(entries); i++ {
		for j := i; j > 0 && entries[j].Key < entries[j-1].Key; j-- {
			entries[j], entries[j-1] = entries[j-1], entries[j]
		}
	}
	v.Map = entries
	return v
}

// needs are the data and the effects: all that must be done before. Of what came before a step that touches everything, that step alone is named.
func (l *list) needs(n *node, upstream []*node) (needs, after []*Step) {
	wanted := map[*Step]bool{}
	for _, u := range upstream {
		wanted[u.step] = true
	}
	for _, d := range l.directory {
		wanted[d.step] = true
	}
	own := map[*node]bool{}
	for _, m := range l.nodes {
		own[m] = true
	}
	for _, m := range l.nodes { // what came before the barrier is named by it, if the barrier is this list's own
		if clash(m.effects, n.effects) && (!own[l.barrier] || m == l.barrier || m.era == l.era) {
			wanted[m.step] = true
		}
	}
	loose := map[*Step]bool{}
	if l.barrier != nil && clash(l.barrier.effects, n.effects) {
		loose[l.barrier.step] = !wanted[l.barrier.step]
	}
	l.clashing(n, func(m *node) { loose[m.step] = !wanted[m.step] })
	l.remember(n)
	return l.inOrder(wanted), l.inOrder(loose)
}

// clashing visits the nodes since the barrier whose effects meet those of a node.
func (b *builder) clashing(n *node, visit func(*node)) {
	for _, w := range n.effects.writes {
		b.reads.meeting(w, visit)
		b.writes.meeting(w, visit)
	}
	for _, r := range n.effects.reads {
		b.writes.meeting(r, visit)
	}
}

// remember takes a node in; one that touches everything is the new barrier.
func (b *builder) remember(n *node) {
	if slices.Contains(n.effects.writes, Everything) {
		b.barrier, b.reads, b.writes = n, touched{}, touched{}
		b.era++
		return
	}
	n.era = b.era
	for _, r := range n.effects.reads {
		b.reads.add(r, n)
	}
	for _, w := range n.effects.writes {
		b.writes.add(w, n)
	}
}

// inOrder lists the steps of a set in the graph's order.
func (b *builder) inOrder(set map[*Step]bool) []*Step {
	out := make([]*Step, 0, len(set))
	for s, in := range set {
		if in {
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool { return b.order[out[i]] < b.order[out[j]] })
	return out
}

func stepsOf(nodes []*node) []*Step {
	var out []*Step
	for _, n := range nodes {
		out = append(out, n.step)
	}
	return out
}

// key makes the name that people see: the id, else what is built or pushed, else the function; a second one of a name gets a part of the digest.
func (b *builder) key(s *Step) string {
	name := s.ID
	if name == "" {
		switch resolve.Canonical(s.Function) {
		case resolve.BuildDockerImage:
			name = "build-" + lastSegment(text(s.Inputs, "image_name"))
		case resolve.PushDockerImage:
			name = "push-" + lastSegment(pushed(s))
		default:
			name = resolve.ShortName(s.Function)
		}
	}
	name = slug(name)
	for width := 0; ; width += 6 {
		candidate := name
		if width > 0 {
			candidate = name + "-" + s.Digest[:min(width, len(s.Digest))]
		}
		if !b.names[candidate] {
			b.names[candidate] = true
			return candidate
		}
	}
}

// pushed is the image that a push names: where it refers to a build, that build's.
func pushed(s *Step) string {
	name := text(s.Inputs, "image_name")
	if template.Has(name) {
		for _, u := range s.Upstream {
			if resolve.Canonical(u.Function) == resolve.BuildDockerImage {
				return text(u.Inputs, "image_name")
			}
		}
	}
	return name
}

func lastSegment(image string) string {
	if strings.Contains(image, "{{") {
		return "image"
	}
	return image[strings.LastIndexByte(image, '/')+1:]
}

// slug keeps letters, digits, - and _ and turns everything else into one -.
func slug(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range s {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			b.WriteRune(r)
			dash = false
		} else if !dash && b.Len() > 0 {
			b.WriteByte('-')
			dash = true
		}
	}
	out := strings.TrimRight(b.String(), "-")
	if out == "" {
		return "step"
	}
	return out
}
