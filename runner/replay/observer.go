// What is seen of a run: act tells everything through its log, as fields of entries. Its text goes on, the commands among it are kept.
package replay

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"github.com/nektos/act/pkg/runner"
	"github.com/sirupsen/logrus"
)

// shortest is the length of a secret, in bytes, below which it stays in the log: one of a single letter would take that letter out of every word.
const shortest = 4

// observer makes the loggers of jobs, which run side by side.
type observer struct {
	out  io.Writer
	tree *Tree
	// secrets are longest first, since one may hold another.
	secrets []string

	mu   sync.Mutex
	seen Result
	// ended is what became of the jobs of called workflows, by the name of the caller and of the job.
	ended map[[2]string]string
}

func newObserver(out io.Writer, secrets map[string]string) *observer {
	o := &observer{out: out, ended: map[[2]string]string{}}
	for _, s := range secrets {
		if len(s) >= shortest {
			o.secrets = append(o.secrets, s)
		}
	}
	sort.Slice(o.secrets, func(i, j int) bool {
		a, b := o.secrets[i], o.secrets[j]
		return len(a) > len(b) || len(a) == len(b) && a < b
	})
	return o
}

// WithJobLogger is act's hook for a logger of one's own.
func (o *observer) WithJobLogger() *logrus.Logger {
	l := logrus.New()
	l.SetOutput(o)
	l.SetFormatter(lines{short: o.tree != nil, mask: o.mask})
	l.AddHook(o)
	return l
}

// Write passes the log on, one entry at a time.
func (o *observer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tree != nil {
		o.tree.keep(p)
		return len(p), nil
	}
	return o.out.Write(p)
}

// Levels and Fire make it a hook of the logger.
func (o *observer) Levels() []logrus.Level { return logrus.AllLevels }

// Fire keeps what a command said.
func (o *observer) Fire(e *logrus.Entry) error {
	if o.tree != nil {
		o.tree.entry(e)
	}
	command, _ := e.Data["command"].(string)
	text := func(name string) string { s, _ := e.Data[name].(string); return o.mask(s) }
	o.mu.Lock()
	defer o.mu.Unlock()
	if result, ok := e.Data["jobResult"]; ok {
		o.ends(e, fmt.Sprint(result))
	}
	switch command {
	case "summary":
		o.seen.Summaries = append(o.seen.Summaries, text("content"))
	case "set-output":
		ids, _ := e.Data["stepID"].([]string)
		job, _ := e.Data["jobID"].(string)
		o.seen.Outputs = append(o.seen.Outputs, Output{job, strings.Join(ids, "/"), text("name"), text("arg")})
	case "error", "warning", "notice":
		fields := map[string]string{}
		given, _ := e.Data["kvPairs"].(map[string]string)
		for k, v := range given {
			fields[k] = o.mask(v)
		}
		o.seen.Annotations = append(o.seen.Annotations, Annotation{command, fields, text("arg")})
	}
	return nil
}

// mask hides secrets, in the log and in what is kept of it. act would hide each, however short.
func (o *observer) mask(s string) string {
	for _, secret := range o.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

func (o *observer) result() *Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.seen
	return &r
}

// lines is the log's format: the job, and what a step said or act says of it. short leaves out what act says, but for faults and the step that failed.
type lines struct {
	short bool
	mask  func(string) string
}

// Format writes one entry.
func (f lines) Format(e *logrus.Entry) ([]byte, error) {
	job, _ := e.Data["jobID"].(string)
	said, message := e.Data["raw_output"] == true, strings.TrimRight(f.mask(e.Message), "\r\n")
	if e.Context != nil {
		for _, text := range *runner.Masks(e.Context) { // ::add-mask::
			if len(text) >= shortest {
				message = strings.ReplaceAll(message, text, "***")
			}
		}
	}
	if f.short && !said {
		message = fault(e, message)
		if message == "" {
			return nil, nil
		}
	}
	sign := ""
	if said && !f.short {
		sign = "| "
	}
	var b strings.Builder
	for _, line := range strings.Split(message, "\n") {
		fmt.Fprintf(&b, "[%s] %s%s\n", job, sign, strings.TrimRight(line, "\r"))
	}
	return []byte(b.String()), nil
}

// fault is what an entry of act's own tells a person of a job that failed: an error or a warning that a step reported, or the name of the step that failed. "" for anything else.
func fault(e *logrus.Entry, message string) string {
	command, _ := e.Data["command"].(string)
	switch {
	case command == "error" || command == "warning":
		_, text, _ := strings.Cut(message, "::")
		if _, after, ok := strings.Cut(text, "::"); ok {
			return command + ": " + strings.NewReplacer("%0D", "", "%0A", "\n  ", "%25", "%").Replace(after)
		}
	case fmt.Sprint(e.Data["stepResult"]) == "failure":
		first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
		if ids, _ := e.Data["stepID"].([]string); len(ids) < 2 { // else a step of an action, whose own line follows
			return first
		}
	case e.Level <= logrus.ErrorLevel && !strings.HasPrefix(message, "exit status "):
		return message
	}
	return ""
}
