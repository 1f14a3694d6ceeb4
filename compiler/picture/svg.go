// The picture as an SVG that opens by itself in a browser: no script, no font or style from elsewhere, light or dark as the reader's system is. Every text is cut to its box by a careful measure
// (measure.go), stands in a frame of its own that would clip it if the reader's font is wider still, and is there in full where the pointer rests.
package picture

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

const (
	margin     = 20
	titleRoom  = 40
	legendRoom = 44
	lineHeight = 16
	headLine   = 22 // the headline's base
	widest     = 280
	narrowest  = 84
	stack      = 6 // how far the second outline of a group stands out
	port       = 6
	arrowHead  = 7
	// screen is the width above which layers go down instead of to the right, if that is a good deal narrower.
	screen = 1500
	// mostHints are the lines that a hovering note may have.
	mostHints = 100
)

// insets are the room left and right of a text in its shape.
var insets = [...][2]int{Build: {16, 12}, Push: {12, 20}, Step: {13, 13}, Registration: {18, 18}}

// style is all there is of it. Kinds differ in shape too: a bar at the side, a point, round corners, round ends.
const style = `
svg{color-scheme:light dark;--page:#fff;--ink:#1f2328;--soft:#59636e;--line:#818b98}
.build{--edge:#0072b2;--fill:#e6f2fb}.push{--edge:#c2570c;--fill:#fdeee2}.step{--edge:#6b6480;--fill:#f2f0f7}.deployment{--edge:#00805c;--fill:#e3f5ee}
@media (prefers-color-scheme:dark){svg{--page:#0d1117;--ink:#e6edf3;--soft:#9da7b3;--line:#7d8590}
.build{--edge:#58a6ff;--fill:#11263c}.push{--edge:#f0883e;--fill:#35200f}.step{--edge:#a79fc0;--fill:#24212e}.deployment{--edge:#3fb98f;--fill:#0f2b22}}
text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:11px;fill:var(--soft)}
.page{fill:var(--page)}.shape,.behind{fill:var(--fill);stroke:var(--edge);stroke-width:1.5}.bar{fill:var(--edge)}
.head{font-size:13px;font-weight:600;fill:var(--ink)}.title{font-size:15px;font-weight:600;fill:var(--ink)}
.edge{fill:none;stroke:var(--line);stroke-width:1.5}.order{stroke-dasharray:5 4}.tip{fill:var(--line)}
.link:hover .edge{stroke:var(--ink);stroke-width:2.5}
`

// card is a box with its texts as they will stand, and where.
type card struct {
	*Box
	texts               []string
	width, height, x, y int
}

// drawing is a picture with all its places.
type drawing struct {
	*Picture
	cards         []card
	links         []link
	title         string
	width, height int
}

// link is a drawn edge: its line, and its arrow heads as their tips.
type link struct {
	edge       Edge
	path, tips string
}

