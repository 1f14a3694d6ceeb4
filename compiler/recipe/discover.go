// A deployment for each flow of a tree. The entries are meant to be read and changed, so each says what its flow is and takes; what every entry may have is said once, in the
// first. Names are unique within the file, so that -n NAME means one deployment:
//
//	flows/orders.py:load      load
//	flows/sales.py:main       sales-main        two flows are called main: the file's name tells them apart,
//	old/sales.py:main         old-sales-main    and where it does not, the folders'
//
// What may be no flow at all (a decorator of the project's own that speaks of one) stands in a comment, with the reason.
package recipe

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// Flow is a flow with the name of its deployment.
type Flow struct {
	Name string
	*flow.Flow
}

// NameAll names the deployments of flows, in the order of the flows.
func NameAll(found []*flow.Flow) []Flow {
	out := make([]Flow, len(found))
	for i, f := range found {
		out[i] = Flow{"", f}
	}
	open, taken := make([]int, len(found)), map[string]bool{}
	for i := range open {
		open[i] = i
	}
	for depth := 0; len(open) > 0; depth++ {
		open = nameAt(out, open, depth, taken)
	}
	return out
}

// nameAt names those whose names with so many parts of the path are theirs alone, and returns the others. Where the paths have no more parts, numbers tell them apart.
func nameAt(flows []Flow, open []int, depth int, taken map[string]bool) (left []int) {
	names, count, deeper := map[int]string{}, map[string]int{}, false
	for _, i := range open {
		name, more := nameOf(flows[i].Flow, depth)
		names[i], deeper = name, deeper || more
		count[name]++
	}
	for _, i := range open {
		name := names[i]
		switch {
		case count[name] == 1 && !taken[name]:
			flows[i].Name = name
		case deeper:
			left = append(left, i)
			continue
		default:
			for n := 2; taken[name]; n++ {
				name = names[i] + "-" + strconv.Itoa(n)
			}
			flows[i].Name = name
		}
		taken[flows[i].Name] = true
	}
	return left
}

// nameOf is a flow's name with the last parts of its file's path before it; more tells whether there are further parts.
func nameOf(f *flow.Flow, parts int) (name string, more bool) {
	path := strings.Split(strings.TrimSuffix(path.Clean(f.File), ".py"), "/")
	if len(path) > 1 && path[len(path)-1] == "__init__" {
		path = path[:len(path)-1]
	}
	own := f.Name
	if f.NameUnknown != "" || own == "" {
		own = f.Function
	}
	from := max(len(path)-parts, 0)
	words := append(slices.Clone(path[from:]), own)
	for i, w := range words {
		words[i] = strings.Join(strings.FieldsFunc(strings.Map(nameRune, w), func(r rune) bool { return r == '-' }), "-")
	}
	name = strings.Trim(strings.Join(words, "-"), "-")
	if name == "" {
		name = "flow"
	}
	return name, from > 0
}

// nameRune is what a letter of a path or a flow's name becomes in a deployment's name: one that needs no quotes on a command line.
func nameRune(r rune) rune {
	switch {
	case r == '_' || r == ' ' || r < 0x80 && strings.ContainsRune("/%&<>*?[]{}()\"'`\\|;$#!~,:=+@^\t\n\r\x7f", r) || r < ' ':
		return '-'
	}
	return r
}

// mostTold is how many parameters a comment tells.
const mostTold = 12

// entries writes the deployments.
func (p *Project) entries(b *strings.Builder) {
	written := false
	for i, f := range p.Flows {
		var e strings.Builder
		p.entry(&e, f, !written)
		if i > 0 {
			b.WriteString("\n")
		}
		if f.Unsure != "" {
			b.WriteString("  # Perhaps a flow: " + oneLine(f.Unsure) + ". Take the # away if it is one.\n")
			b.WriteString(commented(e.String()))
			continue
		}
		b.WriteString(e.String())
		written = true
	}
	if !written {
		b.WriteString("  []\n")
	}
}

// Count counts the flows that have a deployment, and those that only may be flows.
func (p *Project) Count() (sure, perhaps int) {
	for _, f := range p.Flows {
		if f.Unsure == "" {
			sure++
		}
	}
	return sure, len(p.Flows) - sure
}

// commented makes comments of lines that stand two spaces in.
func commented(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "  # " + strings.TrimPrefix(strings.TrimPrefix(l, "  "), "# ")
		}
	}
	return strings.Join(lines, "")
}

func (p *Project) entry(b *strings.Builder, f Flow, first bool) {
	if about := oneLine(f.Description); about != "" && f.DescriptionUnknown == "" {
		b.WriteString("  # " + about + "\n")
	}
	if takes := takes(f.Flow); takes != "" {
		b.WriteString("  # Takes " + takes + ".\n")
	}
	b.WriteString("  - name: " + spec.Scalar(f.Name) + "\n    entrypoint: " + spec.Scalar(f.File+":"+f.Function) + "\n")
	if first {
		b.WriteString(hints)
	}
	b.WriteString("    work_pool:\n      name: ")
	if p.Pool == "" {
		b.WriteString("null # PREFECT_DEFAULT_WORK_POOL_NAME or --pool gives it\n")
	} else {
		b.WriteString(spec.Scalar(p.Pool) + "\n")
	}
	if p.Recipe.image {
		b.WriteString("      job_variables:" + image)
	}
}

const hints = `    # What any of these may have as well:
    # schedules: [{cron: "0 6 * * *", timezone: UTC}]
    # parameters: {day: 2024-01-01}
    # tags: [team]
`

// takes lists a flow's parameters: their types as they are written, and which of them must be given.
func takes(f *flow.Flow) string {
	var parts []string
	for i, p := range f.Parameters {
		if i == mostTold {
			parts = append(parts, strconv.Itoa(len(f.Parameters)-i)+" more")
			break
		}
		text := p.Name
		if p.Annotation != "" {
			text += ": " + oneLine(p.Annotation)
		}
		if p.Required {
			text += " (needed)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// longest is where a comment's text is cut.
const longest = 120

// oneLine is the first line of a text, harmless in a comment.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff {
			return ' '
		}
		return r
	}, diag.Clean(line)))
	if runes := []rune(line); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return line
}
