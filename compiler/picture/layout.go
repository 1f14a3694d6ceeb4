// Where boxes go: layers, as Sugiyama and others taught. Each box stands in the layer after the last one it waits for; an edge that jumps a layer gets a place there to pass through; the order
// within each layer is improved by going through the layers forth and back and sorting by the average place of the neighbours, and the best order met is kept; at last everything moves as close
// to its neighbours as that order lets it. All is counted in whole pixels, so that every machine draws the same.
//
// Along the way ("main") lie the layers, across it their boxes. Whether the way leads to the right or down is up to who draws.
package picture

import (
	"slices"
	"sort"
)

// extent is a box's size.
type extent struct{ main, cross int }

// arrangement is a layout's outcome.
type arrangement struct {
	layer  []int // of each box
	start  []int // where a layer begins along the way
	depth  []int // and how long it is
	centre []int // of each node, across
	chain  [][]int
	length int
	breath int // extent across
}

// node is a box, or the place in a layer where an edge passes: those come after the boxes.
type node struct {
	layer, size int
	before      []int
	after       []int
}

const (
	crossGap = 18
	passage  = 6
)

func arrange(sizes []extent, edges []Edge) arrangement {
	nodes, chain := spread(sizes, edges)
	layers := order(nodes)
	a := arrangement{chain: chain, centre: settle(nodes, layers, len(sizes))}
	for i := range sizes {
		a.layer = append(a.layer, nodes[i].layer)
	}
	a.measure(nodes, layers, sizes)
	return a
}

// measure finds where the layers begin: edges that go far across need room to do so.
func (a *arrangement) measure(nodes []node, layers [][]int, sizes []extent) {
	for l, layer := range layers {
		longest, far := 0, 0
		for _, n := range layer {
			if n < len(sizes) {
				longest = max(longest, sizes[n].main)
			}
			for _, next := range nodes[n].after {
				far = max(far, a.centre[next]-a.centre[n], a.centre[n]-a.centre[next])
			}
			a.breath = max(a.breath, a.centre[n]+nodes[n].size/2)
		}
		a.start, a.depth = append(a.start, a.length), append(a.depth, longest)
		a.length += longest
		if l < len(layers)-1 {
			a.length += min(48+far/6, 150)
		}
	}
}

// spread puts boxes into layers and cuts edges into pieces from one layer to the next.
func spread(sizes []extent, edges []Edge) (nodes []node, chain [][]int) {
	layer := layersOf(len(sizes), edges)
	scatter(layer, edges)
	for i, s := range sizes {
		nodes = append(nodes, node{layer: layer[i], size: s.cross})
	}
	for _, e := range edges {
		way := []int{e.From}
		for l := layer[e.From] + 1; l < layer[e.To]; l++ {
			way = append(way, len(nodes))
			nodes = append(nodes, node{layer: l, size: passage})
		}
		way = append(way, e.To)
		for i := 1; i < len(way); i++ {
			nodes[way[i-1]].after = append(nodes[way[i-1]].after, way[i])
			nodes[way[i]].before = append(nodes[way[i]].before, way[i-1])
		}
		chain = append(chain, way)
	}
	return nodes, chain
}

// layersOf is the longest way to each box. What waits for nothing stands right before the first that waits for it.
func layersOf(n int, edges []Edge) []int {
	layer, first := make([]int, n), make([]bool, n)
	for i := range first {
		first[i] = true
	}
	for changed, round := true, 0; changed && round <= n; round++ {
		changed = false
		for _, e := range edges {
			first[e.To] = false
			if layer[e.To] <= layer[e.From] {
				layer[e.To], changed = layer[e.From]+1, true
			}
		}
	}
	for i := range first {
		if !first[i] {
			continue
		}
		nearest := -1
		for _, e := range edges {
			if e.From == i && (nearest < 0 || layer[e.To] < nearest) {
				nearest = layer[e.To]
			}
		}
		layer[i] = max(nearest-1, 0)
	}
	return layer
}

