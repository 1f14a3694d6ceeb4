// What is seen of a run: act tells everything through its log, as fields of entries. Its text goes on, the commands among it are kept.
package replay

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"github.com/sirupsen/logrus"
)

// observer makes the loggers of jobs, which run side by side.
type observer struct {
	out  io.Writer
	tree *Tree
	// secrets are longest first, since one may hold another.
	secrets []string

	mu   sync.Mutex
	seen Result
}

func newObserver(out io.Writer, secrets map[string]string) *observer {
	o := &observer{out: out}
	for _, s := range secrets {
		if s != "" {
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
	l.SetFormatter(lines{})
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
	switch command {
	case "summary":
		o.seen.Summaries = append(o.seen.Summaries, text("content"))
	case "set-output":
		ids, _ := e.Data["stepID"].([]string)
		o.seen.Outputs = append(o.seen.Outputs, Output{strings.Join(ids, "/"), text("name"), text("arg")})
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

// mask does to what is kept what act does to its log.
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

// lines is the log's format: the job, and what a step said or act says of it.
type lines struct{}

// Format writes one entry.
func (lines) Format(e *logrus.Entry) ([]byte, error) {
	job, _ := e.Data["jobID"].(string)
	sign := ""
	if e.Data["raw_output"] == true {
		sign = "| "
	}
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(e.Message, "\r\n"), "\n") {
		fmt.Fprintf(&b, "[%s] %s%s\n", job, sign, strings.TrimRight(line, "\r"))
	}
	return []byte(b.String()), nil
}
