// Cases in which every two values of different factors meet, in few rows: a covering array. It is made greedily: each row begins with a pair that no row has yet, and each
// further factor takes the value that brings most new pairs. Same factors and seed, same rows.
//
//	factors a: 1 2, b: x y, c: p q    four rows hold all twelve pairs: 1xp 1yq 2xq 2yp
package conformance

import (
	"math/rand"
	"testing"
)

// two are two values of different factors; i is the earlier factor.
type two struct{ i, a, j, b int }

func pairOf(i, a, j, b int) two {
	if i > j {
		return two{j, b, i, a}
	}
	return two{i, a, j, b}
}

// covering gives rows of value numbers, one for each factor of so many values.
func covering(values []int, seed int64) (rows [][]int) {
	r := rand.New(rand.NewSource(seed))
	missing, order := allPairs(values)
	r.Shuffle(len(order), func(x, y int) { order[x], order[y] = order[y], order[x] })
	for _, start := range order {
		if !missing[start] {
			continue
		}
		var best []int
		gain := -1
		for range 8 { // of some tries the best row
			row := fill(r, values, missing, start)
			if n := count(row, missing); n > gain {
				best, gain = row, n
			}
		}
		remove(best, missing)
		rows = append(rows, best)
	}
	return rows
}

// allPairs are those that rows must hold, as a set and in a fixed order.
func allPairs(values []int) (missing map[two]bool, order []two) {
	missing = map[two]bool{}
	for i := range values {
		for j := i + 1; j < len(values); j++ {
			for a := range values[i] {
				for b := range values[j] {
					p := two{i, a, j, b}
					missing[p] = true
					order = append(order, p)
				}
			}
		}
	}
	return missing, order
}

// fill completes a row that begins with a pair, factor by factor in a random order.
func fill(r *rand.Rand, values []int, missing map[two]bool, start two) []int {
	row := make([]int, len(values))
	for i := range row {
		row[i] = -1
	}
	row[start.i], row[start.j] = start.a, start.b
	for _, i := range r.Perm(len(values)) {
		if row[i] < 0 {
			row[i] = bestValue(r, values[i], i, row, missing)
		}
	}
	return row
}

func bestValue(r *rand.Rand, n, i int, row []int, missing map[two]bool) int {
	best, gain := 0, -1
	for _, v := range r.Perm(n) {
		got := 0
		for j, w := range row {
			if w >= 0 && j != i && missing[pairOf(i, v, j, w)] {
				got++
			}
		}
		if got > gain {
			best, gain = v, got
		}
	}
	return best
}

func count(row []int, missing map[two]bool) (n int) {
	for i := range row {
		for j := i + 1; j < len(row); j++ {
			if missing[two{i, row[i], j, row[j]}] {
				n++
			}
		}
	}
	return n
}

func remove(row []int, missing map[two]bool) {
	for i := range row {
		for j := i + 1; j < len(row); j++ {
			delete(missing, two{i, row[i], j, row[j]})
		}
	}
}

// TestCovering: every pair is there, for factors of several sizes, and the rows are the same each time.
func TestCovering(t *testing.T) {
	for _, values := range [][]int{{2, 2, 2}, {5, 1, 3}, {4, 4, 4, 4, 4, 4}, {9, 2, 7, 3, 3, 5, 2, 2, 6}} {
		for seed := range int64(3) {
			rows := covering(values, seed)
			missing, all := allPairs(values)
			for _, row := range rows {
				remove(row, missing)
			}
			if len(missing) > 0 || len(rows) >= len(all) && len(all) > 12 {
				t.Errorf("%v, seed %d: %d rows leave %d of %d pairs", values, seed, len(rows), len(missing), len(all))
			}
			if text(rows) != text(covering(values, seed)) {
				t.Errorf("%v, seed %d: other rows the second time", values, seed)
			}
		}
	}
}
