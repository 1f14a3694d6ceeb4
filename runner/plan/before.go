// What must not be shown of a live value. A server does not tell where a value came from, so two files do: the one that is planned, and the base commit's, by what each says
// at the value's path. For example
//
//	base  env: {PASSWORD: "{{ $DB_PASSWORD }}", REGION: eu}    now  env: {}
//
// takes both away: the password is not shown, since the base filled it from the environment, and REGION is, since the base says it plainly. Where neither file has the path
// (someone put it there by hand, or there is no base) nothing under job variables and parameters is shown: that is where teams put passwords.
package plan

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Before gives what the base commit's file says of a deployment, nil when it does not declare it. A nil Before means that there is no base. It is only called where it matters.
type Before func() *Desired

// said is what the base says, nil for nothing.
func (b Before) said() *Desired {
	if b == nil {
		return nil
	}
	return b()
}

// childOf is what a file has under a key; nil for nothing.
func childOf(v *value.Value, key string) *value.Value {
	if v == nil {
		return nil
	}
	got, ok := v.Get(key)
	if !ok {
		return nil
	}
	if v.Origin.Has(value.Sensitive) {
		got = got.Mark(value.Sensitive)
	}
	return &got
}

// itemOf is the item of a list that stands where one of n does; lists of another length do not tell which is which.
func itemOf(v *value.Value, i, n int) *value.Value {
	if v == nil || v.Kind != value.List || len(v.List) != n {
		return nil
	}
	got := v.List[i]
	if v.Origin.Has(value.Sensitive) {
		got = got.Mark(value.Sensitive)
	}
	return &got
}

// mayHoldSecrets reports whether a path lies where teams put passwords.
func mayHoldSecrets(path string) bool {
	path = withoutTrigger(path)
	return isUnder(path, "job_variables") || isUnder(path, "parameters") || isUnder(path, "pull_steps") || strings.HasPrefix(path, "schedules[") && strings.Contains(path, "].parameters")
}

// withoutTrigger is a path within a trigger, whose fields are called like a deployment's: job_variables.env.A of triggers[0].job_variables.env.A.
func withoutTrigger(path string) string {
	if rest, ok := strings.CutPrefix(path, "triggers["); ok {
		if _, field, ok := strings.Cut(rest, "]."); ok {
			return field
		}
	}
	return path
}

func isUnder(path, field string) bool {
	rest, ok := strings.CutPrefix(path, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// namesASecret reports whether a path's last part is the name of a credential: what the file says in clear now may have been a secret before.
func namesASecret(path string) bool {
	name := strings.ToLower(path[strings.LastIndexAny(path, ".")+1:])
	for _, word := range []string{"password", "passwd", "secret", "token", "api_key", "apikey", "credential", "private_key", "access_key", "auth", "connection_string"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// hidden reports whether a live value must not be shown. want and base are what the two files have at its path, nil for nothing.
func hidden(path string, was value.Value, want, base *value.Value) bool {
	if was.Marks().Has(value.Sensitive) || secretIn(want) || secretIn(base) {
		return !was.IsNull()
	}
	return mayHoldSecrets(path) && !told(path, was, want, base)
}

func secretIn(v *value.Value) bool { return v != nil && v.Marks().Has(value.Sensitive) }

// told reports whether the files tell of every part of a live value that it is no secret.
func told(path string, was value.Value, want, base *value.Value) bool {
	switch was.Kind {
	case value.Null:
		return true
	case value.Map:
		for _, e := range was.Map {
			if !told(join(path, e.Key), e.Value, childOf(want, e.Key), childOf(base, e.Key)) {
				return false
			}
		}
		return true
	case value.List:
		for i := range was.List {
			n := len(was.List)
			if !told(fmt.Sprintf("%s[%d]", path, i), was.List[i], itemOf(want, i, n), itemOf(base, i, n)) {
				return false
			}
		}
		return true
	}
	return toldPlain(path, was, want, base)
}

// toldPlain is told for a single value. Without a base that has it, a text in a secret's place is not trusted: what the file says in clear now may have been filled before.
func toldPlain(path string, was value.Value, want, base *value.Value) bool {
	path = withoutTrigger(path)
	switch suspect := was.Kind == value.Text && namesASecret(path); {
	case base != nil:
		return base.Marks()&(value.AfterBuild|value.NotHere) == 0
	case want == nil:
		return isUnder(path, "pull_steps") && !suspect
	default:
		return len(want.Refs()) > 0 || !suspect && (was.Kind != value.Text || !isUnder(path, "job_variables.env"))
	}
}

// scheduleBefore is the schedule of the base's file that became a live one: by slug, else by equal timing.
func scheduleBefore(base *Desired, live value.Value) *Schedule {
	if base == nil {
		return nil
	}
	for i := range base.Schedules {
		s := &base.Schedules[i]
		if slug := slugOf(live); slug == s.Slug && (slug != "" || sameTiming(s, live)) {
			return s
		}
	}
	return nil
}

// parametersOf are the parameters of a base's schedule, nil for no schedule.
func parametersOf(s *Schedule) *value.Value {
	if s == nil {
		return nil
	}
	return &s.Parameters
}

// timingKind is how a live schedule's timing is shown, by what the two files say of it; either may be nil.
func timingKind(now, base *Schedule) Kind {
	for _, s := range []*Schedule{now, base} {
		if s != nil && timingMarks(s).Has(value.Sensitive) {
			return Sensitive
		}
	}
	return Known
}
