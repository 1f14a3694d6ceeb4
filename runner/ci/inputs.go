// The inputs, by name. This list, action.yml's `inputs:` and the variables of its `env:` are one and the same: a test holds them against each other.
package ci

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// InputNames are the inputs that exist now, in action.yml's order.
func InputNames() []string {
	return []string{"mode", "deployment-names", "all-deployments", "deployment-file-path", "requirements-file-paths", "pyproject-toml-path", "working-directory",
		"deploy-branches", "api-url", "api-key", "api-auth-string", "state", "comment", "github-token", "environment", "plan-policy", "plan-key", "prune", "max-deletes",
		"jobs", "timeout", "retries", "step", "from", "results", "skip-build", "keep-going", "outputs", "phase", "image-id"}
}

// OutputNames are the outputs that exist now, in action.yml's order.
func OutputNames() []string {
	return []string{"result", "plan", "hash", "create", "update", "rebuild", "delete", "unchanged", "changed", "deployments", "comment-url", "steps", "inputs", "sarif"}
}

// Inputs are what the workflow's author wrote under `with:`. An input that was left out has its zero value.
type Inputs struct {
	Mode Mode
	// Names are deployments (`flow/name`, patterns with *); All overrides them.
	Names []string
	All   bool
	// Files are prefect.yaml files, patterns allowed, relative to WorkingDirectory, as Requirements and Pyproject are.
	Files, Requirements []string
	Pyproject           string
	WorkingDirectory    string
	// DeployBranches are the branches, patterns allowed, whose pushes deploy; none means the default branch.
	DeployBranches []string

	APIURL, APIKey, APIAuthString string
	// State is "", file:PATH or git:REF.
	State string
	// Comment shows plans in the pull request; Token is what for. Environment is the target's name.
	Comment            bool
	Token, Environment string
	// Policy is require, warn or ignore; PlanKey signs what was reviewed.
	Policy, PlanKey string
	// Prune deletes what is no longer declared, at most MaxDeletes of it; -1 when unsaid.
	Prune      bool
	MaxDeletes int
	// Jobs is how many steps and writes run at once, Retries how often a step is repeated on network failures; -1 when unsaid. Timeout bounds a step; 0 is no bound.
	Jobs, Retries int
	Timeout       time.Duration

	// Steps are the keys of mode step. From are files of outputs of earlier jobs, patterns allowed; SkipBuild runs no step in plan and deploy. Outputs is the file to write.
	Steps, From []string
	SkipBuild   bool
	// KeepGoing makes mode step leave out the steps of which something that they need was not given.
	KeepGoing bool
	Outputs   string
	// Results are how the jobs ended that wrote the files of From: pairs of a job and its result.
	Results [][2]string
	// Phase is "", inputs or outputs: what stands around a native builder. ImageID is what it gave.
	Phase, ImageID string
}

// Inputs reads the inputs. The error names every input that can't be meant.
func (j *Job) Inputs() (Inputs, error) {
	var r reader
	get := j.github.GetInput
	in := Inputs{
		Mode: r.mode(get("mode")), Names: list(get("deployment-names")), All: r.truth("all-deployments", get("all-deployments")),
		Files: list(get("deployment-file-path")), Requirements: list(get("requirements-file-paths")), Pyproject: get("pyproject-toml-path"),
		WorkingDirectory: get("working-directory"), DeployBranches: list(get("deploy-branches")),
		APIURL: get("api-url"), APIKey: get("api-key"), APIAuthString: get("api-auth-string"), State: r.state(get("state")),
		Comment: !strings.EqualFold(get("comment"), "false"), Token: get("github-token"), Environment: get("environment"), Policy: r.policy(get("plan-policy")), PlanKey: get("plan-key"),
		Prune: r.truth("prune", get("prune")), MaxDeletes: r.number("max-deletes", get("max-deletes"), 0),
		Jobs: r.number("jobs", get("jobs"), 1), Retries: r.number("retries", get("retries"), 0), Timeout: r.duration("timeout", get("timeout")),
		Steps: list(get("step")), From: list(get("from")), SkipBuild: r.truth("skip-build", get("skip-build")), KeepGoing: r.truth("keep-going", get("keep-going")), Outputs: get("outputs"), Phase: strings.ToLower(get("phase")), ImageID: get("image-id"),
	}
	in.Results = r.results(get("results"))
	r.steps(in)
	if text := get("comment"); text != "" {
		r.truth("comment", text)
	}
	if in.Policy == "require" && in.PlanKey == "" {
		r.fault("plan-policy", "require", "it needs plan-key, a secret that signs what was reviewed")
	}
	if in.Policy == "require" && in.Mode == Prune && in.Prune {
		r.fault("prune", "true", "with plan-policy: require nothing is deleted that no review showed, and mode: prune has no review; let the deploy delete (mode: auto or deploy with prune: true), whose plan in the pull request names it")
	}
	if len(r.faults) > 0 {
		return in, fmt.Errorf("%s", strings.Join(r.faults, "\n"))
	}
	return in, nil
}

