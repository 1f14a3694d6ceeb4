// SARIF against the standard's own words: what must be there, what may be there, and that nobody's text becomes anything but text. The same logs stand before the
// official schema in real_test.go.
package diag

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

type readLog struct {
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name  string
				Rules []struct {
					ID                                      string
					ShortDescription, FullDescription, Help struct{ Text string }
					DefaultConfiguration                    struct{ Level string }
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
		Results []struct {
			RuleID                      string
			RuleIndex                   int
			Level                       string
			Message                     struct{ Text string }
			Locations, RelatedLocations []readLocation
			PartialFingerprints         map[string]string
		}
	}
}

type readLocation struct {
	ID               int
	Message          struct{ Text string }
	PhysicalLocation struct {
		ArtifactLocation struct{ URI, URIBaseID string }
		Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
	}
}

const sarifSource = "name: 5\nother:\n  name: 5\ntags: x\n"

// sarifLists are lists of every kind that occurs, and of some that only malice makes.
func sarifLists() map[string]List {
	at := func(file string, line, column, endLine, endColumn int) Position {
		return Position{file, line, column, endLine, endColumn}
	}
	hostile := List{}
	for i, text := range hostileTexts() {
		hostile.Add(Diagnostic{Severity: Error, Code: "unknown-key", Message: text, Help: text, Position: at(text+".yaml", i+1, 1, i+1, 2), Related: []Related{{at(text, 1, 1, 0, 0), text}}})
	}
	return map[string]List{
		"none": nil,
		"two equal lines": {
			{Severity: Error, Code: "wrong-type", Message: "name is text", Help: "write name: \"5\"", Position: at("prefect.yaml", 1, 7, 1, 8)},
			{Severity: Error, Code: "wrong-type", Message: "name is text", Position: at("prefect.yaml", 3, 9, 3, 10), Related: []Related{{at("prefect.yaml", 1, 1, 0, 0), "first declared at"}}},
			{Severity: Warning, Code: "unset-placeholder", Message: `"{{ image }}" is not defined`, Position: at("prefect.yaml", 4, 1, 4, 5)},
		},
		"places": {
			{Severity: Error, Code: "file-too-large", Message: "m", Position: at("dir with space/ä#?.yaml", 0, 0, 0, 0)},
			{Severity: Error, Code: "wrong-type", Message: "m", Position: at("a:b.yaml", 1, 1, 0, 0)},
			{Severity: Error, Code: "wrong-type", Message: "m", Position: at("/outside/prefect.yaml", 9, 9, 2, 1)},
			{Severity: Error, Code: "wrong-type", Message: "m", Position: at("C:/outside/prefect.yaml", 9, 9, 9, 9)},
			{Severity: Error, Code: "wrong-type", Message: "m", Position: at("../up.yaml", 2, 3, 4, 1)},
			{Severity: Warning, Code: "of-a-later-phase", Message: "m"},
		},
		"hostile": hostile,
	}
}

func hostileTexts() []string {
	return []string{"{0} {1} {{ x }}", "[click](https://evil.example)", `\[a](1)`, "a\x1b[31m\r\n::error::x", "\u202egnp", "\xff\xfe", "%SRCROOT%/../../x", "\x00", "</script><img src=x>", strings.Repeat("é", 3000)}
}

func renderSARIF(l List) []byte {
	return l.SARIF(SARIFOptions{Version: "v1.2.3", Prefix: "sub dir/", Source: func(string) []byte { return []byte(sarifSource) }})
}

func TestSARIFIsAsTheStandardSays(t *testing.T) {
	for name, l := range sarifLists() {
		t.Run(name, func(t *testing.T) {
			data := renderSARIF(l)
			if string(renderSARIF(l)) != string(data) || !utf8.Valid(data) {
				t.Fatal("not the same bytes again, or not UTF-8")
			}
			var log readLog
			if err := json.Unmarshal(data, &log); err != nil {
				t.Fatal(err)
			}
			if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || !log.Runs[0].Invocations[0].ExecutionSuccessful || len(log.Runs[0].Results) != len(l) {
				t.Fatalf("%+v", log)
			}
			if l == nil && !strings.Contains(string(data), `"results": []`) {
				t.Error("no results must be an empty list: null means that nobody looked")
			}
			checkResults(t, l, &log)
		})
	}
}

