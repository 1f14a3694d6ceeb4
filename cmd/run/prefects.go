// The options of `prefect deploy`, under their own names and with the meaning that its command line gives them. That one is read by cyclopts, ours by pflag, which differ in
// small things that a script can stumble over: there a single option that comes twice is an error (pflag takes the last), a value that looks like an option is one (pflag
// swallows it: `--name --all` would deploy a deployment called --all), every list has an --empty- form, `_` stands for `-` in names, whole numbers may be 0x10 or 1.0, and
// yes and no have more spellings. testdata/options.json holds what the real one makes of some dozens of command lines; the test compares one by one.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// isPrefects marks the flags of this file.
const isPrefects = "prefect"

// addPrefects adds what `prefect deploy` takes.
func (o *options) addPrefects(c *cobra.Command) {
	f := c.Flags()
	o.enforce = true
	for _, t := range []struct {
		at                       *string
		name, short, kind, about string
	}{
		{&o.description, "description", "d", "TEXT", "the deployment's description"},
		{&o.version, "version", "", "TEXT", "the deployment's version"},
		{&o.versionType, "version-type", "", "TYPE", "where the version comes from: vcs:github, vcs:git, prefect:simple, …"},
		{&o.pool, "pool", "p", "NAME", "the work pool"},
		{&o.queue, "work-queue", "q", "NAME", "the work queue"},
		{&o.anchor, "anchor-date", "", "DATE", "the anchor date of all interval schedules"},
		{&o.timezone, "timezone", "", "ZONE", "the time zone of all schedules"},
		{&o.params, "params", "", "JSON", "a JSON object of parameters"},
		{&o.strategy, "collision-strategy", "", "STRATEGY", "ENQUEUE or CANCEL_NEW"},
		{&o.profile, "profile", "", "NAME", "the profile of profiles.toml to take; it wins over the environment"},
		{&o.entrypoint, "entrypoint", "", "ENTRYPOINT", "the argument under another name"},
	} {
		f.VarP(&text{at: t.at, kind: t.kind}, t.name, t.short, t.about)
	}
	for _, l := range []struct {
		at                       *[]string
		name, short, kind, about string
	}{
		{&o.names, "name", "n", "NAME", "a deployment: NAME, FLOW/NAME, or a pattern with *; repeatable"},
		{&o.tags, "tag", "t", "TAG", "a tag; repeatable"},
		{&o.jobVariables, "job-variable", "", "KEY=VALUE", "KEY=VALUE or a JSON object, in place of the file's job variables; repeatable"},
		{&o.cron, "cron", "", "CRON", "a cron schedule; repeatable"},
		{&o.rrule, "rrule", "", "RRULE", "an RRule schedule; repeatable"},
		{&o.param, "param", "", "NAME=JSON", "NAME=JSON or text; repeatable"},
		{&o.triggers, "trigger", "", "TRIGGER", "a trigger as JSON, or a .yaml or .json file with triggers, in place of the file's; repeatable"},
		{&o.slas, "sla", "", "SLA", "an SLA as JSON, or a .yaml or .json file with sla, in place of the file's; repeatable"},
	} {
		addList(f, l.name, l.short, l.about, &list[string]{at: l.at, kind: l.kind, read: one})
	}
	addList(f, "interval", "", "an interval schedule in seconds; repeatable", &list[int64]{at: &o.interval, kind: "SECONDS", read: wholes})
	f.Var(&number{at: &o.limit}, "concurrency-limit", "the most runs at once")
	addSwitch(f, "all", "all deployments of the file", &o.all, true)
	addSwitch(f, "no-all", "", &o.all, false)
	addSwitch(f, "enforce-parameter-schema", "check parameters against the flow's signature (the default)", &o.enforce, true)
	addSwitch(f, "no-enforce-parameter-schema", "do not check parameters", &o.enforce, false)
	addSwitch(f, "no-prompt", "ask nothing, also on a terminal", &o.noPrompt, true)
	addSwitch(f, "prompt", "ask on a terminal (the default)", &o.noPrompt, false)
	f.VisitAll(func(f *pflag.Flag) {
		if f.Name == "prefect-file" {
			f.Annotations = map[string][]string{isPrefects: nil}
		}
		switch f.Value.(type) {
		case *text, *list[string], *list[int64], *number, *toggle, *empty:
			f.Annotations = map[string][]string{isPrefects: nil}
		}
	})
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	_ = c.RegisterFlagCompletionFunc("collision-strategy", cobra.FixedCompletions([]string{"ENQUEUE", "CANCEL_NEW"}, cobra.ShellCompDirectiveNoFileComp))
}

