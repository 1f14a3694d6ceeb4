// The options of plan and deploy: this program's own, and those of `prefect deploy` under their own names.
package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/prefect"
	"github.com/org/prefect-deploy-action/runner/state"
)

// What --jobs, --retries and --max-deletes are when nobody says.
const (
	defaultJobs       = 4
	defaultRetries    = 0
	defaultMaxDeletes = 5
)

// options are the flags as given.
type options struct {
	files   []string
	dir     string
	names   []string
	all     bool
	state   string
	jobs    int
	timeout time.Duration
	retries int
	fast    bool
	quiet   bool
	prune   bool
	deletes int
	base    string
	// onto is the commit that a pull request is to be merged onto.
	onto string
	plan string
	// environment is the target's name: part of the owner that a created deployment carries.
	environment string
	debug       bool
	given

	json, markdown string
	detailed       bool

	description, version, versionType, pool, queue string
	anchor, timezone, params, strategy             string
	tags, jobVariables, cron, rrule, param         []string
	triggers, slas                                 []string
	interval                                       []int64
	limit                                          int64
	enforce                                        bool
}

func (o *options) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&o.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringArrayVarP(&o.names, "name", "n", nil, "a deployment: NAME, FLOW/NAME, or a pattern with *; repeatable")
	f.BoolVar(&o.all, "all", false, "all deployments of the file")
	f.StringVar(&o.state, "state", "", "file:PATH instead of the Prefect API of PREFECT_API_URL; for plans also git:REF, the intent of a commit")
	f.IntVar(&o.jobs, "jobs", defaultJobs, "steps and writes at once")
	f.DurationVar(&o.timeout, "timeout", 0, "time limit of a step, such as 10m")
	f.IntVar(&o.retries, "retries", defaultRetries, "repeats of a step on network failures (requests to the server are always repeated)")
	f.BoolVar(&o.fast, "fail-fast", false, "start nothing more after the first failure")
	f.BoolVar(&o.prune, "prune", false, "delete owned deployments that the file no longer declares")
	f.IntVar(&o.deletes, "max-deletes", defaultMaxDeletes, "the most deployments that --prune may delete")
	f.StringVar(&o.environment, "environment", "", "the target's name (staging, production): part of what owns a deployment")
	f.StringVar(&o.base, "base", "", "the commit whose file tells what was declared before")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	o.given.add(f)
	f.BoolVar(&o.debug, "debug", false, "show each request to the Prefect API on stderr")
	f.StringVar(&o.json, "json", "", "write the plan as JSON to `FILE`; - is stdout")
	f.StringVar(&o.markdown, "markdown", "", "write the plan as Markdown to `FILE`; - is stdout")
	f.BoolVar(&o.detailed, "detailed-exitcode", false, "exit 2 when there are changes")

	f.StringVarP(&o.description, "description", "d", "", "the deployment's description")
	f.StringVar(&o.version, "version", "", "the deployment's version")
	f.StringVar(&o.versionType, "version-type", "", "where the version comes from: vcs:github, vcs:git, prefect:simple, …")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "a tag; repeatable")
	f.StringVarP(&o.pool, "pool", "p", "", "the work pool")
	f.StringVarP(&o.queue, "work-queue", "q", "", "the work queue")
	f.StringArrayVar(&o.jobVariables, "job-variable", nil, "KEY=VALUE or a JSON object, in place of the file's job variables; repeatable")
	f.StringArrayVar(&o.cron, "cron", nil, "a cron schedule; repeatable")
	f.Int64SliceVar(&o.interval, "interval", nil, "an interval schedule in seconds; repeatable")
	f.StringVar(&o.anchor, "anchor-date", "", "the anchor date of all interval schedules")
	f.StringArrayVar(&o.rrule, "rrule", nil, "an RRule schedule; repeatable")
	f.StringVar(&o.timezone, "timezone", "", "the time zone of all schedules")
	f.StringArrayVar(&o.param, "param", nil, "NAME=JSON or text; repeatable")
	f.StringVar(&o.params, "params", "", "a JSON object of parameters")
	f.StringArrayVar(&o.triggers, "trigger", nil, "a trigger as JSON, or a .yaml or .json file with triggers, in place of the file's; repeatable")
	f.StringArrayVar(&o.slas, "sla", nil, "an SLA as JSON, or a .yaml or .json file with sla, in place of the file's; repeatable")
	f.Int64Var(&o.limit, "concurrency-limit", 0, "the most runs at once")
	f.StringVar(&o.strategy, "collision-strategy", "", "ENQUEUE or CANCEL_NEW")
	f.BoolVar(&o.enforce, "enforce-parameter-schema", true, "check parameters against the flow's signature")
	f.Bool("no-enforce-parameter-schema", false, "do not check parameters")
	_ = c.RegisterFlagCompletionFunc("collision-strategy", cobra.FixedCompletions([]string{"ENQUEUE", "CANCEL_NEW"}, cobra.ShellCompDirectiveNoFileComp))
}