func checkResults(t *testing.T, l List, log *readLog) {
	t.Helper()
	rules, seen := log.Runs[0].Tool.Driver.Rules, map[string]bool{}
	for i, rule := range rules {
		if rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" || i > 0 && rules[i-1].ID >= rule.ID {
			t.Errorf("%+v", rule)
		}
	}
	for i, r := range log.Runs[0].Results {
		if r.RuleID != l[i].Code || rules[r.RuleIndex].ID != r.RuleID || r.Level != string(l[i].Severity) || r.Message.Text == "" {
			t.Errorf("%+v", r)
		}
		print := r.PartialFingerprints["prefectDeploy/v1"]
		if !regexp.MustCompile(`^[0-9a-f]{32}:[0-9]+$`).MatchString(print) || seen[print] {
			t.Errorf("the fingerprint %q", print)
		}
		seen[print] = true
		for _, at := range append(append([]readLocation{}, r.Locations...), r.RelatedLocations...) {
			checkLocation(t, at)
		}
		for _, text := range []string{r.Message.Text} {
			if strings.ContainsAny(text, "\x00\x1b\r\u202e") || strings.Contains(text, "](") && !strings.Contains(text, `\](`) || regexp.MustCompile(`(^|[^{])\{[0-9]`).MatchString(text) {
				t.Errorf("the message %q", text)
			}
		}
	}
}

func checkLocation(t *testing.T, at readLocation) {
	t.Helper()
	u, err := url.Parse(at.PhysicalLocation.ArtifactLocation.URI)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.Host != "" {
		t.Errorf("the address %q: %v", at.PhysicalLocation.ArtifactLocation.URI, err)
		return
	}
	if base := at.PhysicalLocation.ArtifactLocation.URIBaseID; (base == "%SRCROOT%") == (u.Scheme == "file") || u.Scheme != "" && u.Scheme != "file" {
		t.Errorf("%s from %q", u, base)
	}
	if r := at.PhysicalLocation.Region; r.StartLine < 1 || r.EndLine != 0 && (r.EndLine < r.StartLine || r.EndColumn < 1 || r.EndLine == r.StartLine && r.EndColumn < r.StartColumn) {
		t.Errorf("%+v", r)
	}
}

// What was written above a fault, or the depth of its indentation, makes it no other fault; its own line does.
func TestSARIFFingerprintsStay(t *testing.T) {
	prints := func(source string, positions ...int) string {
		var l List
		for _, line := range positions {
			l.Add(Diagnostic{Severity: Error, Code: "wrong-type", Message: fmt.Sprintf("said in line %d", line), Position: Position{"prefect.yaml", line, 1, line, 2}})
		}
		var log readLog
		if err := json.Unmarshal(l.SARIF(SARIFOptions{Source: func(string) []byte { return []byte(source) }}), &log); err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, r := range log.Runs[0].Results {
			out += r.PartialFingerprints["prefectDeploy/v1"] + " "
		}
		return out
	}
	before := prints("name: 5\nname: 5\n", 1, 2)
	if after := prints("# new\n\n  name: 5\r\nx: 1\n  name: 5\n", 3, 5); after != before {
		t.Errorf("%s is now %s", before, after)
	}
	if after := prints("name: 6\nname: 5\n", 1, 2); after == before {
		t.Error("another line has the same fingerprint")
	}
}

// The same line in another file is another fault, and curing the one leaves the other what it was.
func TestSARIFFingerprintsAreTheFiles(t *testing.T) {
	print := func(files ...string) string {
		var l List
		for _, f := range files {
			l.Add(Diagnostic{Severity: Error, Code: "wrong-type", Message: "m", Position: Position{f, 1, 1, 1, 2}})
		}
		var log readLog
		if err := json.Unmarshal(renderSARIF(l), &log); err != nil {
			t.Fatal(err)
		}
		return log.Runs[0].Results[len(files)-1].PartialFingerprints["prefectDeploy/v1"]
	}
	if both, alone := print("a.yaml", "b.yaml"), print("b.yaml"); both != alone || alone == print("a.yaml") {
		t.Errorf("%s beside another, %s alone, %s elsewhere", both, alone, print("a.yaml"))
	}
}

// A log that code scanning would refuse whole helps nobody: the errors stay.
func TestSARIFOfTooMany(t *testing.T) {
	l := make(List, mostResults+7)
	for i := range l {
		l[i] = Diagnostic{Severity: Warning, Code: "unknown-key", Message: fmt.Sprint(i), Position: Position{File: "f", Line: i + 1}}
	}
	l[len(l)-1].Severity = Error
	var log readLog
	if err := json.Unmarshal(l.SARIF(SARIFOptions{}), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != mostResults || run.Results[0].Level != "error" || l[0].Severity != Warning || !strings.HasPrefix(run.Invocations[0].ToolExecutionNotifications[0].Message.Text, "7 more") {
		t.Errorf("%d results, first %+v, %+v", len(run.Results), run.Results[0], run.Invocations)
	}
}

func TestSARIFSaysTheVeryText(t *testing.T) {
	for text, want := range map[string]string{"plain [a] text": "plain [a] text", "{{ a.b }}": "{{{{ a.b }}}}", `[x](1) \`: `\[x\](1) \\`} {
		if got := literal(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}