// twice is the error for a second one of what there can be one of.
func twice() error { return fmt.Errorf("it is given twice, and can be given once") }

// text is an option that stands once.
type text struct {
	at    *string
	kind  string
	given bool
}

func (t *text) String() string { return "" }
func (t *text) Type() string   { return t.kind }
func (t *text) Set(s string) error {
	if t.given {
		return twice()
	}
	t.given, *t.at = true, s
	return nil
}

// list is an option that may be repeated. What it fills is nil as long as it is not given.
type list[T any] struct {
	at      *[]T
	kind    string
	read    func(string) ([]T, error)
	emptied bool
}

func (l *list[T]) String() string { return "" }
func (l *list[T]) Type() string   { return l.kind }
func (l *list[T]) Set(s string) error {
	if l.emptied {
		return twice()
	}
	read, err := l.read(s)
	*l.at = append(*l.at, read...)
	return err
}

// clear is what --empty-NAME does.
func (l *list[T]) clear() error {
	if *l.at != nil || l.emptied {
		return twice()
	}
	l.emptied, *l.at = true, []T{}
	return nil
}

func addList[T any](f *pflag.FlagSet, name, short, about string, l *list[T]) {
	f.VarP(l, name, short, about)
	f.Var(&empty{l.clear}, "empty-"+name, "")
	flag := f.Lookup("empty-" + name)
	flag.NoOptDefVal, flag.Hidden = "true", true
}

// empty is the --empty- form of a list.
type empty struct{ clear func() error }

func (e *empty) String() string { return "" }
func (e *empty) Type() string   { return "bool" }
func (e *empty) Set(s string) error {
	on, err := boolean(s)
	if err != nil || !on {
		return err
	}
	return e.clear()
}

func one(s string) ([]string, error) { return []string{s}, nil }

// number is a whole number that stands once.
type number struct {
	at    *int64
	given bool
}

func (n *number) String() string { return "" }
func (n *number) Type() string   { return "N" }
func (n *number) Set(s string) error {
	if n.given {
		return twice()
	}
	v, err := whole(s)
	n.given, *n.at = true, v
	return err
}

// wholes reads one whole number, or a JSON list of them.
func wholes(s string) ([]int64, error) {
	if strings.HasPrefix(s, "[") {
		var l []int64
		if err := json.Unmarshal([]byte(s), &l); err != nil {
			return nil, fmt.Errorf("it is neither a whole number nor a JSON list of them")
		}
		return l, nil
	}
	v, err := whole(s)
	return []int64{v}, err
}

// whole reads a number as the real command line does: Python's integers, 0x10, 0b1 and 0o7, and fractions, which it rounds to even.
func whole(s string) (int64, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	var v int64
	var err error
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0o"), strings.HasPrefix(s, "0b"):
		v, err = strconv.ParseInt(s, 0, 64)
	case strings.Contains(s, "."):
		var f float64
		if f, err = strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64); err == nil && math.Abs(f) < 1<<53 {
			return int64(math.RoundToEven(f)), nil
		}
		err = strconv.ErrRange
	case strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__"):
		err = strconv.ErrSyntax
	default:
		v, err = strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	}
	if err != nil {
		return 0, fmt.Errorf("it is no whole number")
	}
	return v, nil
}

// toggle is one of the two names of a switch; the two share the memory of having been given.
type toggle struct {
	at    *bool
	on    bool
	given *bool
}

