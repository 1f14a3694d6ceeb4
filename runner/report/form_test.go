package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func wellFormed(t testing.TB, page string, budget int) {
	t.Helper()
	if !utf8.ValidString(page) || len(page) > budget {
		t.Fatalf("not valid or too long: %d bytes", len(page))
	}
	_ = strings.Count
}
