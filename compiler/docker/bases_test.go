package docker

import (
	"strings"
	"testing"
)

func TestBases(t *testing.T) {
	args := func(name string) (string, bool, bool) {
		switch name {
		case "TOLD":
			return "told:2", true, true
		case "LATER":
			return "", true, false
		}
		return "", false, true
	}
	for dockerfile, want := range map[string]string{
		"FROM r/base:1\nRUN true\n": "r/base:1",
		"from --platform=linux/amd64 base as b\nFROM b\nCOPY --from=b /a /b\nCOPY --from=other:3 /a /b\nCOPY --from=0 /a /b\n": "base:latest other:3",
		"# a comment\nARG V=1\nARG NAME=r/base\nFROM ${NAME}:$V\nFROM ${NONE:-x:9}\nFROM $UNKNOWN\n":                           "r/base:1 x:9 ?",
		"ARG TOLD=x\nARG LATER=x\nFROM $TOLD\nFROM $LATER\nFROM told:2\n":                                                      "told:2 ?",
		"FROM \\\n  # between\n  r/base:1 \\\n  AS x\n":                                                                        "r/base:1",
		"# escape=`\nFROM `\n  a:1\n": "a:1",
		"FROM a:1\nRUN <<EOF\nFROM b:1\nEOF\nCOPY <<-\"X\" /f\nFROM c:1\nX\nFROM d:1\n":                   "a:1 d:1",
		"FROM scratch\nFROM localhost:5000/x\nFROM x@sha256:abc\nFROM\nFROM --platform=x\nFROM \"q:1\"\n": "localhost:5000/x:latest x@sha256:abc q:1",
		"FROM a:1\nARG LATE=b:1\nFROM $LATE\n":                                                            "a:1 ?",
		"FROM ${A\nFROM ${A:+b}\nFROM $\n":                                                                "?",
		"":                                                                                                "?",
	} {
		if got := allOf(Bases([]byte(dockerfile), args)); got != want {
			t.Errorf("%q: %q, want %q", dockerfile, got, want)
		}
	}
}

// allOf has a ? at its end where not all are known.
func allOf(images []string, all bool) string {
	if !all {
		images = append(images, "?")
	}
	return strings.Join(images, " ")
}

func FuzzBases(f *testing.F) {
	f.Add("ARG A=b\nFROM ${A}:1 AS x\nCOPY --from=x a b\nRUN <<E\nE\n")
	f.Fuzz(func(t *testing.T, dockerfile string) {
		images, _ := Bases([]byte(dockerfile), func(string) (string, bool, bool) { return "", false, true })
		for _, image := range images {
			if image == "" || strings.ContainsAny(image, " \n") {
				t.Errorf("%q", image)
			}
		}
	})
}