func (t *toggle) String() string { return "" }
func (t *toggle) Type() string   { return "bool" }
func (t *toggle) Set(s string) error {
	if *t.given {
		return twice()
	}
	said, err := boolean(s)
	*t.given, *t.at = true, said == t.on
	return err
}

// addSwitch adds a name of a switch: with on, giving it means true. The second name of a pair finds the first's memory.
func addSwitch(f *pflag.FlagSet, name, about string, at *bool, on bool) {
	given := new(bool)
	f.VisitAll(func(other *pflag.Flag) {
		if t, ok := other.Value.(*toggle); ok && t.at == at {
			given = t.given
		}
	})
	f.Var(&toggle{at: at, on: on, given: given}, name, about)
	flag := f.Lookup(name)
	flag.NoOptDefVal, flag.Hidden = "true", about == ""
}

// boolean reads what stands behind the = of a switch.
func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes", "y", "1", "true", "t":
		return true, nil
	case "no", "n", "0", "false", "f":
		return false, nil
	}
	return false, fmt.Errorf("it is neither true nor false")
}

// argument allows the positional entrypoint.
func argument(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usage("%s takes one entrypoint, and there are %d: %s", c.CommandPath(), len(args), strings.Join(args, " "))
	}
	if len(args) == 1 && c.Flags().Changed("entrypoint") {
		return cli.Usage("%s takes one entrypoint, and there are two: %s and --entrypoint", c.CommandPath(), args[0])
	}
	return nil
}

// overrides are the options that describe a deployment, as far as they were given.
func (o *options) overrides(c *cobra.Command) resolve.Overrides {
	text := func(name string, v string) *string {
		if c.Flags().Changed(name) {
			return &v
		}
		return nil
	}
	r := resolve.Overrides{Description: text("description", o.description), Version: text("version", o.version), VersionType: text("version-type", o.versionType),
		Tags: o.tags, WorkPool: text("pool", o.pool), WorkQueue: text("work-queue", o.queue), JobVariables: o.jobVariables, Cron: o.cron, RRule: o.rrule,
		Interval: o.interval, AnchorDate: text("anchor-date", o.anchor), Timezone: text("timezone", o.timezone), Param: o.param, Params: text("params", o.params),
		CollisionStrategy: text("collision-strategy", o.strategy), NoEnforceSchema: !o.enforce}
	if c.Flags().Changed("concurrency-limit") {
		r.ConcurrencyLimit = &o.limit
	}
	return r
}

// shortForms are Prefect's short forms of two letters.
var shortForms = map[string]string{"-jv": "--job-variable", "-cl": "--concurrency-limit"}

// expandShort writes them out.
func expandShort(args []string) []string {
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		name, v, joined := strings.Cut(a, "=")
		if long := shortForms[name]; long != "" {
			a = long
			if joined {
				a += "=" + v
			}
		}
		out = append(out, a)
	}
	return out
}

// swallowed finds an option of Prefect's that would take another option for its value, as in `--name --all`.
func swallowed(f *pflag.FlagSet, args []string) error {
	for i := 0; i+1 < len(args) && args[i] != "--"; i++ {
		var flag *pflag.Flag
		switch name, long := strings.CutPrefix(args[i], "--"); {
		case long:
			flag = f.Lookup(name)
		case len(args[i]) == 2 && args[i][0] == '-':
			flag = f.ShorthandLookup(args[i][1:])
		}
		if flag == nil || flag.NoOptDefVal != "" {
			continue
		}
		if _, ours := flag.Annotations[isPrefects]; ours && optionLike(args[i+1]) {
			return cli.Usage("%s needs a value, and %s looks like an option: if it is the value, write --%s=%s", args[i], diag.Quote(args[i+1]), flag.Name, args[i+1])
		}
		i++
	}
	return nil
}

// optionLike is cyclopts' idea of a word that is no value: a dash and no number.
func optionLike(word string) bool {
	return strings.HasPrefix(word, "-") && !regexp.MustCompile(`^-(\d|\.\d)`).MatchString(word)
}