// scatter spreads the boxes that no edge joins over the layers, in lines as one reads: most files have no steps, and so nothing but such boxes.
func scatter(layer []int, edges []Edge) {
	joined, layers := make([]bool, len(layer)), 1
	for _, e := range edges {
		joined[e.From], joined[e.To] = true, true
		layers = max(layers, layer[e.To]+1)
	}
	var alone []int
	for i := range layer {
		if !joined[i] {
			alone = append(alone, i)
		}
	}
	columns := max(min(layers, 4), min((len(alone)+2)/3, 4))
	for k, i := range alone {
		layer[i] = k % columns
	}
}

// order sorts each layer such that few edges cross.
func order(nodes []node) [][]int {
	var layers [][]int
	for n := range nodes {
		for len(layers) <= nodes[n].layer {
			layers = append(layers, nil)
		}
		layers[nodes[n].layer] = append(layers[nodes[n].layer], n)
	}
	for _, layer := range layers {
		sort.SliceStable(layer, func(i, j int) bool { return !alone(nodes, layer[i]) && alone(nodes, layer[j]) })
	}
	best, least := clone(layers), crossings(nodes, layers)
	const sweeps = 24
	for sweep := 0; sweep < sweeps && least > 0; sweep++ {
		forth := sweep%2 == 0
		for i := range layers {
			if forth {
				byNeighbours(nodes, layers, i, true, sweep > sweeps/2)
			} else {
				byNeighbours(nodes, layers, len(layers)-1-i, false, sweep > sweeps/2)
			}
		}
		swap(nodes, layers)
		if c := crossings(nodes, layers); c < least {
			best, least = clone(layers), c
		}
	}
	return best
}

// swap changes two that stand side by side where that saves a crossing, until it saves none any more.
func swap(nodes []node, layers [][]int) {
	place := places(nodes, layers)
	for better, round := true, 0; better && round < 20; round++ {
		better = false
		for _, layer := range layers {
			for i := 1; i < len(layer); i++ {
				a, b := layer[i-1], layer[i]
				if between(nodes, place, a, b) > between(nodes, place, b, a) {
					layer[i-1], layer[i] = b, a
					place[a], place[b] = i, i-1
					better = true
				}
			}
		}
	}
}

// between counts the crossings of the edges of two nodes of a layer when a stands before b.
func between(nodes []node, place []int, a, b int) int {
	sum := 0
	for _, x := range nodes[a].before {
		for _, y := range nodes[b].before {
			if place[x] > place[y] {
				sum++
			}
		}
	}
	for _, x := range nodes[a].after {
		for _, y := range nodes[b].after {
			if place[x] > place[y] {
				sum++
			}
		}
	}
	return sum
}

func alone(nodes []node, n int) bool { return len(nodes[n].before)+len(nodes[n].after) == 0 }

func clone(layers [][]int) [][]int {
	out := make([][]int, len(layers))
	for i := range layers {
		out[i] = slices.Clone(layers[i])
	}
	return out
}

func places(nodes []node, layers [][]int) []int {
	place := make([]int, len(nodes))
	for _, layer := range layers {
		for i, n := range layer {
			place[n] = i
		}
	}
	return place
}

// byNeighbours sorts a layer by the average place of what each node is joined to; what is joined to nothing there keeps its place, and what is joined to nothing at all comes last.
func byNeighbours(nodes []node, layers [][]int, l int, forth, both bool) {
	place := places(nodes, layers)
	key := map[int]int{}
	for _, n := range layers[l] {
		sum, count := 0, 0
		for _, m := range neighbours(&nodes[n], forth, both) {
			sum += (place[m]*2 + 1) * 10_000 / len(layers[nodes[m].layer])
			count++
		}
		key[n] = (place[n]*2 + 1) * 10_000 / len(layers[l])
		if count > 0 {
			key[n] = sum / count
		} else if alone(nodes, n) {
			key[n] = 100_000
		}
	}
	sort.SliceStable(layers[l], func(i, j int) bool { return key[layers[l][i]] < key[layers[l][j]] })
}

