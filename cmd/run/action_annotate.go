// What is shown beside the lines of a pull request, and kept for code scanning: faults where they stand, and in the plan of a pull request each line that changes
// something, in the words of the plan. All of it passes through report.View, which holds no secret, and through runner/ci's choice of what has room.
package main

import (
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
)

// findings are what one call has to say of lines. It is said once, at the end, when it is known what matters most.
type findings struct {
	// read tells that the files were read to their end: without that, no findings does not mean that there is nothing to find.
	read    bool
	list    diag.List
	sources diag.Sources
	// beside are annotations that are no diagnostics.
	beside []ci.Annotation
}

// found replaces what was found so far: a later list holds the earlier one.
func (a *action) found(l diag.List, sources diag.Sources) {
	a.findings.read, a.findings.list, a.findings.sources = true, l, sources
}

// tellFindings annotates, and writes the SARIF file.
func (a *action) tellFindings() {
	var list []ci.Annotation
	for i := range a.findings.list {
		list = append(list, a.ofFault(&a.findings.list[i]))
	}
	a.job.Annotate(append(list, a.findings.beside...), "the log and the job's summary have all of them")
	if !a.findings.read {
		return
	}
	version, _ := cli.Version()
	data := a.findings.list.SARIF(diag.SARIFOptions{Version: version, Prefix: a.prefix, Source: a.findings.sources})
	path, err := a.tempFile("prefect-check-*.sarif", data)
	if err == nil {
		err = a.job.Output("sarif", path)
	}
	if err != nil { // what was planned or deployed stands without it
		a.job.Warning(ci.Place{}, "no SARIF file", diag.CleanLines(err.Error()))
	}
}

func (a *action) ofFault(d *diag.Diagnostic) ci.Annotation {
	level := ci.LevelWarning
	if d.Severity == diag.Error {
		level = ci.LevelError
	}
	text := d.Message
	for _, r := range d.Related {
		text += "\n" + r.Message + " " + r.Position.String()
	}
	if d.Help != "" {
		text += "\n" + d.Help
	}
	return ci.Annotation{Level: level, Place: a.placeOf(d.File, d.Line), Title: d.Code, Text: text}
}

// placeOf is a place in the repository, none without a file.
func (a *action) placeOf(file string, line int) ci.Place {
	if file == "" {
		return ci.Place{}
	}
	return ci.Place{File: diag.Clean(a.prefix + file), Line: line}
}

// ofFailure is a deployment that failed or was skipped.
func (a *action) ofFailure(d *plan.Deployment) ci.Annotation {
	weight := 0
	if d.Outcome == plan.Skipped { // for the sake of one that failed
		weight = 1
	}
	return ci.Annotation{Level: ci.LevelError, Place: a.place(d), Title: d.Name.String(), Text: string(d.Outcome) + ": " + d.Error, Weight: weight}
}

// The weights of changes: what is lost comes first, what only the build changes last.
const (
	weighsDelete = iota
	weighsCreate
	weighsUpdate
	weighsRebuild
)

// ofChanges says of each line what it changes on the server.
func (a *action) ofChanges(v *report.View) []ci.Annotation {
	var out []ci.Annotation
	say := func(weight int, at ci.Place, it *report.Item, text string) {
		out = append(out, ci.Annotation{Level: ci.LevelNotice, Place: at, Title: "Prefect plan", Text: diag.Clean(it.Name) + ": " + text, Weight: weight})
	}
	for i := range v.Deployments {
		it := &v.Deployments[i]
		at := a.placeOf(it.File, it.Line)
		switch it.Action {
		case plan.Delete:
			say(weighsDelete, a.top(), it, "is no longer declared and will be deleted"+it.Takes())
		case plan.Create:
			say(weighsCreate, at, it, "is new and will be created")
		case plan.Update, plan.Rebuild:
			weight := weighsUpdate
			if it.Action == plan.Rebuild {
				weight = weighsRebuild
			}
			for j := range it.Changes {
				c := &it.Changes[j]
				line := at
				if c.Line > 0 {
					line = a.placeOf(it.File, c.Line)
				}
				say(weight, line, it, diag.Clean(c.Path)+": "+changeText(c))
			}
		}
	}
	return out
}

// top is where deletes are told: what is no longer declared has no line. With several files nobody knows which one declared it.
func (a *action) top() ci.Place {
	files := a.files()
	if len(files) != 1 || strings.ContainsAny(files[0], "*?[") || filepath.IsAbs(files[0]) {
		return ci.Place{}
	}
	return a.placeOf(filepath.ToSlash(filepath.Clean(files[0])), 1)
}

// changeText is a change in one line, without what must not be seen.
func changeText(c *report.Change) string {
	before, after := report.Show(c.Before), report.Show(c.After)
	switch {
	case c.Value == plan.Sensitive:
		return "another (sensitive) value"
	case c.Value == plan.AfterBuild:
		return "known after build"
	case c.Value == report.NotHere:
		return "depends on a variable that is not set here"
	case c.Reason == "added":
		return "added, " + after
	case c.Reason == "removed":
		return "removed, it was " + before
	}
	return before + " → " + after
}