// SVG prints the picture.
func (p *Picture) SVG() []byte {
	d := p.draw()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", d.width, d.height, d.width, d.height)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n<style>%s</style>\n", escape(p.Title), escape(p.describe()), style)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d"/>`+"\n", d.width, d.height)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, margin+16, escape(d.title))
	for i := range d.links {
		d.link(&b, &d.links[i])
	}
	for i := range d.cards {
		d.cards[i].print(&b)
	}
	b.WriteString(d.legend())
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// describe says in words what is to be seen.
func (p *Picture) describe() string {
	var kinds [len(kinds)]int
	for i := range p.Boxes {
		kinds[p.Boxes[i].Kind]++
	}
	return fmt.Sprintf("Dependency graph, drawn as %s and %s: builds %d, pushes %d, other steps %d, deployments %d.", plural(len(p.Boxes), "box", "boxes"), diag.Count(len(p.Edges), "arrow"),
		kinds[Build], kinds[Push], kinds[Step], kinds[Registration])
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// draw finds places for everything.
func (p *Picture) draw() *drawing {
	d := &drawing{Picture: p}
	rows := 8
	switch {
	case len(p.Boxes) <= 4:
		rows = 16
	case len(p.Boxes) > 30:
		rows = 2
	case len(p.Boxes) > 8:
		rows = 4
	}
	for i := range p.Boxes {
		d.cards = append(d.cards, cardOf(&p.Boxes[i], rows))
	}
	right, down := d.arranged(false), d.arranged(true)
	if right.length > screen && down.breath*3 < right.length*2 {
		d.place(down, true)
	} else {
		d.place(right, false)
	}
	d.title = heading.fit(p.Title, max(d.width, 900))
	d.width = max(d.width, heading.width(d.title), d.legendWidth()) + 2*margin
	d.height += titleRoom + legendRoom + 2*margin
	return d
}

// cardOf breaks a box's texts into lines and takes their measure.
func cardOf(b *Box, rows int) card {
	c := card{Box: b}
	c.texts = []string{bold.fit(b.Head, widest)}
	if b.Note != "" {
		c.texts = append(c.texts, plain.fit(b.Note, widest))
	}
	if len(b.Names) > 0 {
		c.texts = append(c.texts, plain.lines(b.Names, widest, rows)...)
	}
	c.width = bold.width(c.texts[0])
	for _, t := range c.texts[1:] {
		c.width = max(c.width, plain.width(t))
	}
	inset := insets[b.Kind]
	c.width = (max(c.width, narrowest) + inset[0] + inset[1] + 1) / 2 * 2 // even, to have a middle
	c.height = headLine + lineHeight*(len(c.texts)-1) + 12
	return c
}

// behind is the room for a second outline.
func (c *card) behind() int {
	if c.size() > 1 {
		return stack
	}
	return 0
}

func (d *drawing) arranged(down bool) arrangement {
	var sizes []extent
	for i := range d.cards {
		w, h := d.cards[i].width+d.cards[i].behind(), d.cards[i].height+d.cards[i].behind()
		if down {
			w, h = h, w
		}
		sizes = append(sizes, extent{w, h})
	}
	return arrange(sizes, d.Edges)
}

// place puts the arrangement on the page. Boxes of a layer are of one length, so that no edge between two layers touches one.
func (d *drawing) place(a arrangement, down bool) {
	for i := range d.cards {
		c := &d.cards[i]
		along, length := a.start[a.layer[i]], a.depth[a.layer[i]]-c.behind()
		if down {
			c.x, c.y, c.height = margin+a.centre[i]-(c.width+c.behind())/2, margin+titleRoom+along, length
		} else {
			c.x, c.y, c.width = margin+along, margin+titleRoom+a.centre[i]-(c.height+c.behind())/2, length
		}
	}
	d.width, d.height = a.length, a.breath
	if down {
		d.width, d.height = a.breath, a.length
	}
	full := d.solidPorts()
	for i, e := range d.Edges {
		d.links = append(d.links, a.route(i, e, full, down))
	}
}

// solidPorts are the boxes' ends that a need holds: an order stands beside it.
func (d *drawing) solidPorts() map[[2]int]bool {
	full := map[[2]int]bool{}
	for _, e := range d.Edges {
		if !e.Order {
			full[[2]int{e.From, 1}], full[[2]int{e.To, 0}] = true, true
		}
	}
	return full
}

// route draws an edge through its places in the layers.
func (a *arrangement) route(i int, e Edge, full map[[2]int]bool, down bool) link {
	at := func(main, cross int) string {
		if down {
			return fmt.Sprintf("%d %d", margin+cross, margin+titleRoom+main)
		}
		return fmt.Sprintf("%d %d", margin+main, margin+titleRoom+cross)
	}
	beside := func(box, end int) int {
		if e.Order && full[[2]int{box, end}] {
			return port
		}
		return 0
	}
	first := a.layer[e.From]
	x, y := a.start[first]+a.depth[first], a.centre[e.From]+beside(e.From, 1)
	l := link{edge: e}
	if e.Back || e.Both {
		l.tips += tip(at, x, y, arrowHead)
		x += arrowHead - 1
	}
	l.path = "M" + at(x, y)
	chain := a.chain[i]
	for k, n := range chain[1:] {
		layer, last := first+1+k, k == len(chain)-2
		toX, toY := a.start[layer], a.centre[n]
		if last {
			toY += beside(e.To, 0)
			if toY-y <= 2 && y-toY <= 2 { // a step of a pixel or two looks like a mistake
				toY = y
			}
			if !e.Back {
				l.tips += tip(at, toX, toY, -arrowHead)
				toX -= arrowHead - 1
			}
		}
		half := (toX - x) / 2
		if y == toY {
			l.path += "L" + at(toX, toY)
		} else {
			l.path += "C" + at(x+half, y) + " " + at(toX-half, toY) + " " + at(toX, toY)
		}
		x, y = toX, toY
		if !last {
			x = a.start[layer] + a.depth[layer]
			l.path += "L" + at(x, y)
		}
	}
	return l
}

// tip is an arrow head that touches a box.
func tip(at func(main, cross int) string, x, y, length int) string {
	return "M" + at(x, y) + "L" + at(x+length, y-4) + "L" + at(x+length, y+4) + "Z"
}

func (d *drawing) link(b *strings.Builder, l *link) {
	from, to, class := d.Boxes[l.edge.From].Head, d.Boxes[l.edge.To].Head, "edge"
	title := to + " needs " + from
	switch {
	case l.edge.Both:
		title = from + " and " + to + " take turns, in the file's order"
	case l.edge.Back:
		title = from + " comes after " + to + ", in the file's order"
	case l.edge.Order:
		title = to + " comes after " + from + ", in the file's order"
	}
	if l.edge.Order {
		class = "edge order"
	}
	fmt.Fprintf(b, `<g class="link"><title>%s</title><path class="%s" d="%s"/><path class="tip" d="%s"/></g>`+"\n", escape(title), class, l.path, l.tips)
}

func (c *card) print(b *strings.Builder) {
	hints := c.Hint
	if len(hints) > mostHints {
		hints = append(hints[:mostHints:mostHints], fmt.Sprintf("and %d more", len(hints)-mostHints))
	}
	title := strings.Join(hints, "\n")
	if c.size() > 1 {
		title = hint(c.Head, c.Note) + "\n" + title
	}
	fmt.Fprintf(b, `<g class="%s"><title>%s</title>`, kinds[c.Kind].class, escape(title))
	if c.size() > 1 {
		b.WriteString(shape(c.Kind, "behind", c.x+stack, c.y+stack, c.width, c.height))
	}
	b.WriteString(shape(c.Kind, "shape", c.x, c.y, c.width, c.height))
	inset := insets[c.Kind]
	fmt.Fprintf(b, `<svg x="%d" y="%d" width="%d" height="%d">`, c.x+inset[0], c.y, c.width-inset[0]-inset[1], c.height)
	top := (c.height - headLine - lineHeight*(len(c.texts)-1) - 12) / 2
	for i, t := range c.texts {
		class := ""
		if i == 0 {
			class = ` class="head"`
		}
		fmt.Fprintf(b, `<text%s y="%d">%s</text>`, class, top+headLine+i*lineHeight, escape(t))
	}
	b.WriteString("</svg></g>\n")
}

// shape is the outline of a kind.
func shape(k Kind, class string, x, y, w, h int) string {
	rect := func(radius int) string {
		return fmt.Sprintf(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, class, x, y, w, h, radius)
	}
	switch k {
	case Build:
		return rect(2) + fmt.Sprintf(`<rect class="bar" x="%d" y="%d" width="5" height="%d"/>`, x, y, h)
	case Push:
		return fmt.Sprintf(`<path class="%s" d="M%d %dH%dL%d %dL%d %dH%dZ"/>`, class, x, y, x+w-12, x+w, y+h/2, x+w-12, y+h, x)
	case Step:
		return rect(min(h/3, 9))
	}
	return rect(min(h/2, 22))
}

// entries are what the legend has to explain of this picture: a kind's number and words, or a line's.
func (d *drawing) entries() (kindsSeen []Kind, lines []string) {
	var seen [len(kinds)]bool
	several, need, order := false, false, false
	for i := range d.Boxes {
		seen[d.Boxes[i].Kind] = true
		several = several || d.Boxes[i].size() > 1
	}
	for _, e := range d.Edges {
		need, order = need || !e.Order, order || e.Order
	}
	for k := range kinds {
		if seen[k] {
			kindsSeen = append(kindsSeen, Kind(k))
		}
	}
	for _, l := range []struct {
		there bool
		text  string
	}{{need, "needs"}, {order, "only after, in the file's order"}, {several, "several alike"}} {
		if l.there {
			lines = append(lines, l.text)
		}
	}
	return kindsSeen, lines
}

const swatch, swatchGap = 26, 8

func (d *drawing) legendWidth() int {
	width := 0
	seen, lines := d.entries()
	for _, k := range seen {
		width += swatch + swatchGap + plain.width(kinds[k].legend) + 2*swatchGap
	}
	for _, l := range lines {
		width += swatch + swatchGap + plain.width(l) + 2*swatchGap
	}
	return width
}

func (d *drawing) legend() string {
	var b strings.Builder
	x, y := margin, d.height-margin-14
	word := func(text string) {
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text></g>`+"\n", x+swatch+swatchGap, y+11, escape(text))
		x += swatch + swatchGap + plain.width(text) + 2*swatchGap
	}
	seen, lines := d.entries()
	for _, k := range seen {
		fmt.Fprintf(&b, `<g class="%s">%s`, kinds[k].class, shape(k, "shape", x, y, swatch, 14))
		word(kinds[k].legend)
	}
	for _, l := range lines {
		switch l {
		case "needs":
			fmt.Fprintf(&b, `<g><path class="edge" d="M%d %dH%d"/><path class="tip" d="M%d %dl-7-4v8z"/>`, x, y+7, x+swatch-6, x+swatch, y+7)
		case "several alike":
			fmt.Fprintf(&b, `<g class="step">%s%s`, shape(Step, "behind", x+4, y+4, swatch-6, 12), shape(Step, "shape", x, y, swatch-6, 12))
		default:
			fmt.Fprintf(&b, `<g><path class="edge order" d="M%d %dH%d"/><path class="tip" d="M%d %dl-7-4v8z"/>`, x, y+7, x+swatch-6, x+swatch, y+7)
		}
		word(l)
	}
	return b.String()
}

// escape makes text of anyone's safe in the document; what XML can't hold becomes a replacement character.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes all
	return b.String()
}
