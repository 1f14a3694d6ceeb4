// What has to hold of every picture, on made-up graphs of all sizes and shapes: nothing overlaps, no text leaves its box, nothing of the graph is missing, the same bytes each time, and no name
// breaks out of a printer's language. real_test.go asks the real programs.
package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// hostile are names that mean something to someone who reads them.
var hostile = []string{`"]; click n0 "javascript:alert(1)"`, "%%{init: {'theme':'dark'}}%%", "<script>alert(1)</script>", "a\nb", "\x00\x1b[31m", "&amp;#34;", "`**md**`", "1. list", "- item", "end", "\\N\\", `\"`,
	"]]>", "\u202e\u0000txt", "\xff\xfe", "￾￿", "𒐫﷽", "שלום", "日本語の長い名前がここにあります", "subgraph x", "n1 --> n2", "#quot;", "{{ secret }}", strings.Repeat("W", 400), strings.Repeat("i ", 300), "graph TD;A-->B", "a|b", "@{shape: x}", "$$x^2$$", "", "  "}

// made is a graph of so many nodes. shape 0 is what files look like, 1 is anything, 2 is one long list of steps, 3 are files that know nothing of each other.
func made(r *rand.Rand, nodes, shape int, name func(i int) string) *graph.Graph {
	g := &graph.Graph{}
	functions := []string{resolve.RunShellScript, resolve.BuildDockerImage, resolve.PushDockerImage, "mymodule.steps.custom", "prefect_aws.deployments.steps.push_to_s3"}
	for i := 0; len(g.Steps)+len(g.Registrations) < nodes; i++ {
		file := fmt.Sprintf("team-%d/prefect.yaml", i%(1+shape*3))
		var list []*graph.Step
		for k := range 1 + r.Intn(3) {
			s := &graph.Step{Key: name(len(g.Steps)), Action: []string{"build", "push"}[k/2], Function: functions[(k+r.Intn(2))%len(functions)], File: file, Pos: value.Pos{Line: int32(10*i + k)}, Deployments: []string{name(i) + "/d"}}
			switch {
			case shape == 1:
				s.Needs, s.After = some(r, g.Steps), some(r, g.Steps)
			case shape == 2:
				s.Needs = g.Steps[max(0, len(g.Steps)-1):]
			case len(list) > 0:
				s.Needs = list[len(list)-1:]
			case len(g.Steps) > 0 && shape == 0:
				s.Needs = g.Steps[:1]
			}
			if shape == 0 && i%5 == 4 {
				s.After = g.Steps[max(0, len(g.Steps)-4):len(g.Steps):len(g.Steps)]
			}
			list = append(list, s)
			g.Steps = append(g.Steps, s)
		}
		g.Registrations = append(g.Registrations, &graph.Registration{Deployment: name(i) + "/" + name(i+1), File: file, Steps: list[:r.Intn(len(list)+1)]})
	}
	return g
}

func some(r *rand.Rand, steps []*graph.Step) (out []*graph.Step) {
	for _, s := range steps {
		if r.Intn(len(steps)) < 2 {
			out = append(out, s)
		}
	}
	return out
}

// graphs calls f for some graphs of each size, shape and sort of names.
func graphs(t *testing.T, f func(t *testing.T, g *graph.Graph)) {
	for _, nodes := range []int{0, 1, 5, 50, 500} {
		for shape := range 4 {
			for seed := range int64(6) {
				r := rand.New(rand.NewSource(seed))
				name := func(i int) string { return fmt.Sprintf("name-%d", i) }
				if seed%2 == 1 {
					name = func(i int) string { return hostile[(i+int(seed))%len(hostile)] }
				}
				g := made(r, nodes, shape, name)
				t.Run(fmt.Sprintf("%d nodes, shape %d, seed %d", nodes, shape, seed), func(t *testing.T) { f(t, g) })
			}
		}
	}
}