// list splits at commas and line ends.
func list(text string) []string {
	var out []string
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// reader collects what is wrong, so that one run tells all of it.
type reader struct{ faults []string }

func (r *reader) fault(input, text, write string) {
	r.faults = append(r.faults, fmt.Sprintf("the input %s is %s: %s", input, diag.Quote(text), write))
}

func (r *reader) mode(text string) Mode {
	switch m := Mode(strings.ToLower(text)); m {
	case "":
		return Auto
	case Auto, Plan, Deploy, Check, Step, Prune, Review, PullCheck:
		return m
	}
	r.fault("mode", text, "write auto, plan, deploy, check, pull-check, review, prune or step")
	return Auto
}

// steps are the inputs of mode step: most of them mean nothing elsewhere, and to pass over one in silence would run all steps where one was meant. In a deploy, step names those that run in its job.
func (r *reader) steps(in Inputs) {
	if in.Mode == Step && len(in.Steps) == 0 {
		r.fault("step", "", "mode: step needs the key of a step, or several")
	}
	if in.Mode == Step && in.SkipBuild {
		r.fault("skip-build", "true", "mode: step runs the steps that the input step names")
	}
	if in.SkipBuild && len(in.Steps) > 0 && in.Mode != Step {
		r.fault("step", strings.Join(in.Steps, ","), "with skip-build no step runs")
	}
	if (in.Mode == Check || in.Mode == Prune || in.Mode == Review || in.Mode == PullCheck) && len(in.Steps) > 0 {
		r.fault("step", strings.Join(in.Steps, ","), "mode: "+string(in.Mode)+" runs no step of a build or push section")
	}
	for _, i := range [][2]string{{"outputs", in.Outputs}, {"phase", in.Phase}, {"image-id", in.ImageID}} {
		if in.Mode != Step && i[1] != "" {
			r.fault(i[0], i[1], "it goes with mode: step only")
		}
	}
	if in.Phase != "" && in.Phase != "inputs" && in.Phase != "outputs" && in.Phase != "done" {
		r.fault("phase", in.Phase, "write inputs, outputs or done, or leave it out to run the step")
	}
}

func (r *reader) policy(text string) string {
	switch strings.ToLower(text) {
	case "", "warn":
		return "warn"
	case "require", "ignore":
		return strings.ToLower(text)
	}
	r.fault("plan-policy", text, "write warn, require or ignore")
	return "warn"
}

func (r *reader) results(text string) (out [][2]string) {
	for _, item := range list(text) {
		job, result, ok := strings.Cut(item, "=")
		if !ok || job == "" {
			r.fault("results", item, "write JOB=${{ needs.JOB.result }}, a line for each job")
		}
		out = append(out, [2]string{job, result})
	}
	return out
}

func (r *reader) truth(input, text string) bool {
	switch strings.ToLower(text) {
	case "", "false":
		return false
	case "true":
		return true
	}
	r.fault(input, text, "write true or false")
	return false
}

func (r *reader) number(input, text string, least int) int {
	if text == "" {
		return -1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > 1000 {
		r.fault(input, text, fmt.Sprintf("write a whole number from %d to 1000", least))
	}
	return n
}

func (r *reader) duration(input, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.fault(input, text, "write a number with its unit, such as 90s, 10m or 1h30m")
	}
	return d
}

func (r *reader) state(text string) string {
	for _, kind := range []string{"file:", "git:"} {
		if what, ok := strings.CutPrefix(text, kind); ok && what != "" {
			return text
		}
	}
	if text != "" {
		r.fault("state", text, "write file:PATH, or git:REF for plans only, or leave it out for the Prefect API")
	}
	return text
}
