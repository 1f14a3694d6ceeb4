// How long jobs may run, and which versions of actions others may move: x-ci.github.timeout-minutes, x-ci.gitlab.timeout, and what setup and patches use.
package spec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// The platforms' own bounds for a job, in minutes: on GitHub's machines, on machines of one's own (5 days), and GitLab's (a month).
const (
	mostHosted = 360
	mostOwn    = 5 * 24 * 60
	mostGitLab = 30 * 24 * 60
)

// ciMinutes is a number of minutes, or one for each of some jobs.
func (c *checker) ciMinutes(v value.Value, path string) {
	c.ciOfJobs(v, path, func(v value.Value, path string) {
		switch {
		case v.Kind != value.Int:
			c.wrong(v, path, "a whole number of minutes", "write 90, or a number for each of some jobs: {register: 45}")
		case v.Big() || v.Int < 1 || v.Int > mostOwn:
			c.ciFault(v, fmt.Sprintf("%s is %s, and GitHub gives a job from 1 to %d minutes", path, v.Str(), mostOwn), "write 90, or remove the line")
		}
	})
}

// ciHosted holds times against what GitHub's own machines give, where the jobs run on those.
func (c *checker) ciHosted(github value.Value) {
	on, _ := github.Get("runs-on")
	hosted := on.IsNull()
	for _, system := range []string{"ubuntu-", "windows-", "macos-"} {
		hosted = hosted || on.Kind == value.Text && strings.HasPrefix(on.Text, system)
	}
	times, _ := github.Get("timeout-minutes")
	if !hosted || times.IsNull() {
		return
	}
	eachOf(times, func(v value.Value) {
		if v.Kind == value.Int && !v.Big() && v.Int > mostHosted && v.Int <= mostOwn {
			c.ciFault(v, fmt.Sprintf("GitHub's own machines end a job after %d minutes, and this is %d", mostHosted, v.Int), "write at most 360, or name machines of your own under runs-on")
		}
	})
}

// eachOf visits a value, or each of a mapping.
func eachOf(v value.Value, visit func(value.Value)) {
	if v.Kind != value.Map {
		visit(v)
	}
	for _, e := range v.Map {
		visit(e.Value)
	}
}

// ciOfJobs is a value for all jobs that run steps, or a mapping with one for each of some.
func (c *checker) ciOfJobs(v value.Value, path string, each func(v value.Value, path string)) {
	if v.Kind != value.Map {
		each(v, path)
		return
	}
	for _, e := range v.Map {
		each(e.Value.At(orElse(e.Value.Pos, e.KeyPos)), path+"."+e.Key)
	}
}

func orElse(p, q value.Pos) value.Pos {
	if p.Known() {
		return p
	}
	return q
}

// ciTimeout is a time in GitLab's words, or one for each of some jobs.
func (c *checker) ciTimeout(v value.Value, path string) {
	c.ciOfJobs(v, path, func(v value.Value, path string) {
		if v.Kind != value.Text {
			c.wrong(v, path, "a time as GitLab writes it", "write 90 minutes, or 1h 30m; a number alone would be seconds")
			return
		}
		if minutes, ok := gitLabTime(v.Text); !ok || minutes < 1 || minutes > mostGitLab {
			c.ciFault(v, fmt.Sprintf("%s is %s, and GitLab takes a time from a minute to a month", path, diag.Quote(v.Text)), "write 90 minutes, or 1h 30m")
		}
	})
}

// gitLabTime reads "1h 30m" or "90 minutes".
func gitLabTime(text string) (minutes float64, ok bool) {
	units := []struct {
		of    float64
		names string
	}{{1. / 60, " s sec secs second seconds "}, {1, " m min mins minute minutes "}, {60, " h hr hrs hour hours "}, {24 * 60, " d day days "}, {7 * 24 * 60, " w wk wks week weeks "}}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 1 {
			return 0, false
		}
		n, err := strconv.ParseUint(rest[:digits], 10, 31)
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		known := false
		for _, u := range units {
			if letters > 0 && strings.Contains(u.names, " "+rest[:letters]+" ") {
				minutes, known = minutes+float64(n)*u.of, true
			}
		}
		if err != nil || !known {
			return 0, false
		}
		rest, ok = rest[letters:], true
	}
	return minutes, ok
}

// ciPinned warns of an action by a name that its owner, or whoever takes the account over, can move: the job's secrets go with it.
func (c *checker) ciPinned(uses value.Value, path string) {
	name, ref, at := strings.Cut(uses.Text, "@")
	switch {
	case uses.Kind != value.Text || strings.HasPrefix(uses.Text, "./") || strings.HasPrefix(ref, "sha256:") || strings.Contains(uses.Text, "${{"):
	case strings.HasPrefix(uses.Text, "docker://"):
		c.fault(diag.Warning, "unpinned-action", uses, fmt.Sprintf("%s uses the image %s without its digest, so others decide what runs beside the job's secrets", path, diag.Quote(uses.Text)), "write "+name+"@sha256:…")
	case !at || len(ref) != 40 && len(ref) != 64 || strings.Trim(ref, "0123456789abcdef") != "":
		c.fault(diag.Warning, "unpinned-action", uses, fmt.Sprintf("%s uses %s, which can be moved to other code: only a commit says what runs beside the job's secrets", path, diag.Quote(uses.Text)),
			"write the commit, and the version behind it: "+diag.Clean(name)+"@COMMIT # "+diag.Clean(version(ref)))
	}
}

func version(ref string) string {
	if ref == "" {
		return "v1.2.3"
	}
	return ref
}

// ciUses looks for actions within a patch's value.
func (c *checker) ciUses(v value.Value, path string) {
	for _, item := range v.List {
		c.ciUses(item, path)
	}
	for _, e := range v.Map {
		if e.Key == "uses" {
			c.ciPinned(e.Value, path)
			continue
		}
		c.ciUses(e.Value, path)
	}
}

// ciPolicy is what binds a deploy to what was reviewed, in the words of the action's input.
func (c *checker) ciPolicy(v value.Value, path string) {
	if v.Kind != value.Text || v.Text != "require" && v.Text != "warn" && v.Text != "ignore" {
		c.ciFault(v, path+" is require, warn or ignore", "write require to deploy only what a merged pull request's plan showed")
	}
}

// ciKey is the name of the secret that signs plans.
func (c *checker) ciKey(v value.Value, path string) {
	if c.ciName(v, path) && strings.HasPrefix(strings.ToUpper(v.Text), "GITHUB_") {
		c.ciFault(v, fmt.Sprintf("GitHub keeps nothing under %s: names that begin with GITHUB_ are its own", diag.Quote(v.Text)), "give it another name there and here")
	}
}

// ciBound holds a policy against what it needs.
func (c *checker) ciBound(github value.Value) {
	policy, _ := github.Get("plan-policy")
	if key, _ := github.Get("plan-key"); policy.Text == "require" && key.IsNull() {
		c.ciFault(policy, "x-ci.github.plan-policy: require needs plan-key, the secret that signs what was reviewed", "write plan-key: PREFECT_DEPLOY_PLAN_KEY, and keep a random text under that name among the repository's secrets")
	}
}
