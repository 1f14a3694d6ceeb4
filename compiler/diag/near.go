// The nearest right name for a wrong one. A suggestion that is far off does harm, so the bound is a third of the length.
package diag

import "strings"

// Nearest returns the candidate that is closest to name by edits (a swap of neighbours is one), ignoring case and the difference of "-" and "_";
// "" when none is close enough. Of several that are equally close the first wins, so the order of candidates should be stable.
func Nearest(name string, candidates []string) string {
	best, found := len([]rune(name))/3+1, ""
	for _, c := range candidates {
		d := distance(fold(name), fold(c), best)
		if d < best || (d == best && found == "" && d <= len([]rune(name))/3) {
			best, found = d, c
		}
		if d == 0 {
			return c
		}
	}
	return found
}

func fold(s string) []rune {
	return []rune(strings.ToLower(strings.ReplaceAll(s, "_", "-")))
}

// distance is the optimal string alignment distance, or most+1 when it is certainly larger than most.
func distance(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// DidYouMean is "did you mean X?" for the nearest candidate, or "".
func DidYouMean(name string, candidates []string) string {
	if near := Nearest(name, candidates); near != "" {
		return "did you mean " + Clean(near) + "?"
	}
	return ""
}
