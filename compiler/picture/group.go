// Grouping: which members of the graph share a box. A list of ways goes from "each step alone" to "a dozen boxes in all", and the first whose picture fits is taken.
//
// A way gives each member a class, and equal classes are one box. Classes start from what a member is (its function, where it stands, which flow it is for) and how many steps come before it;
// then each is refined by the classes of what it needs and of what needs it, so that an image that is pushed and one that is not stay apart. The depth is part of every class, so a need always
// leads from a lesser depth to a greater one, and boxes can't need each other in a circle. Order alone can: image 1, push 1, image 2, push 2 makes "2 images" and "2 pushes" wait for each other.
// Such an edge is kept and marked (see Edge.Back), because it is true.
package picture

import (
	"slices"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

const (
	mostBoxes = 60
	mostEdges = 120 // also well below what Mermaid takes
	// bands are what is left of the depths where nothing else helps.
	bands = 12
)

// member is a step or a registration, by number: steps first, both in the graph's order.
type member struct {
	step         *graph.Step
	registration *graph.Registration
	kind         Kind
	file, flow   string
	depth        int // steps that come before it, along its longest chain of needs
	needs, after []int
	needed       []int
}

func membersOf(g *graph.Graph) []member {
	out := make([]member, 0, len(g.Steps)+len(g.Registrations))
	at := make(map[*graph.Step]int, len(g.Steps))
	numbers := func(steps []*graph.Step) (list []int) {
		for _, s := range steps {
			if n, ok := at[s]; ok {
				list = append(list, n)
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	for _, s := range g.Steps {
		m := member{step: s, kind: kindOf(s), file: s.File, flow: flowOf(s.Deployments), needs: numbers(s.Needs), after: numbers(s.After)}
		at[s] = len(out)
		out = append(out, m)
	}
	for _, r := range g.Registrations {
		out = append(out, member{registration: r, kind: Registration, file: r.File, flow: flowOf([]string{r.Deployment}), needs: numbers(r.Steps)})
	}
	for i := range out {
		for _, n := range out[i].needs {
			out[n].needed = append(out[n].needed, i)
			out[i].depth = max(out[i].depth, out[n].depth+1)
		}
	}
	return out
}

// flowOf is the one flow of some deployments, "" for several.
func flowOf(deployments []string) string {
	one := ""
	for i, d := range deployments {
		flow, _, _ := strings.Cut(d, "/")
		if i > 0 && flow != one {
			return ""
		}
		one = flow
	}
	return one
}

// way says what keeps members apart.
type way struct {
	each, file, flow, function, kind, depth bool
	rounds                                  int // of refinement
}

// ways go from fine to coarse.
var ways = []way{
	{each: true, file: true, rounds: 1},
	{file: true, flow: true, function: true, kind: true, depth: true, rounds: 2},
	{file: true, function: true, kind: true, depth: true, rounds: 2},
	{function: true, kind: true, depth: true, rounds: 2},
	{file: true, kind: true, depth: true},
	{kind: true, depth: true},
	{},
}

// grouped takes the first way that fits; the last always does.
func grouped(members []member) *Picture {
	for i, w := range ways {
		class, n := w.classes(members)
		last := i == len(ways)-1
		if n > mostBoxes && !last {
			continue
		}
		p := &Picture{Boxes: boxes(members, class, n)}
		p.Edges = edges(members, class, p.Boxes)
		if len(p.Edges) <= mostEdges || last {
			return p
		}
	}
	return &Picture{}
}

// classes numbers the classes in the order in which they are first met.
func (w way) classes(members []member) (class []int, n int) {
	class = make([]int, len(members))
	deepest := 0
	for i := range members {
		deepest = max(deepest, members[i].depth)
	}
	number := numbering()
	for i := range members {
		class[i] = number(w.first(i, &members[i], deepest))
	}
	for range w.rounds {
		number = numbering()
		next := make([]int, len(members))
		for i := range members {
			key := strconv.AppendInt(nil, int64(class[i]), 10)
			key = appendNumbers(append(key, '<'), distinct(class, members[i].needs))
			next[i] = number(string(appendNumbers(append(key, '>'), distinct(class, members[i].needed))))
		}
		class = next
	}
	for _, c := range class {
		n = max(n, c+1)
	}
	return class, n
}

func appendNumbers(key []byte, list []int) []byte {
	for _, n := range list {
		key = append(strconv.AppendInt(key, int64(n), 10), ' ')
	}
	return key
}

func numbering() func(string) int {
	numbers := map[string]int{}
	return func(key string) int {
		n, ok := numbers[key]
		if !ok {
			n = len(numbers)
			numbers[key] = n
		}
		return n
	}
}

// first is a member's class before any refinement.
func (w way) first(i int, m *member, deepest int) string {
	key := []string{""}
	add := func(wanted bool, part string) {
		if wanted {
			key = append(key, part)
		}
	}
	add(w.file, m.file)
	add(w.flow, m.flow)
	if m.step == nil {
		return "registration " + strings.Join(key, "\x00")
	}
	add(w.each, strconv.Itoa(i))
	add(w.function, m.step.Action+" "+resolve.Canonical(m.step.Function))
	add(w.kind, strconv.Itoa(int(m.kind)))
	add(w.depth, strconv.Itoa(m.depth))
	add(!w.depth && !w.each, strconv.Itoa(m.depth*bands/(deepest+1)))
	return "step " + strings.Join(key, "\x00")
}

func distinct(class, list []int) []int {
	out := make([]int, len(list))
	for i, n := range list {
		out[i] = class[n]
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func boxes(members []member, class []int, n int) []Box {
	out := make([]Box, n)
	for i := range members {
		b, m := &out[class[i]], &members[i]
		switch {
		case b.size() == 0:
			b.Kind, b.File = m.kind, m.file
		case b.Kind != m.kind:
			b.Kind = Step
		}
		if b.File != m.file {
			b.File = ""
		}
		if m.step != nil {
			b.Steps = append(b.Steps, m.step)
		} else {
			b.Registrations = append(b.Registrations, m.registration)
		}
	}
	return out
}

// edges are those between boxes, without the ones that others say already.
func edges(members []member, class []int, boxes []Box) []Edge {
	n := len(boxes)
	needs, after := newMatrix(n), newMatrix(n)
	for i := range members {
		to := class[i]
		for _, from := range members[i].needs {
			needs[class[from]][to] = true
		}
		for _, from := range members[i].after {
			after[class[from]][to] = true
		}
	}
	for i := range boxes {
		boxes[i].ordered = needs[i][i] || after[i][i]
		needs[i][i], after[i][i] = false, false
	}
	return reduce(needs, after)
}

type matrix [][]bool

func newMatrix(n int) matrix {
	m := make(matrix, n)
	cells := make([]bool, n*n)
	for i := range m {
		m[i], cells = cells[:n], cells[n:]
	}
	return m
}

// join adds an edge to a matrix that holds all paths.
func (m matrix) join(from, to int) {
	if m[from][to] {
		return
	}
	for x := range m {
		if x != from && !m[x][from] {
			continue
		}
		for y := range m {
			m[x][y] = m[x][y] || y == to || m[to][y]
		}
	}
}

// through reports a path of at least two edges.
func (m matrix) through(from, to int) bool {
	for c := range m {
		if m[from][c] && m[c][to] {
			return true
		}
	}
	return false
}

// each calls f for all edges of a matrix in order.
func (m matrix) each(f func(from, to int)) {
	for a := range m {
		for b := range m[a] {
			if m[a][b] {
				f(a, b)
			}
		}
	}
}

// reduce drops a need that follows from needs, and an order that follows from anything.
func reduce(needs, after matrix) []Edge {
	needPaths, paths := newMatrix(len(needs)), newMatrix(len(needs))
	needs.each(needPaths.join)
	needs.each(paths.join)
	var out []Edge
	needs.each(func(a, b int) {
		if !needPaths.through(a, b) {
			out = append(out, Edge{From: a, To: b})
		}
	})
	back, forward, shown := newMatrix(len(needs)), newMatrix(len(needs)), newMatrix(len(needs))
	after.each(func(a, b int) {
		if paths[b][a] {
			back[a][b] = true
			return
		}
		forward[a][b] = !needs[a][b]
		paths.join(a, b)
	})
	forward.each(func(a, b int) {
		if !paths.through(a, b) {
			out = append(out, Edge{From: a, To: b, Order: true, Both: back[b][a]})
			shown[b][a] = true
		}
	})
	back.each(func(a, b int) {
		if !shown[a][b] && !said(back, paths, a, b) {
			out = append(out, Edge{From: b, To: a, Order: true, Back: true})
		}
	})
	return out
}

// said reports whether a way back from a to b follows from another one, with paths before and after it.
func said(back, paths matrix, a, b int) bool {
	for c := range back {
		for d := range back {
			if back[c][d] && (c != a || d != b) && (c == a || paths[a][c]) && (d == b || paths[d][b]) {
				return true
			}
		}
	}
	return false
}
