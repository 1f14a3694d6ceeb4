// The last words of a process that ended by itself, which are masked when they are put together already: a secret is in them whole, or not at all.
package step

import (
	"strings"
	"testing"
)

func TestTailsHoldNoHalfSecrets(t *testing.T) {
	const secret = "canary-9f2e-canary-77d1"
	for at := range 300 { // around each place where something is cut
		for _, length := range []int{2000, longestKept, 2 * longestKept, MaxLine} {
			var l lines
			l.expect(nil, newMark())
			before := max(0, length+40-at)
			l.write([]byte("first\n" + strings.Repeat("a", before) + secret))
			l.write([]byte(strings.Repeat("b", 150) + "\n"))
			l.write([]byte(strings.Repeat("c", max(0, 1700-at)) + secret + strings.Repeat("d", 1850+at) + "\n"))
			l.end()
			said := strings.ReplaceAll(withTail("it ended", l.tailText()), secret, "***")
			for from := 0; from+6 <= len(secret); from++ {
				if strings.Contains(said, secret[from:from+6]) {
					t.Fatalf("%d before %d: %q", at, length, said)
				}
			}
		}
	}
}
