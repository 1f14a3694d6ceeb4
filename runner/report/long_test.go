// A step may print a hundred million bytes, of which a table shows a line.
package report

import (
	"runtime"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestShowReadsNoMoreThanItShows(t *testing.T) {
	for _, text := range []string{strings.Repeat("\x00", 10_000_000), strings.Repeat("é", 5_000_000), strings.Repeat("\xff", 10_000_000)} {
		v := value.Of(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := Show(v)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1_000_000 || len([]rune(got)) != 100 || !strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes for %d characters: %s", used, len([]rune(got)), got)
		}
	}
}
