// SARIF 2.1.0 (OASIS), the form in which code scanning takes findings. The same list as everywhere, written down by the standard's rules:
//
//   - A message is a template: `{0}` stands for an argument and `[text](target)` is a link. Half of our messages quote a `{{ placeholder }}`, and all of them quote
//     what a stranger may have written, so braces are doubled (3.11.5) and brackets that could make a link get a backslash (3.11.6).
//   - A result is found again in the next run by its fingerprint, not by its line: text that was put in above it moves the line and changes nothing. So it is a digest of
//     the code, the file and the line's own text, with the number of the finding among equal ones. GitHub's uploader keeps the name primaryLocationLineHash for a
//     digest of its own and warns of any other under it, so ours has another name.
//   - A file that is checked from a directory within the repository has its path from the repository's root, which is where `%SRCROOT%` is.
package diag

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"
)

// SARIFOptions say what a log holds beside the findings.
type SARIFOptions struct {
	// Version is the program's.
	Version string
	// Prefix goes before the names of files: the working directory's path within the repository with a slash at its end, "" for its root.
	Prefix string
	// Source gives the lines for the fingerprints; nil makes them of the messages.
	Source Sources
}

// mostResults is how many results code scanning takes of a run; a log with more is refused whole (GitHub, "SARIF support for code scanning").
const mostResults = 25_000

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifHome   = "https://github.com/org/prefect-deploy-action"
	// fingerprintName is versioned, as the standard asks for: another way to compute it gets another number.
	fingerprintName = "prefectDeploy/v1"
)

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Home    string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifLevel struct {
		Level Severity `json:"level"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Short   sarifText  `json:"shortDescription"`
		Full    sarifText  `json:"fullDescription"`
		Help    sarifText  `json:"help"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		Rule         string            `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Level        Severity          `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		ID       *int          `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// SARIF renders a log of one run. Of more findings than code scanning takes the first stay, errors before warnings, and a notification counts the rest.
func (l List) SARIF(o SARIFOptions) []byte {
	kept := l
	run := sarifRun{Invocations: []sarifInvocation{{Successful: true}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	if len(l) > mostResults {
		kept = append(List(nil), l...)
		sort.SliceStable(kept, func(i, j int) bool { return kept[i].Severity == Error && kept[j].Severity != Error })
		kept = kept[:mostResults]
		text := fmt.Sprintf("%d more findings are left out, as code scanning takes %d", len(l)-mostResults, mostResults)
		run.Invocations[0].Notifications = []sarifNotification{{"warning", sarifText{Text: text}}}
	}
	rules, index := kept.rules()
	run.Tool.Driver = sarifDriver{"prefect-deploy", Clean(o.Version), sarifHome, rules}
	print := fingerprints{options: o, split: map[string][][]byte{}, seen: map[string]int{}}
	for i := range kept {
		r := o.result(&kept[i])
		r.Index = index[r.Rule]
		r.Fingerprints = map[string]string{fingerprintName: print.of(&kept[i])}
		run.Results = append(run.Results, r)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}) // plain data: it cannot fail
	return b.Bytes()
}

func (o SARIFOptions) result(d *Diagnostic) sarifResult {
	text := Clean(d.Message)
	if d.Help != "" {
		text += "\n" + CleanLines(d.Help)
	}
	r := sarifResult{Rule: d.Code, Level: d.Severity, Message: sarifText{Text: literal(text)}}
	if d.File != "" {
		r.Locations = []sarifLocation{{Physical: o.physical(d.Position)}}
	}
	for i, at := range d.Related {
		if at.File == "" {
			continue
		}
		id := i + 1
		r.Related = append(r.Related, sarifLocation{ID: &id, Physical: o.physical(at.Position), Message: &sarifText{Text: literal(Clean(at.Message))}})
	}
	return r
}

// physical is a place. One without a line concerns the file as a whole: code scanning shows only what has a line, so it is the first.
func (o SARIFOptions) physical(p Position) sarifPhysical {
	region := sarifRegion{StartLine: max(p.Line, 1)}
	if p.Line > 0 && p.Column > 0 {
		region.StartColumn = p.Column
		if p.EndLine > p.Line || p.EndLine == p.Line && p.EndColumn >= p.Column {
			region.EndLine, region.EndColumn = p.EndLine, max(p.EndColumn, 1)
		}
	}
	return sarifPhysical{o.artifact(p.File), region}
}

// artifact is a file as a URI: relative to the repository's root, unless its name begins at a file system's own.
func (o SARIFOptions) artifact(name string) sarifArtifact {
	switch {
	case strings.HasPrefix(name, "/"):
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	case len(name) > 2 && name[1] == ':' && name[2] == '/':
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: "/" + name}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: o.Prefix + name}).String(), Base: "%SRCROOT%"}
}

// rules describes each code that the list has, in order of the codes, and says where each stands.
func (l List) rules() ([]sarifRule, map[string]int) {
	levels := map[string]Severity{}
	var codes []string
	for i := range l {
		if _, ok := levels[l[i].Code]; !ok {
			codes = append(codes, l[i].Code)
		}
		if levels[l[i].Code] != Error {
			levels[l[i].Code] = l[i].Severity
		}
	}
	sort.Strings(codes)
	rules, index := make([]sarifRule, len(codes)), make(map[string]int, len(codes))
	for i, code := range codes {
		rules[i], index[code] = ruleOf(code), i
		rules[i].Default.Level = levels[code]
	}
	return rules, index
}

// ruleOf describes a code by what `compile explain` tells of it. These texts take no arguments and are shown as they are, so that their examples can be copied. A code of a later phase that has no entry there is described by its own words.
func ruleOf(code string) sarifRule {
	words := strings.ReplaceAll(code, "-", " ")
	for i := range explanations {
		e := &explanations[i]
		if e.code != code {
			continue
		}
		text, _ := Explain(code)
		markdown := e.meaning + "\n"
		if e.fault != "" {
			markdown += "\nWrong:\n\n```yaml\n" + e.fault + "\n```\n"
		}
		markdown += "\nRight:\n\n```yaml\n" + e.cure + "\n```\n"
		return sarifRule{ID: code, Short: sarifText{Text: words}, Full: sarifText{Text: e.meaning}, Help: sarifText{text, markdown}}
	}
	return sarifRule{ID: code, Short: sarifText{Text: words}, Full: sarifText{Text: words}, Help: sarifText{Text: words}}
}

// literal writes text so that a reader of SARIF shows the very text.
func literal(s string) string {
	s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
	if strings.Contains(s, "](") {
		s = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
	}
	return s
}

// fingerprints numbers equal findings.
type fingerprints struct {
	options SARIFOptions
	split   map[string][][]byte
	seen    map[string]int
}

// of is the finding's fingerprint, "DIGEST:N".
func (f *fingerprints) of(d *Diagnostic) string {
	line := f.line(d)
	if line == "" {
		line = d.Message
	}
	sum := sha256.Sum256([]byte(d.Code + "\x00" + f.options.Prefix + d.File + "\x00" + line))
	digest := hex.EncodeToString(sum[:16])
	f.seen[digest]++
	return fmt.Sprintf("%s:%d", digest, f.seen[digest])
}

// line is the text of the finding's line without the space around it, as indenting a block changes nothing in what it says.
func (f *fingerprints) line(d *Diagnostic) string {
	if d.Line == 0 || f.options.Source == nil {
		return ""
	}
	split, ok := f.split[d.File]
	if !ok {
		split = lines(f.options.Source(d.File))
		f.split[d.File] = split
	}
	if d.Line > len(split) {
		return ""
	}
	text := split[d.Line-1]
	const longest = 4096 // a file of one endless line would be hashed once for each finding
	if len(text) > longest {
		start := 0
		for i := 1; i < d.Column && start < len(text); i++ {
			_, size := utf8.DecodeRune(text[start:])
			start += size
		}
		text = text[start:min(len(text), start+longest)]
	}
	return string(bytes.TrimSpace(text))
}