// one allows the positional entrypoint.
func one(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usage("%s takes one entrypoint, and there are %d: %s", c.CommandPath(), len(args), strings.Join(args, " "))
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
		CollisionStrategy: text("collision-strategy", o.strategy)}
	if c.Flags().Changed("concurrency-limit") {
		r.ConcurrencyLimit = &o.limit
	}
	no, _ := c.Flags().GetBool("no-enforce-parameter-schema")
	r.NoEnforceSchema = no || !o.enforce
	return r
}

// run turns the options into what a run is told; entrypoint is the positional one, "" for none. The caller closes the state.
func (o *options) run(w cli.World, overrides resolve.Overrides, entrypoint string) (deploy.Options, error) {
	switch {
	case o.jobs < 1:
		return deploy.Options{}, cli.Usage("--jobs %d: at least one step or write runs at once", o.jobs)
	case o.deletes < 0:
		return deploy.Options{}, cli.Usage("--max-deletes %d: write 0 or more", o.deletes)
	case o.retries < 0:
		return deploy.Options{}, cli.Usage("--retries %d: write 0 or more", o.retries)
	case o.json == "-" && o.markdown == "-":
		return deploy.Options{}, cli.Usage("--json - and --markdown - can't both have stdout: name a file for one of them")
	}
	dir, err := o.directory()
	if err != nil {
		return deploy.Options{}, err
	}
	r := deploy.Options{Directory: dir, Selection: resolve.Selection{Names: o.names, All: o.all, Entrypoint: entrypoint}, Overrides: overrides, Env: w.Env, Environ: w.Environ,
		Jobs: o.jobs, Timeout: o.timeout, Retries: o.retries, FailFast: o.fast, Patterns: o.files, Base: o.base, Onto: o.onto, Prune: o.prune, MaxDeletes: o.deletes, Environment: o.environment}
	if r.Overrides.Triggers, err = mappings(dir, "trigger", "triggers", o.triggers); err != nil {
		return r, err
	}
	if r.Overrides.SLAs, err = mappings(dir, "sla", "sla", o.slas); err != nil {
		return r, err
	}
	r.Token, _ = w.Env("GITHUB_TOKEN")
	r.Overrides.DefaultWorkPool, _ = w.Env("PREFECT_DEFAULT_WORK_POOL_NAME")
	if err := o.read(&r, dir); err != nil {
		return r, err
	}
	if r.Given, err = o.given.read(dir); err != nil {
		return r, err
	}
	if o.plan != "" {
		if r.Reviewed, err = os.ReadFile(o.plan); err != nil {
			return r, cli.Fail("--plan: %v", err)
		}
	}
	r.State, err = o.open(w, dir)
	return r, err
}

// directory is the absolute working directory.
func (o *options) directory() (string, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return "", cli.Fail("-C %s: %v", o.dir, err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", cli.Usage("-C %s: there is no such directory", o.dir)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // Prefect writes the resolved directory into pull steps
	}
	return dir, nil
}

func (o *options) read(r *deploy.Options, dir string) error {
	files, err := cli.Read(dir, o.files)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && len(o.files) == 1:
		r.Missing = filepath.ToSlash(o.files[0])
	default:
		return cli.Fail("%v", err)
	}
	for _, f := range files {
		r.Files = append(r.Files, deploy.File{Name: f.Name, Data: f.Data})
	}
	return nil
}

// open opens the state: a file, or the Prefect API. Neither is an error that names both; there is never a silent local write.
func (o *options) open(w cli.World, dir string) (*state.State, error) {
	if path, ok := strings.CutPrefix(o.state, "file:"); ok && path != "" {
		return state.OpenFile(under(dir, path)) // as if started in -C DIR
	}
	if ref, ok := strings.CutPrefix(o.state, "git:"); ok && ref != "" {
		return deploy.GitState(ref), nil
	}
	if o.state != "" {
		return nil, cli.Usage("--state %q is neither file:PATH nor git:REF", o.state)
	}
	config, err := prefect.LoadConfig(w.Env, os.ReadFile)
	if err != nil {
		return nil, cli.Fail("%v", err)
	}
	settings := prefect.Options{MaxWriters: max(o.jobs, 2)}
	if o.debug {
		t := &trace{to: w.Stderr, next: http.DefaultTransport, now: time.Now}
		settings.Transport, settings.Log = t, t.line
	}
	return state.OpenPrefect(prefect.New(config, settings)), nil
}

// expandShort turns the older `-jv` into --job-variable: it is the one short form of two letters.
func expandShort(args []string) []string {
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		if a == "-jv" {
			a = "--job-variable"
		} else if v, ok := strings.CutPrefix(a, "-jv="); ok {
			a = "--job-variable=" + v
		}
		out = append(out, a)
	}
	return out
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
