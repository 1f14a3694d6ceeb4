// The options of plan and deploy: this program's own, and those of `prefect deploy` under their own names.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/ci"
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
	// planKey keys the plan's hash; "" is PREFECT_DEPLOY_PLAN_KEY.
	planKey string
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
	// profile is --profile; noPrompt is --no-prompt, entrypoint the argument under its other name, --entrypoint.
	profile, entrypoint string
	noPrompt            bool
	// client is the server's, nil with a state in a file.
	client *prefect.Client
}

func (o *options) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&o.dir, "chdir", "C", ".", "as if started in `DIR`")
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
	o.addPrefects(c)
	o.completes(c)
}

// run turns the options into what a run is told; entrypoint is the positional one, "" for none. The caller closes the state.
func (o *options) run(w cli.World, overrides resolve.Overrides, entrypoint string) (deploy.Options, error) {
	if err := o.bounds("step or write"); err != nil {
		return deploy.Options{}, err
	}
	switch {
	case o.deletes < 0:
		return deploy.Options{}, cli.Usage("--max-deletes %d: write 0 or more", o.deletes)
	case o.json == "-" && o.markdown == "-":
		return deploy.Options{}, cli.Usage("--json - and --markdown - can't both have stdout: name a file for one of them")
	}
	dir, err := o.directory()
	if err != nil {
		return deploy.Options{}, err
	}
	r := deploy.Options{Directory: dir, Selection: resolve.Selection{Names: o.names, All: o.all, Entrypoint: entrypoint}, Overrides: overrides, Env: w.Env, Environ: w.Environ,
		Jobs: o.jobs, Timeout: o.timeout, Retries: o.retries, FailFast: o.fast, Patterns: o.files, Base: o.base, Onto: o.onto, Prune: o.prune, MaxDeletes: o.deletes, Environment: o.environment,
		Storage: storage(w.Stderr)}
	if r.Overrides.Triggers, err = mappings(dir, "trigger", "triggers", o.triggers); err != nil {
		return r, err
	}
	if r.Overrides.SLAs, err = mappings(dir, "sla", "sla", o.slas); err != nil {
		return r, err
	}
	if o.slas != nil && r.Overrides.SLAs == nil { // --empty-sla takes all away; --empty-trigger says nothing
		r.Overrides.SLAs = []value.Value{}
	}
	if r.PlanKey = o.planKey; r.PlanKey == "" {
		r.PlanKey, _ = w.Env(planKeyVariable)
	}
	r.Env, r.Environ = without(r.Env, r.Environ, planKeyVariable) // who has it can say that anything was reviewed: no template and no step
	r.Token, _ = w.Env("GITHUB_TOKEN")
	config, err := o.config(w, dir)
	if err != nil && !errors.Is(err, prefect.ErrNoAPIURL) && (o.state == "" || o.profile != "") {
		return r, cli.Fail("%v", err)
	}
	if r.Overrides.DefaultWorkPool = config.DefaultWorkPool; err != nil && config.DefaultWorkPool == "" { // a state in a file needs no settings that can be read
		r.Overrides.DefaultWorkPool, _ = w.Env("PREFECT_DEFAULT_WORK_POOL_NAME")
	}
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

// bounds refuses numbers that can't be meant; of are the things of which --jobs run at once.
func (o *options) bounds(of string) error {
	switch {
	case o.jobs < 1:
		return cli.Usage("--jobs %d: at least one %s runs at once", o.jobs, of)
	case o.retries < 0:
		return cli.Usage("--retries %d: write 0 or more", o.retries)
	case o.timeout < 0:
		return cli.Usage("--timeout %s: write a time limit, or leave it out", o.timeout)
	}
	return nil
}

// planKeyVariable holds what signs and keys a plan where there is no input for it.
const planKeyVariable = "PREFECT_DEPLOY_PLAN_KEY"

// without is an environment in which a variable is not set.
func without(env func(string) (string, bool), environ []string, variable string) (func(string) (string, bool), []string) {
	environ = slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, variable+"=") })
	return func(name string) (string, bool) {
		if name == variable {
			return "", false
		}
		return env(name)
	}, environ
}

// directory is the absolute working directory.
func (o *options) directory() (string, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return "", cli.Fail("-C %s: %v", o.dir, err)
	}
	if err := cli.IsDirectory(dir); err != nil {
		return "", err
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

// config reads Prefect's settings, as its client would in dir.
func (o *options) config(w cli.World, dir string) (prefect.Config, error) {
	return prefect.Load(settingsIn(w, dir, o.profile))
}

// settingsIn are the sources of settings for a run in dir. Whoever proposes a change decides not where the secrets of its job go.
func settingsIn(w cli.World, dir, profile string) prefect.Sources {
	tree, why := ci.WhoseTree(w.Env)
	trust := map[ci.Tree]prefect.Trust{ci.OwnTree: prefect.TrustTree, ci.UnknownTree: prefect.TrustLogin, ci.ProposedTree: prefect.TrustNoServer}[tree]
	return prefect.Sources{Env: w.Env, Profile: profile, Tree: trust, Why: why, InTree: func(path string) bool { return inTree(dir, path) },
		ReadFile: func(path string) ([]byte, error) { return os.ReadFile(under(dir, path)) }}
}

// inTree tells whether a path, or what a link there leads to, lies in the repository of dir, or in dir where there is none.
func inTree(dir, path string) bool {
	resolved := func(p string) string {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if real, err := filepath.EvalSymlinks(p); err == nil {
			return real
		}
		if real, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil {
			return filepath.Join(real, filepath.Base(p))
		}
		return p
	}
	root := strings.TrimSuffix(resolved(under(dir, ".")), strings.TrimSuffix(filepath.FromSlash(cli.WithinRepository(dir)), string(filepath.Separator)))
	for _, p := range []string{filepath.Clean(under(dir, path)), resolved(under(dir, path))} {
		if rel, err := filepath.Rel(root, p); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
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
	config, err := o.config(w, dir)
	if err != nil {
		return nil, cli.Fail("%v", err)
	}
	if config.Insecure {
		fmt.Fprintln(w.Stderr, "warning: certificates are not checked, since PREFECT_API_TLS_INSECURE_SKIP_VERIFY says so: whoever is between here and the server can read the key")
	}
	settings := prefect.Options{MaxWriters: max(o.jobs, 2)}
	if o.debug {
		t := &trace{to: w.Stderr, next: config.Transport(), now: time.Now}
		settings.Transport, settings.Log = t, t.line
	}
	o.client = prefect.New(config, settings)
	return state.OpenPrefect(o.client), nil
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
