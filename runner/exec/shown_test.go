package exec

import (
	"context"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// A secret in a line without end is hidden wherever the pieces of it are cut, and nothing else of the line is lost.
func TestNoSecretStandsAcrossPieces(t *testing.T) {
	const secret = "0123456789secret"
	for at := 2*step.MaxLine - 40; at < 2*step.MaxLine+10; at += 3 {
		for _, before := range []int{0, heldBack - 8, heldBack, heldBack + 8} {
			line := strings.Repeat("x", at-before) + secret + strings.Repeat("y", step.MaxLine+before) + secret
			var shown strings.Builder
			s := &graph.Step{Key: "s"}
			r := Runner{
				Do: func(_ context.Context, _ *graph.Step, c step.Call) (value.Value, error) {
					for rest := line; rest != ""; rest = rest[min(len(rest), step.MaxLine):] {
						c.Stdout([]byte(rest[:min(len(rest), step.MaxLine)]))
					}
					return value.Value{}, nil
				},
				Log: func(e Event) {
					if e.Kind == Line {
						shown.WriteString(e.Text)
					}
				},
				Mask: func(text string) string { return strings.ReplaceAll(text, secret, "***") },
			}
			r.Run(context.Background(), &graph.Graph{Steps: []*graph.Step{s}})
			if want := strings.ReplaceAll(line, secret, "***"); shown.String() != want {
				t.Fatalf("at %d, %d before: %d bytes, want %d", at, before, shown.Len(), len(want))
			}
		}
	}
}