func crossings(nodes []node, layers [][]int) int {
	place := places(nodes, layers)
	sum := 0
	for _, layer := range layers {
		var ends [][2]int
		for _, n := range layer {
			for _, m := range nodes[n].after {
				ends = append(ends, [2]int{place[n], place[m]})
			}
		}
		for i := range ends {
			for j := range i {
				if (ends[i][0]-ends[j][0])*(ends[i][1]-ends[j][1]) < 0 {
					sum++
				}
			}
		}
	}
	return sum
}

// settle gives each node its centre across: as near to its neighbours as the order and the gaps let it.
func settle(nodes []node, layers [][]int, boxes int) []int {
	centre := make([]int, len(nodes))
	for _, layer := range layers {
		at := 0
		for _, n := range layer {
			centre[n] = at + nodes[n].size/2
			at += nodes[n].size + crossGap
		}
	}
	const sweeps = 20
	for sweep := range sweeps {
		for i := range layers {
			l := i
			if sweep%2 == 1 {
				l = len(layers) - 1 - i
			}
			pull(nodes, boxes, layers[l], centre, sweep%2 == 0, sweep >= sweeps-2)
		}
	}
	least := 0
	for n := range nodes {
		if top := centre[n] - nodes[n].size/2; n == 0 || top < least {
			least = top
		}
	}
	for n := range centre {
		centre[n] -= least
	}
	return centre
}

// block is a run of nodes that touch: its place is the average of what its nodes want.
type block struct{ sum, weight, first, last int }

func (b block) mean() int { return floor(b.sum, b.weight) }

func floor(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// pull moves a layer's nodes to the middle of their neighbours, all at once, with the least sum of squares. Without the gaps (offset) that is a regression to a rising line: neighbours that want
// to be the other way round become one block.
func pull(nodes []node, boxes int, layer, centre []int, forth, both bool) {
	offset := make([]int, len(layer))
	var blocks []block
	for i, n := range layer {
		if i > 0 {
			offset[i] = offset[i-1] + (nodes[layer[i-1]].size+1)/2 + crossGap + (nodes[n].size+1)/2
		}
		want, weight := wish(nodes, boxes, n, centre, forth, both)
		b := block{(want - offset[i]) * weight, weight, i, i}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean() >= b.mean() {
			top := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{top.sum + b.sum, top.weight + b.weight, top.first, b.last}
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		for i := b.first; i <= b.last; i++ {
			centre[layer[i]] = b.mean() + offset[i]
		}
	}
}

// wish is where a node would like to be, and how much: an edge that passes several layers wants to be straight, and so does a chain of boxes, whatever hangs on it.
func wish(nodes []node, boxes, n int, centre []int, forth, both bool) (at, weight int) {
	list := neighbours(&nodes[n], forth, both)
	ends := func(m int) bool { return len(nodes[m].after) == 0 }
	if chain := slices.DeleteFunc(slices.Clone(list), ends); len(chain) > 0 {
		list = chain
	}
	weight = 8
	if ends(n) {
		weight = 2
	}
	if n >= boxes {
		if passing := slices.DeleteFunc(slices.Clone(list), func(m int) bool { return m < boxes }); len(passing) > 0 {
			list, weight = passing, 32
		}
	}
	if len(list) == 0 {
		return centre[n], 1
	}
	sum := 0
	for _, m := range list {
		sum += centre[m]
	}
	return floor(sum, len(list)), weight
}

// neighbours are those in the layer that the way comes from, or leads to, or in both.
func neighbours(n *node, forth, both bool) []int {
	var list []int
	if forth || both {
		list = append(list, n.before...)
	}
	if !forth || both {
		list = append(list, n.after...)
	}
	return list
}
