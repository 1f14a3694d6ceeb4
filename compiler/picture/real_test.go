//go:build real

// Mermaid and Graphviz themselves read what is written for them: each node's text as it was meant, each arrow, and nothing that a name could have smuggled in.
package picture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/graph"
)

// seen is what testdata/read.mjs prints for a picture.
type seen struct {
	Mermaid struct {
		Nodes []struct {
			ID, Shape string
			Lines     []string
			Extra     int
		}
		Edges []struct {
			From, To, Kind string
			Dashed         bool
		}
		Config int
	}
	Dot struct {
		Nodes []struct {
			ID    string
			Lines []string
		}
		Edges           []string
		Clusters, Links int
	}
}

// read asks the real programs.
func read(t *testing.T, pictures []*Picture) []seen {
	t.Helper()
	tools := os.Getenv("PICTURE_TOOLS")
	if tools == "" {
		t.Fatal("PICTURE_TOOLS is not set: .ci/setup picture makes such a folder, .cache/picture")
	}
	var input []map[string]string
	for _, p := range pictures {
		input = append(input, map[string]string{"mermaid": string(p.Mermaid(MermaidLimit)), "dot": string(p.Dot())})
	}
	data, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pictures.json")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "read.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	c := exec.Command("node", "--input-type=module", "-", file)
	c.Dir, c.Stdin, c.Stdout, c.Stderr = tools, bytes.NewReader(script), &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var out []seen
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil || len(out) != len(pictures) {
		t.Fatalf("%d of %d pictures, %v\n%s", len(out), len(pictures), err, stderr.String())
	}
	return out
}

func TestInTheRealPrograms(t *testing.T) {
	var pictures []*Picture
	graphs(t, func(t *testing.T, g *graph.Graph) { pictures = append(pictures, Of(g)) })
	nodes, edges := 0, 0
	for i, s := range read(t, pictures) {
		sameInMermaid(t, pictures[i], &s)
		sameInGraphviz(t, pictures[i], &s)
		nodes, edges = nodes+len(s.Mermaid.Nodes), edges+len(s.Mermaid.Edges)
	}
	t.Logf("%d pictures, %d nodes, %d edges", len(pictures), nodes, edges)
}

func sameInMermaid(t *testing.T, p *Picture, s *seen) {
	shapes := []string{Build: "square", Push: "lean_right", Step: "round", Registration: "stadium"}
	if len(s.Mermaid.Nodes) != len(p.Boxes) || len(s.Mermaid.Edges) != len(p.Edges) || s.Mermaid.Config != 0 {
		t.Fatalf("Mermaid sees %d nodes of %d, %d edges of %d, %d settings", len(s.Mermaid.Nodes), len(p.Boxes), len(s.Mermaid.Edges), len(p.Edges), s.Mermaid.Config)
	}
	for i, n := range s.Mermaid.Nodes {
		want := mermaidLines(&p.Boxes[i])
		for k := range want {
			want[k] = clean(want[k])
		}
		if n.ID != fmt.Sprintf("n%d", i) || n.Shape != shapes[p.Boxes[i].Kind] || n.Extra != 0 || !sameLines(n.Lines, want) {
			t.Errorf("Mermaid sees %+v\nwant %q", n, want)
		}
	}
	for i, e := range s.Mermaid.Edges {
		w := p.Edges[i]
		from, to, kind := w.From, w.To, "arrow_point"
		if w.Back {
			from, to = to, from
		}
		if w.Both {
			kind = "double_arrow_point"
		}
		if e.From != fmt.Sprintf("n%d", from) || e.To != fmt.Sprintf("n%d", to) || e.Dashed != w.Order || e.Kind != kind {
			t.Errorf("Mermaid sees %+v, want %+v", e, w)
		}
	}
}

// sameLines compares texts that may have been cut, with blanks as a page shows them.
func sameLines(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		g, w = strings.Join(strings.Fields(g), " "), strings.Join(strings.Fields(w), " ")
		return g == w || strings.HasSuffix(g, "…") && strings.HasPrefix(w, strings.TrimSuffix(g, "…"))
	})
}

func sameInGraphviz(t *testing.T, p *Picture, s *seen) {
	if len(s.Dot.Nodes) != len(p.Boxes) || len(s.Dot.Edges) != len(p.Edges) || s.Dot.Links != 0 {
		t.Fatalf("Graphviz sees %d nodes of %d, %d edges of %d, %d links", len(s.Dot.Nodes), len(p.Boxes), len(s.Dot.Edges), len(p.Edges), s.Dot.Links)
	}
	clusters := 0
	for _, f := range p.Files {
		if len(p.Files) > 1 && slices.ContainsFunc(p.Boxes, func(b Box) bool { return b.File == f }) {
			clusters++
		}
	}
	if s.Dot.Clusters != clusters {
		t.Errorf("Graphviz sees %d clusters, want %d", s.Dot.Clusters, clusters)
	}
	for _, n := range s.Dot.Nodes {
		var i int
		if _, err := fmt.Sscanf(n.ID, "n%d", &i); err != nil || i >= len(p.Boxes) {
			t.Fatalf("Graphviz sees a node %q", n.ID)
		}
		want := slices.DeleteFunc(dotLines(&p.Boxes[i]), func(l string) bool { return l == "" })
		if !sameLines(n.Lines, want) {
			t.Errorf("Graphviz sees %q\nwant %q", n.Lines, want)
		}
	}
	for _, e := range p.Edges {
		if !slices.Contains(s.Dot.Edges, fmt.Sprintf("n%d->n%d", e.From, e.To)) {
			t.Errorf("Graphviz sees no edge %+v", e)
		}
	}
}