// TestComplete: each step and registration is in one box; each need is inside a box or a way of solid arrows, each order a way of any; and no more than that is drawn.
func TestComplete(t *testing.T) {
	graphs(t, func(t *testing.T, g *graph.Graph) {
		p := Of(g)
		if len(p.Boxes) > mostBoxes {
			t.Errorf("%d boxes", len(p.Boxes))
		}
		if len(p.Edges) > mostEdges {
			t.Errorf("%d edges", len(p.Edges))
		}
		at := boxOf(t, p, g)
		solid, any := newMatrix(len(p.Boxes)), newMatrix(len(p.Boxes))
		for _, e := range p.Edges {
			from, to := e.From, e.To
			if e.Back {
				from, to = to, from
			}
			any.join(from, to)
			if e.Both {
				any.join(to, from)
			}
			if !e.Order {
				solid.join(from, to)
			}
		}
		needs, all := newMatrix(len(p.Boxes)), newMatrix(len(p.Boxes))
		follow := func(later int, steps []*graph.Step, drawn, real matrix) {
			for _, s := range steps {
				if a := at[s]; a != later {
					real.join(a, later)
					all.join(a, later)
					if !drawn[a][later] {
						t.Fatalf("%s → %s is not drawn", p.Boxes[a].Head, p.Boxes[later].Head)
					}
				}
			}
		}
		for _, s := range g.Steps {
			follow(at[s], s.Needs, solid, needs)
			follow(at[s], s.After, any, all)
		}
		for _, r := range g.Registrations {
			follow(at[r], r.Steps, solid, needs)
		}
		for _, e := range p.Edges {
			if !e.Order && !needs[e.From][e.To] || !e.Back && !all[e.From][e.To] || (e.Back || e.Both) && !all[e.To][e.From] {
				t.Errorf("%+v is drawn and not so", e)
			}
		}
	})
}

func boxOf(t *testing.T, p *Picture, g *graph.Graph) map[any]int {
	at := map[any]int{}
	for i := range p.Boxes {
		for _, s := range p.Boxes[i].Steps {
			at[s] = i
		}
		for _, r := range p.Boxes[i].Registrations {
			at[r] = i
		}
		if b := &p.Boxes[i]; b.size() > 1 && len(b.Names) != b.size() || len(b.Hint) != b.size() {
			t.Errorf("%d members, %d names, %d hints", b.size(), len(b.Names), len(b.Hint))
		}
	}
	if len(at) != len(g.Steps)+len(g.Registrations) {
		t.Fatalf("%d of %d members are in boxes", len(at), len(g.Steps)+len(g.Registrations))
	}
	return at
}

// TestPlaces: boxes stand apart and on the page, and every text fits its box.
func TestPlaces(t *testing.T) {
	graphs(t, func(t *testing.T, g *graph.Graph) {
		d := Of(g).draw()
		for i := range d.cards {
			a := &d.cards[i]
			if a.x < margin || a.y < margin || a.x+a.width+a.behind() > d.width-margin || a.y+a.height+a.behind() > d.height-margin {
				t.Errorf("%q at %d,%d, %d × %d, on a page of %d × %d", a.Head, a.x, a.y, a.width, a.height, d.width, d.height)
			}
			for j := range i {
				if b := &d.cards[j]; a.x < b.x+b.width+b.behind() && b.x < a.x+a.width+a.behind() && a.y < b.y+b.height+b.behind() && b.y < a.y+a.height+a.behind() {
					t.Errorf("%q and %q overlap", a.Head, b.Head)
				}
			}
			room := a.width - insets[a.Kind][0] - insets[a.Kind][1]
			for k, text := range a.texts {
				f := plain
				if k == 0 {
					f = bold
				}
				if f.width(text) > room || headLine+lineHeight*k > a.height-8 {
					t.Errorf("%q is %d wide in line %d, in %d × %d", text, f.width(text), k, room, a.height)
				}
			}
		}
		if w := heading.width(d.title); w > d.width-2*margin {
			t.Errorf("the title is %d wide, of %d", w, d.width)
		}
	})
}

// TestSameBytes: the same each time, whatever order Go's maps are in.
func TestSameBytes(t *testing.T) {
	for _, nodes := range []int{5, 50, 500} {
		for shape := range 4 {
			g := made(rand.New(rand.NewSource(1)), nodes, shape, func(i int) string { return fmt.Sprintf("name-%d", i) })
			first := [3][]byte{Of(g).SVG(), Of(g).Mermaid(MermaidLimit), Of(g).Dot()}
			runs := 20
			if shape > 0 {
				runs = 3
			}
			for range runs {
				again := [3][]byte{Of(g).SVG(), Of(g).Mermaid(MermaidLimit), Of(g).Dot()}
				for i := range first {
					if !bytes.Equal(first[i], again[i]) {
						t.Fatalf("%d nodes, shape %d: printer %d differs", nodes, shape, i)
					}
				}
			}
		}
	}
}

// TestForms: what each printer writes is of a narrow form, whatever the names are.
func TestForms(t *testing.T) {
	graphs(t, func(t *testing.T, g *graph.Graph) { form(t, Of(g)) })
}

