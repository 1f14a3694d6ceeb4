// Package ci is GitHub's side of a run: what the action was told (inputs, event), what it was therefore meant to do, and how it answers (annotations, groups,
// outputs, the job's summary). It knows nothing of plans.
//
// All of it passes through go-githubactions, which knows the runner's commands and files. What it leaves open is closed here: it panics where a file can't be
// written, it delimits outputs by a text that anyone can know, and it takes INPUT_* as GitHub sets them for JavaScript actions only.
package ci

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// prefix stands before the names of the variables in which action.yml hands its inputs on. GitHub sets no INPUT_* for a composite action's steps, while act does
// (actions/runner#665): names of our own mean the same in both, and an INPUT_* that some other step left in the environment is not taken for an answer.
const prefix = "PREFECT_DEPLOY_"

// Job is the job that the program runs in.
type Job struct {
	github *githubactions.Action
	out    io.Writer
	getenv githubactions.GetenvFunc
	said   map[Level]int // the annotations so far, as GitHub shows only the first ones
}

// New is the job described by the environment lookup. Commands and everything else go to out, one stream, so that they keep their order.
func New(out io.Writer, lookup func(string) (string, bool)) *Job {
	getenv := func(name string) string {
		if strings.HasPrefix(name, "INPUT_") {
			name = Variable(name[len("INPUT_"):])
		}
		v, _ := lookup(name)
		return v
	}
	return &Job{github: githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(getenv)), out: out, getenv: getenv, said: map[Level]int{}}
}

// Variable is the environment variable in which action.yml hands an input on: deploy-branches is PREFECT_DEPLOY_INPUT_DEPLOY_BRANCHES. There is no hyphen in it,
// since shells drop variables whose name has one.
func Variable(input string) string {
	return prefix + "INPUT_" + strings.ToUpper(strings.ReplaceAll(input, "-", "_"))
}

// Own tells whether an environment variable is one of those that action.yml sets for this program alone, secrets among them: steps must not inherit it.
func Own(name string) bool {
	return strings.HasPrefix(name, prefix+"INPUT_") || name == prefix+"PROGRAM"
}

// Mask makes the runner replace a secret in everything that it logs from now on.
func (j *Job) Mask(secret string) {
	if strings.TrimSpace(secret) != "" {
		j.github.AddMask(secret)
	}
}

// Place is where an annotation points: a file relative to the repository's root, a line from 1. The zero Place is none.
type Place struct {
	File string
	Line int
}

func (j *Job) at(p Place, title string) *githubactions.Action {
	fields := githubactions.CommandProperties{}
	if p.File != "" {
		fields["file"] = p.File
		if p.Line > 0 {
			fields["line"] = fmt.Sprint(p.Line)
		}
	}
	if title != "" {
		fields["title"] = title
	}
	return j.github.WithFieldsMap(fields)
}

// Error annotates with what failed. Title and text may be of several lines and hold anything, as those of Warning and Notice may.
func (j *Job) Error(p Place, title, text string) { j.say(LevelError, p, title, text) }

// Warning annotates with what was not done, or may not be meant.
func (j *Job) Warning(p Place, title, text string) { j.say(LevelWarning, p, title, text) }

// Notice annotates with what is as it should be and yet worth a word.
func (j *Job) Notice(p Place, title, text string) { j.say(LevelNotice, p, title, text) }

func (j *Job) say(level Level, p Place, title, text string) {
	j.said[level]++
	switch at := j.at(p, title); level {
	case LevelError:
		at.Errorf("%s", text)
	case LevelWarning:
		at.Warningf("%s", text)
	default:
		at.Noticef("%s", text)
	}
}

// Print shows text that files or servers may have a say in. It stands between `::stop-commands::` and its token, as the runner obeys a `##[command]` in the middle
// of a line too. With a title it is folded away under it.
func (j *Job) Print(title, text string) error {
	if title != "" {
		j.github.Group(title)
		defer j.github.EndGroup()
	}
	token := random()
	_, err := fmt.Fprintf(j.out, "::stop-commands::%s\n%s\n::%s::\n", token, strings.TrimRight(text, "\n"), token)
	return err
}

func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Output sets an output of the step: nothing happens where there is nobody to read it. The delimiter is drawn anew for each, as a value that can guess it could
// set further outputs.
func (j *Job) Output(name, value string) error {
	if j.getenv("GITHUB_OUTPUT") == "" {
		return nil
	}
	delimiter := "end-" + random()
	return j.file(&githubactions.Command{Name: "output", Message: name + "<<" + delimiter + githubactions.EOF + value + githubactions.EOF + delimiter}, "GITHUB_OUTPUT")
}

// mostSummary is what the runner takes of a step's summary, 1 MiB, less room for the line that says what is missing. Beyond it the whole upload fails.
const mostSummary = 1<<20 - 1024

// Summary adds Markdown to the job's summary. Of too much the first whole sections stay.
func (j *Job) Summary(markdown string) error {
	if j.getenv("GITHUB_STEP_SUMMARY") == "" {
		return nil
	}
	return j.file(&githubactions.Command{Name: "step-summary", Message: cut(markdown)}, "GITHUB_STEP_SUMMARY")
}

// cut shortens to what a summary holds, at a place where no fold or fence is open.
func cut(markdown string) string {
	if len(markdown) <= mostSummary {
		return markdown
	}
	head := markdown[:mostSummary]
	end := strings.LastIndex(head, "\n<details>")
	if end < 0 {
		end = max(strings.LastIndexByte(head, '\n'), 0)
	}
	return head[:end] + "\n\nThe rest is left out, as a summary holds 1 MiB; the output `plan` names the file with all of it.\n"
}

// file writes to one of the runner's files. go-githubactions panics where that fails.
func (j *Job) file(c *githubactions.Command, variable string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s names a file that cannot be written: %v", variable, r)
		}
	}()
	j.github.IssueFileCommand(c)
	return nil
}