func form(t *testing.T, p *Picture) {
	t.Helper()
	svg := p.SVG()
	wellFormedSVG(t, svg)
	mermaid, dot := p.Mermaid(MermaidLimit), p.Dot()
	if len(mermaid) == 0 || len(mermaid) > MermaidLimit {
		t.Errorf("%d bytes of Mermaid", len(mermaid))
	}
	everyLine(t, mermaid, `^(flowchart LR|  n\d+ (-->|-\.->|<-\.->) n\d+|  n\d+(\[/?|\(\[?)"([\pL0-9 ./#;-]|<br/>)*"(/?\]|\]?\)))$`)
	quoted := `"([^"\\]|\\["\\n])*"`
	everyLine(t, dot, `^(digraph \{|\}|  \}|  rankdir=LR;|  (node|edge) \[[a-zA-Z0-9="#, .]*\];|  label=`+quoted+`; labelloc=t; fontname="Helvetica";|  subgraph cluster_\d+ \{|    label=`+quoted+
		`; style="rounded"; color="#8c959f";|  (  )?n\d+ \[label=`+quoted+`, tooltip=`+quoted+`, [a-z0-9="#, .]*\];|  n\d+ -> n\d+( \[style=dashed(, dir=(both|back))?\])?;)$`)
}

func everyLine(t *testing.T, text []byte, pattern string) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Fatal("no valid UTF-8")
	}
	form := regexp.MustCompile(pattern)
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if !form.MatchString(line) {
			t.Fatalf("%q", line)
		}
	}
}

// wellFormedSVG reads the document with another reader of XML than wrote it, and looks at what is in it.
func wellFormedSVG(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !strings.Contains(" svg title desc style rect path text g ", " "+e.Name.Local+" ") {
				t.Fatalf("an element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || a.Name.Local != "xmlns" && strings.Contains(a.Value, ":") {
					t.Fatalf("an attribute %s=%q", a.Name.Local, a.Value)
				}
			}
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Fatalf("%v", e)
		}
	}
}

// TestInputsStayAway: no input of a step is shown anywhere.
func TestInputsStayAway(t *testing.T) {
	secret := value.Value{Map: []value.Entry{{Key: "script", Value: value.Of("hunter2")}}}
	g := &graph.Graph{Steps: []*graph.Step{{Key: "a", Function: "f", Inputs: secret, Requires: []string{"hunter2"}, Reads: []string{"hunter2"}, Writes: []string{"hunter2"}}}}
	p := Of(g)
	for _, out := range [][]byte{p.SVG(), p.Mermaid(MermaidLimit), p.Dot()} {
		if bytes.Contains(out, []byte("hunter2")) {
			t.Errorf("%s", out)
		}
	}
}

func TestGroups(t *testing.T) {
	var g graph.Graph
	hash := &graph.Step{Key: "hash", Function: resolve.RunShellScript}
	g.Steps = append(g.Steps, hash)
	for i := range 200 {
		image := &graph.Step{Key: fmt.Sprintf("image-%d", i), Function: resolve.BuildDockerImage, Needs: []*graph.Step{hash}}
		g.Steps = append(g.Steps, image)
		g.Registrations = append(g.Registrations, &graph.Registration{Deployment: fmt.Sprintf("flow-%d/d", i), Steps: []*graph.Step{hash, image}})
	}
	want := "flowchart LR\n  n0(\"hash\")\n  n1[\"build 200 images<br/>image-0<br/>image-1<br/>image-2<br/>and 197 more\"]\n" +
		"  n2([\"#50;00 deployments<br/>flow-0/d<br/>flow-1/d<br/>flow-2/d<br/>and 197 more\"])\n  n0 --> n1\n  n1 --> n2\n"
	if got := string(Of(&g).Mermaid(MermaidLimit)); got != want {
		t.Errorf("%s", got)
	}
}

// TestTurns: two images that are built and pushed in turn, by steps that keep the file's order: grouped, they wait for each other, and the picture says so.
func TestTurns(t *testing.T) {
	var g graph.Graph
	for i := range 50 {
		a := &graph.Step{Key: fmt.Sprintf("a%d", i), Function: "m.a", After: g.Steps[max(0, len(g.Steps)-1):]}
		b := &graph.Step{Key: fmt.Sprintf("b%d", i), Function: "m.b", Needs: []*graph.Step{a}}
		g.Steps = append(g.Steps, a, b)
	}
	p := Of(&g)
	if len(p.Boxes) != 2 || len(p.Edges) != 2 || p.Edges[0] != (Edge{From: 0, To: 1}) || p.Edges[1] != (Edge{From: 0, To: 1, Order: true, Back: true}) {
		t.Errorf("%d boxes, %+v", len(p.Boxes), p.Edges)
	}
}

func FuzzNames(f *testing.F) {
	for i, h := range hostile {
		f.Add(h, hostile[(i+1)%len(hostile)], uint8(i))
	}
	f.Fuzz(func(t *testing.T, a, b string, n uint8) {
		g := made(rand.New(rand.NewSource(int64(n))), int(n), int(n%4), func(i int) string { return []string{a, b}[i%2] })
		for i, s := range g.Steps {
			s.Function, s.File = []string{a, s.Function}[i%2], []string{b, s.File}[i%2]
		}
		form(t, Of(g))
	})
}
