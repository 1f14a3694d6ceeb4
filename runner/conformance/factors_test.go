//go:build real

// What made-up cases are made of: for each field of a deployment, each option and each place that takes placeholders the ways to write it. A factor's values stand side by
// side in one table; how they are put together is covering's business, and what comes of them the real Prefect's.
package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// draft is a case in the making.
type draft struct {
	top, dep, pool, flow object
	// schedule is the first schedule, nil where there is none; more are further ones.
	schedule object
	more     []any
	args     []string
	env      map[string]string
	git      *gitSetup
	// refs are the placeholders that need the steps' outputs.
	outputs bool
	build   string
	// noPool: the deployment's work_pool is written already.
	noPool bool
}

// choice is one value of a factor.
type choice struct {
	name string
	set  func(*draft)
	// departs is a row of docs/differences.md that speaks of this value, and excused tells of a difference whether the row wants it.
	departs string
	excused func(string) bool
}

type factor struct {
	name   string
	values []choice
}

func is(name string, set func(*draft)) choice { return choice{name: name, set: set} }

func nothing(*draft) {}

// field sets a key of the deployment, option adds to the command line.
func field(key string, v any) func(*draft)   { return func(d *draft) { d.dep[key] = v } }
func poolField(k string, v any) func(*draft) { return func(d *draft) { d.pool[k] = v } }
func option(words ...string) func(*draft) {
	return func(d *draft) { d.args = append(d.args, words...) }
}
func timing(parts ...object) func(*draft) {
	return func(d *draft) {
		d.schedule = maps.Clone(parts[0])
		for _, m := range parts[1:] {
			d.more = append(d.more, maps.Clone(m))
		}
	}
}
func onSchedule(k string, v any) func(*draft) {
	return func(d *draft) {
		if d.schedule != nil {
			d.schedule[k] = v
		}
	}
}

// reference is a kind of placeholder.
type reference struct {
	name, text string
	// words: what it gives is a text that is not empty.
	words bool
	// output: a step of the build must give it.
	output bool
	// plain: it gives no mapping, so that it may stand inside a text.
	plain bool
}

func references() []reference {
	return []reference{
		{"block", "{{ prefect.blocks.secret.db }}", true, false, true},
		{"block path", "{{ prefect.blocks.conformance-store.main.host }}", true, false, true},
		{"block path into a list", "{{ prefect.blocks.conformance-store.main.users[1].name }}", true, false, true},
		{"block number", "{{ prefect.blocks.conformance-store.main.port }}", false, false, true},
		{"block whole", "{{ prefect.blocks.conformance-store.main }}", false, false, false},
		{"block of a value", "{{ prefect.blocks.conformance-list.boxed }}", false, false, false},
		{"variable text", "{{ prefect.variables.word }}", true, false, true},
		{"variable integer", "{{ prefect.variables.limit }}", false, false, true},
		{"variable decimal", "{{ prefect.variables.ratio }}", false, false, true},
		{"variable boolean", "{{ prefect.variables.on }}", false, false, true},
		{"variable null", "{{ prefect.variables.none }}", false, false, true},
		{"variable list", "{{ prefect.variables.zones }}", false, false, true},
		{"variable mapping", "{{ prefect.variables.shape }}", false, false, true},
		{"variable missing", "{{ prefect.variables.nobody }}", false, false, true},
		{"environment", "{{ $STAGE }}", true, false, true},
		{"environment unset", "{{ $UNSET_HERE }}", false, false, true},
		{"environment bare", "{{ STAGE }}", true, false, true},
		{"bare unknown", "{{ nobody }}", false, false, true},
		{"output", "{{ made.stdout }}", true, true, true},
		{"output bare", "{{ stdout }}", true, true, true},
		{"output text", "{{ shape.text }}", true, true, true},
		{"output number", "{{ shape.size }}", false, true, true},
		{"output decimal", "{{ shape.half }}", false, true, true},
		{"output boolean", "{{ shape.flag }}", false, true, true},
		{"output null", "{{ shape.none }}", false, true, true},
		{"output path", "{{ shape.tree.leaf[1] }}", true, true, true},
		{"output mapping", "{{ shape.tree }}", false, true, true},
		{"output list", "{{ shape.items }}", false, true, true},
		{"output whole id", "{{ made }}", false, true, true},
		{"run time", "{{ ctx.flow_run.name }}", true, false, true},
	}
}

// form is how a reference stands in a text.
type written struct {
	name, text    string
	output, whole bool
	words         bool
	// mapping: it is a block's mapping, which may not stand inside a text.
	mapping bool
}

// writings are all references as the whole text, inside one, and some two by two.
func writings() []written {
	var out []written
	all := references()
	for i, r := range all {
		out = append(out, written{r.name, r.text, r.output, true, r.words, !r.plain})
		if r.plain {
			out = append(out, written{r.name + " inside", "a-" + r.text + "-b", r.output, false, true, false})
		}
		if next := all[(i+7)%len(all)]; i%3 == 0 && r.plain && next.plain {
			out = append(out, written{r.name + " and " + next.name, r.text + "/" + strings.ReplaceAll(next.text, " ", ""), r.output || next.output, false, true, false})
		}
	}
	return out
}

// place is where a text with placeholders can stand.
type place struct {
	name string
	put  func(d *draft, text string)
	// takes tells whether a writing may stand there so that Prefect registers something.
	takes func(written) bool
	// item: the text is an item of a list in a deployment's field, where Prefect loses outputs.
	item string
}

func anything(written) bool { return true }

// A text with "/" as a queue's name makes the server answer 500: the route that reads it has it in its path.
func asQueue(w written) bool { return asText(w) && !strings.Contains(w.text, "}}/{{") }

func asText(w written) bool { return w.words || !w.whole }

func places() []place {
	in := func(of func(*draft) object, key string) func(*draft, string) {
		return func(d *draft, s string) { of(d)[key] = s }
	}
	parameters := func(d *draft) object { return within(d.dep, "parameters") }
	variables := func(d *draft) object { return within(d.pool, "job_variables") }
	return []place{
		{name: "parameter", put: in(parameters, "any"), takes: anything},
		{name: "parameter's mapping", put: func(d *draft, s string) { parameters(d)["nested"] = object{"k": object{"deep": s}, "{{ $STAGE }}": 1} }, takes: anything},
		{name: "parameter's list", put: func(d *draft, s string) { parameters(d)["list"] = []any{"first", s, []any{s}, object{"k": s}} }, takes: anything, item: "parameters.list"},
		{name: "job variable", put: in(variables, "extra"), takes: anything},
		{name: "job variables' env", put: func(d *draft, s string) { within(variables(d), "env")["A"] = s }, takes: anything},
		{name: "job variables' list", put: func(d *draft, s string) { variables(d)["list"] = []any{s, "last", object{"k": []any{s}}} }, takes: anything, item: "job_variables.list"},
		{name: "pull step", put: func(d *draft, s string) {
			d.dep["pull"] = []any{object{"prefect.deployments.steps.git_clone": object{"id": "clone", "repository": "https://git.example.com/x.git", "branch": s, "directories": []any{s, "b"}}},
				object{"prefect.deployments.steps.set_working_directory": object{"directory": "{{ clone.directory }}/" + s}}}
		}, takes: func(w written) bool { return !w.mapping }},
		{name: "schedule's parameter", put: func(d *draft, s string) { within(d.schedule, "parameters")["any"] = s }, takes: anything},
		{name: "tag", put: func(d *draft, s string) { d.dep["tags"] = []any{"one", s, "x" + s} }, takes: anything, item: "tags"},
		{name: "description", put: func(d *draft, s string) { d.dep["description"] = s }, takes: asText},
		{name: "version", put: func(d *draft, s string) { d.dep["version"] = s }, takes: asText},
		{name: "queue", put: in(func(d *draft) object { return d.pool }, "work_queue_name"), takes: asQueue},
		{name: "step's script", put: func(d *draft, s string) { d.build = "script:" + s }, takes: func(w written) bool { return !w.output }},
		{name: "step's env", put: func(d *draft, s string) { d.build = "env:" + s }, takes: func(w written) bool { return !w.output }},
		{name: "--param", put: func(d *draft, s string) {
			if !slices.Contains(d.args, "--params") { // Prefect takes one of the two
				d.args = append(d.args, "--param", "option="+s)
			}
		}, takes: anything},
		{name: "--job-variable", put: func(d *draft, s string) { d.args = append(d.args, "--job-variable", "option="+s) }, takes: anything},
		{name: "--tag", put: func(d *draft, s string) { d.args = append(d.args, "--tag", s, "-t", "plain") }, takes: anything, item: "tags"},
		{name: "--description", put: func(d *draft, s string) { d.once("-d", s) }, takes: asText},
		{name: "--version", put: func(d *draft, s string) { d.once("--version", s) }, takes: asText},
	}
}

// within is the mapping under a key, made where it is missing.
func within(m object, key string) object {
	if m == nil {
		return object{}
	}
	if in, ok := m[key].(object); ok {
		return in
	}
	in := object{}
	m[key] = in
	return in
}

// structure are the factors that hold no placeholders but where their field's grammar is their point.
func structure() []factor {
	return []factor{
		{"entrypoint", []choice{is("file", field("entrypoint", "flow.py:hello")), is("dotted file", field("entrypoint", "./flow.py:hello")), is("folder", field("entrypoint", "flows/deep.py:described")),
			is("module", field("entrypoint", "flows.deep.described")), is("named", field("entrypoint", "flow.py:named")), is("template", field("entrypoint", "{{ $FOLDER }}/deep.py:described")),
			is("argument", func(d *draft) {
				d.dep["entrypoint"] = "flow.py:hello"
				d.args = append([]string{"flows/deep.py:described"}, d.args...)
			})}},
		{"name", []choice{is("plain", field("name", "d")), is("two words", field("name", "täglich 1")), is("template", field("name", "d-{{ $STAGE }}-{{prefect.variables.word}}"))}},
		{"selection", []choice{is("-n", func(d *draft) { d.args = append(d.args, "-n", fmt.Sprint(d.dep["name"])) }), is("--all", option("--all")), is("the only one", nothing), is("pattern", option("--name", "*"))}},
		{"version_type", []choice{is("unsaid", nothing), is("null", field("version_type", nil)), is("simple", field("version_type", "prefect:simple")), is("option", option("--version-type", "prefect:simple"))}},
		{"repository", []choice{is("none", nothing), is("with a remote", func(d *draft) { d.git = &gitSetup{Remote: "https://git.example.com/team/code.git"} }), is("without a remote", func(d *draft) { d.git = &gitSetup{} }),
			is("of GitHub", func(d *draft) {
				d.git = &gitSetup{Remote: "https://github.com/team/code.git"}
				maps.Copy(d.env, map[string]string{"GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567", "GITHUB_REF_NAME": "main", "GITHUB_REPOSITORY": "team/code", "GITHUB_SERVER_URL": "https://github.com"})
			})}},
		{"paused", []choice{is("unsaid", nothing), is("true", field("paused", true)), is("false", field("paused", false)), is("null", field("paused", nil))}},
		{"concurrency_limit", []choice{is("unsaid", nothing), is("null", field("concurrency_limit", nil)), is("number", field("concurrency_limit", 3)),
			is("mapping", field("concurrency_limit", object{"limit": 2, "collision_strategy": "ENQUEUE"})), is("grace", field("concurrency_limit", object{"limit": 2, "collision_strategy": "CANCEL_NEW", "grace_period_seconds": 120})),
			is("option", func(d *draft) { d.dep["concurrency_limit"] = 7; option("--concurrency-limit", "2")(d) }), is("two options", option("--concurrency-limit", "4", "--collision-strategy", "CANCEL_NEW"))}},
		{"enforce_parameter_schema", []choice{is("unsaid", nothing), is("null", field("enforce_parameter_schema", nil)), is("true", field("enforce_parameter_schema", true)), is("false", field("enforce_parameter_schema", false)),
			is("no option", option("--no-enforce-parameter-schema"))}},
		{"schedule", []choice{is("unsaid", nothing), is("null", field("schedules", nil)), is("empty", field("schedules", []any{})), is("cron", timing(object{"cron": "0 1 * * *"})),
			is("day_or", timing(object{"cron": "0 1 1 * mon", "day_or": false})), is("nickname", timing(object{"cron": "@daily"})), is("seconds", timing(object{"interval": 3600})), is("decimal", timing(object{"interval": 90.5})),
			is("duration", timing(object{"interval": "PT1H30M"})), is("rule", timing(object{"rrule": "FREQ=WEEKLY;BYDAY=MO"})), is("rule with a start", timing(object{"rrule": "DTSTART:20240101T000000\nRRULE:FREQ=DAILY"})),
			is("several", timing(object{"cron": "{{ prefect.variables.line }}"}, object{"interval": 600}, object{"rrule": "FREQ=DAILY"})),
			is("older key", func(d *draft) { d.schedule = object{"cron": "0 1 * * *"}; d.dep["schedule"] = true })}},
		{"schedule options", []choice{is("unsaid", nothing), is("--cron", option("--cron", "5 4 * * *")), is("--interval", option("--interval", "60", "--interval", "120")), is("--rrule", option("--rrule", "FREQ=DAILY"))}},
		{"timezone", []choice{is("unsaid", nothing), is("zone", onSchedule("timezone", "Europe/Berlin")), is("template", onSchedule("timezone", "{{ prefect.variables.zone }}")), is("option", option("--timezone", "Asia/Tokyo"))}},
		{"anchor", []choice{is("unsaid", nothing), is("date", onInterval("anchor_date", "2024-01-01T00:00:00+02:00")), is("template", onInterval("anchor_date", "{{ prefect.variables.start }}")), is("option", option("--anchor-date", "2023-02-03T04:05:06Z"))}},
		{"active", []choice{is("unsaid", nothing), is("true", onSchedule("active", true)), is("false", onSchedule("active", false)), is("template", onSchedule("active", "{{ prefect.variables.on }}")), is("text", onSchedule("active", "false"))}},
		{"slug", []choice{is("none", nothing), is("plain", slugs("s")), is("template", slugs("s-{{ prefect.variables.word }}"))}},
		{"schedule's parameters", []choice{is("unsaid", nothing), is("empty", onSchedule("parameters", object{})), is("some", onSchedule("parameters", object{"times": 3}))}},
		{"pool option", []choice{is("unsaid", nothing), is("-p", option("-p", "other-pool"))}},
		{"pool", []choice{is("plain", nothing), is("template", poolField("name", "{{ prefect.variables.pool }}")), is("another", poolField("name", "other-pool")), is("environment", func(d *draft) {
			delete(d.pool, "name")
			d.env["PREFECT_DEFAULT_WORK_POOL_NAME"] = "pool"
		})}},
		{"queue", []choice{is("unsaid", nothing), is("null", poolField("work_queue_name", nil)), is("there", poolField("work_queue_name", "fast")), is("new", poolField("work_queue_name", "new one")), is("option", option("-q", "of-option"))}},
		{"parameters", []choice{is("unsaid", nothing), is("empty", func(d *draft) { within(d.dep, "parameters") }), is("typed", func(d *draft) {
			maps.Copy(within(d.dep, "parameters"), object{"text": "x", "times": 4, "half": 1.5, "flag": true})
		})}},
		{"parameter options", []choice{is("unsaid", nothing), is("--param", option("--param", "times=3", "--param", "text=two words", "--param", `nested={"c": [1, null]}`)), is("--params", option("--params", `{"times": 5, "nested": {"d": true}, "any": null}`))}},
		{"job variables", []choice{is("unsaid", nothing), is("empty", func(d *draft) { within(d.pool, "job_variables") }), is("typed", func(d *draft) {
			maps.Copy(within(d.pool, "job_variables"), object{"cpu": 2, "ratio": 0.5, "on": true, "nil": nil, "labels": object{"a": []any{1, "x"}}})
		}), is("image", func(d *draft) { within(d.pool, "job_variables")["image"] = "repo/app:1" })}},
		{"job variable options", []choice{is("unsaid", nothing), is("pair", option("--job-variable", "image=app:5")), is("both", option("--job-variable", "image=app:6", "--job-variable", `{"cpu": 3, "env": {"B": "1"}}`))}},
		{"tags", []choice{is("unsaid", nothing), is("empty", field("tags", []any{})), is("list", field("tags", []any{"a", "b", "a"})), is("of all types", field("tags", []any{1, true, 2.5, "x"})),
			is("template", field("tags", "{{ prefect.variables.zones }}")), is("options", option("-t", "p", "--tag", "q"))}},
		{"description", []choice{is("unsaid", nothing), is("null", field("description", nil)), is("empty", field("description", "")), is("lines", field("description", "one\n\n  two ✓\n")), is("option", func(d *draft) { d.once("-d", "of the option") })}},
		{"version", []choice{is("unsaid", nothing), is("null", field("version", nil)), is("text", field("version", "1.0")), is("empty", field("version", "")), is("option", func(d *draft) { d.once("--version", "9") })}},
		{"build", []choice{is("top", builds("top")), is("own", builds("own")), is("mapping", builds("mapping")), is("push", builds("push")), is("none", builds("none")), is("null over top", builds("null")), is("empty over top", builds("empty"))}},
		{"pull", []choice{is("unsaid", nothing), is("null", field("pull", nil)), is("empty", field("pull", []any{})), is("top", func(d *draft) { d.top["pull"] = pullSteps() }), is("own", field("pull", pullSteps())),
			is("mapping", field("pull", pullSteps()[0])), is("empty over top", func(d *draft) { d.top["pull"], d.dep["pull"] = pullSteps(), []any{} })}},
		{"triggers", []choice{is("unsaid", nothing), is("null", field("triggers", nil)), is("empty", field("triggers", []any{})),
			is("event", field("triggers", []any{object{"type": "event", "match": object{"prefect.resource.id": "a.{{ $STAGE }}"}, "expect": []any{"x.y"}, "parameters": object{"text": "{{ event.id }}"}, "enabled": "{{ prefect.variables.on }}"}})),
			is("two", field("triggers", []any{object{"name": "of {{ prefect.variables.word }}", "expect": []any{"x.y"}, "posture": "Proactive", "within": 60}, object{"type": "compound", "require": "any", "within": 30, "triggers": []any{object{"expect": []any{"a"}}, object{"expect": []any{"b"}}}}})),
			is("option", option("--trigger", `{"name": "inline", "match": {"prefect.resource.id": "b"}, "expect": ["x.z"]}`))}},
		{"unknown keys", []choice{is("none", nothing), is("some", func(d *draft) { d.top["definitions"], d.dep["owner"], d.pool["colour"] = object{"x": 1}, "me", "red" })}},
		{"flow_name", []choice{is("unsaid", nothing), is("another", field("flow_name", "of-the-file"))}},
	}
}

func onInterval(key string, v any) func(*draft) {
	return func(d *draft) {
		for _, s := range append([]any{d.schedule}, d.more...) {
			if s, ok := s.(object); ok && s["interval"] != nil {
				s[key] = v
			}
		}
	}
}

// slugs gives one to every schedule of the file.
func slugs(text string) func(*draft) {
	return func(d *draft) {
		onSchedule("slug", text)(d)
		for i, s := range d.more {
			s.(object)["slug"] = fmt.Sprintf("%s-%d", text, i)
		}
	}
}

func builds(how string) func(*draft) { return func(d *draft) { d.flow["build"] = how } }

func pullSteps() []any {
	return []any{object{"prefect.deployments.steps.git_clone": object{"id": "clone", "repository": "https://git.example.com/{{ $STAGE }}.git", "branch": "{{ nobody }}", "access_token": "{{ prefect.blocks.secret.db }}"}},
		object{"prefect.deployments.steps.set_working_directory": object{"directory": "{{ clone.directory }}/sub"}}}
}

// made are the steps whose outputs the references name. script and env are filled by the places in a step.
func (d *draft) steps() []any {
	script, env := "echo hi", object{"WHO": "you"}
	switch kind, text, _ := strings.Cut(d.build, ":"); kind {
	case "script":
		script = "echo '" + text + "'"
	case "env":
		script, env = "printenv WHO", object{"WHO": text + "."}
	}
	steps := []any{object{"prefect.deployments.steps.run_shell_script": object{"id": "made", "script": script, "env": env, "stream_output": false}}}
	if d.outputs || d.build == "" {
		steps = append(steps, object{"steps.shapes.make": object{"id": "shape", "size": 3}})
	}
	return steps
}

// once adds an option that Prefect takes only once.
func (d *draft) once(name, value string) {
	if !slices.Contains(d.args, name) {
		d.args = append(d.args, name, value)
	}
}

// finish puts the parts together.
func (d *draft) finish() object {
	own := func(key string, v any) { d.dep[key] = v }
	how := d.flow["build"]
	if how == nil {
		how = "top"
	}
	needed := d.outputs || d.build != ""
	switch {
	case how == "own":
		own("build", d.steps())
		d.top["build"] = []any{object{"prefect.deployments.steps.run_shell_script": object{"id": "made", "script": "echo top"}}}
	case how == "mapping" && !d.outputs:
		own("build", d.steps()[0])
	case how == "push":
		d.top["push"] = d.steps()
	case how == "none" && !needed:
	case how == "null" && !needed:
		d.top["build"] = d.steps()
		own("build", nil)
	case how == "empty" && !needed:
		d.top["build"], d.top["push"] = d.steps(), []any{}
		own("build", []any{})
	default:
		d.top["build"] = d.steps()
	}
	if d.schedule != nil {
		if d.dep["schedule"] == true {
			own("schedule", d.schedule)
		} else {
			own("schedules", append([]any{d.schedule}, d.more...))
		}
	}
	if !d.noPool {
		own("work_pool", d.pool)
	}
	if d.top["deployments"] == nil {
		d.top["deployments"] = []any{d.dep}
	}
	return d.top
}

func newDraft() *draft {
	return &draft{top: object{}, dep: object{"name": "d", "entrypoint": "flow.py:hello"}, pool: object{"name": "pool"}, flow: object{}, env: map[string]string{"STAGE": "prod", "FOLDER": "flows"}}
}

// factors are all of them, and what they leave out: each place has, of all writings that it takes, some, others with another seed. rest are the others, place by place.
func factors(seed int64, each int) (all []factor, rest [][]choice) {
	all = structure()
	for i, p := range places() {
		f := factor{name: "in " + p.name, values: []choice{is("nothing", nothing), is("nothing ", nothing)}}
		var taken []written
		for _, w := range writings() {
			if p.takes(w) {
				taken = append(taken, w)
			}
		}
		in, n := map[int]bool{}, min(each, len(taken))
		for k := range n {
			at := (int(seed)*n + i*5 + k*len(taken)/n) % len(taken)
			in[at] = true
			f.values = append(f.values, p.with(taken[at]))
		}
		var others []choice
		for k, w := range taken {
			if !in[k] {
				others = append(others, p.with(w))
			}
		}
		all, rest = append(all, f), append(rest, others)
	}
	return all, rest
}

// with is a writing in a place.
func (p place) with(w written) choice {
	c := is(w.name, func(d *draft) {
		d.outputs = d.outputs || w.output
		p.put(d, w.text)
	})
	if p.item != "" && w.whole && w.output {
		c.departs, c.excused = "whole-item", func(s string) bool {
			return strings.Contains(s, "]."+p.item+"[") || strings.Contains(s, "]."+p.item+":")
		}
	}
	return c
}

// refusals are values, each of one factor, that the real Prefect refuses whatever stands beside them: neither program may register anything then.
func refusals() []choice {
	valued := func(name, put string) choice {
		return is(name+" "+put, func(d *draft) {
			d.drop("--"+name, "-"+name[:1])
			d.dep[name] = put
		})
	}
	schedule := func(name string, s object) choice {
		return is("schedule: "+name, func(d *draft) {
			d.drop("--timezone")
			d.schedule, d.dep["schedules"] = nil, []any{s}
			delete(d.dep, "schedule")
		})
	}
	at := func(key string, v any) choice { // a parameter: options could replace it
		return is("parameter "+key+" "+text(v), func(d *draft) {
			d.enforced()
			within(d.dep, "parameters")[key] = v
		})
	}
	return []choice{
		is("--param and --params", option("--param", "times=1", "--params", "{}")), is("--param without a value", func(d *draft) { d.drop("--params"); option("--param", "times")(d) }),
		is("--params is no JSON", func(d *draft) { d.drop("--params", "--param"); option("--params", "{times")(d) }), is("--job-variable is a word", option("--job-variable", "word")),
		is("--job-variable is a list", option("--job-variable", "[1]")), is("--interval is no number", option("--interval", "soon")), is("--concurrency-limit is no number", func(d *draft) { d.drop("--concurrency-limit"); option("--concurrency-limit", "many")(d) }),
		is("--collision-strategy unknown", func(d *draft) {
			d.drop("--concurrency-limit", "--collision-strategy")
			option("--concurrency-limit", "2", "--collision-strategy", "WAIT")(d)
		}),
		is("--cron is none", option("--cron", "every day")), is("--rrule is none", option("--rrule", "daily")), is("--timezone unknown", func(d *draft) { d.drop("--timezone"); option("--timezone", "Mars/One", "--cron", "0 1 * * *")(d) }),
		is("--anchor-date is no date", func(d *draft) { d.drop("--anchor-date"); option("--anchor-date", "soon", "--interval", "60")(d) }), is("--version-type unknown", func(d *draft) {
			d.drop("--version-type")
			delete(d.dep, "version_type")
			option("--version-type", "vcs:cvs")(d)
		}),
		is("-p unknown", func(d *draft) { d.drop("-p"); option("-p", "nowhere")(d) }), is("an unknown option", option("--pools", "x")),
		is("two entrypoints", func(d *draft) { d.args = append([]string{"flow.py:hello", "flow.py:named"}, d.args...) }),
		is("--prefect-file missing", option("--prefect-file", "other.yaml")),
		valued("entrypoint", "flow.py:absent"), valued("entrypoint", "absent.py:hello"), valued("entrypoint", "flow.py"), valued("entrypoint", ""), valued("entrypoint", "{{ $UNSET_HERE }}"),
		valued("name", "a/b"), valued("name", ""), valued("name", "{{ prefect.variables.nobody }}"), valued("name", "{{ prefect.variables.limit }}"),
		valued("version", "{{ prefect.variables.limit }}"), valued("version", "{{ prefect.variables.shape }}"), valued("version", "{{ shape.half }}"), valued("description", "{{ prefect.variables.zones }}"), valued("description", "{{ prefect.variables.on }}"),
		valued("version_type", "vcs:cvs"), valued("paused", "perhaps"), valued("paused", "{{ prefect.variables.on }}"), valued("enforce_parameter_schema", "{{ prefect.variables.on }}"), valued("concurrency_limit", "{{ prefect.variables.limit }}"),
		is("concurrency_limit 0", func(d *draft) { d.drop("--concurrency-limit"); d.dep["concurrency_limit"] = 0 }), is("concurrency_limit without a strategy", func(d *draft) { d.drop("--concurrency-limit"); d.dep["concurrency_limit"] = object{"limit": 2} }),
		is("grace too short", func(d *draft) {
			d.drop("--concurrency-limit")
			d.dep["concurrency_limit"] = object{"limit": 2, "collision_strategy": "ENQUEUE", "grace_period_seconds": 5}
		}), is("parameters are a list", field("parameters", []any{1})),
		at("times", "x"), at("text", "{{ prefect.blocks.secret.absent }}"), at("text", "{{ prefect.blocks.secret }}"),
		at("text", "a {{ prefect.blocks.conformance-store.main }}"), at("text", "{{ prefect.blocks.conformance-store.main.absent }}"),
		is("description of a number", func(d *draft) { d.drop("-d"); d.dep["description"] = 5 }), is("version of a number", func(d *draft) { d.drop("--version"); d.dep["version"] = 2 }), is("tags are a mapping", field("tags", object{"a": 1})),
		is("job_variables are a list", poolField("job_variables", []any{1})), is("pool without a name", func(d *draft) {
			d.drop("-p")
			delete(d.env, "PREFECT_DEFAULT_WORK_POOL_NAME")
			d.pool["name"] = nil
		}), is("pool unknown", func(d *draft) { d.drop("-p"); d.pool["name"] = "nowhere" }),
		is("pool is a text", func(d *draft) { d.noPool = true; d.dep["work_pool"] = "pool" }),
		schedule("of two kinds", object{"cron": "0 1 * * *", "interval": 60}), schedule("of no kind", object{"timezone": "UTC"}), schedule("unknown key", object{"cron": "0 1 * * *", "colour": "red"}),
		schedule("cron is none", object{"cron": "61 * * * *"}), schedule("cron at random", object{"cron": "H H * * *"}), schedule("interval 0", object{"interval": 0}), schedule("interval below 0", object{"interval": -5}),
		schedule("zone unknown", object{"cron": "0 1 * * *", "timezone": "Mars/One"}), schedule("rule is none", object{"rrule": "FREQ=NEVER"}), schedule("cron of a block that is a mapping", object{"cron": "{{ prefect.blocks.conformance-store.main }}"}),
		schedule("active is a word", object{"cron": "0 1 * * *", "active": "perhaps"}),
		is("both schedule and schedules", func(d *draft) {
			d.dep["schedule"], d.dep["schedules"] = object{"cron": "0 1 * * *"}, []any{object{"cron": "0 1 * * *"}}
			d.schedule = nil
		}),
		is("a step of two keys", func(d *draft) { d.dep["build"] = []any{object{"a.b": object{}, "c.d": object{}}} }), is("a step unknown", func(d *draft) { d.dep["build"] = []any{object{"steps.shapes.absent": object{}}} }),
		is("a step's argument unknown", func(d *draft) {
			d.dep["build"] = []any{object{"prefect.deployments.steps.run_shell_script": object{"script": "echo", "colour": 1}}}
		}),
		is("a step fails", func(d *draft) {
			d.dep["build"] = []any{object{"prefect.deployments.steps.run_shell_script": object{"script": "false"}}}
		}),
		is("pull step of its own: block missing", ownPull("{{ prefect.blocks.secret.absent }}")), is("pull step of its own: mapping inside a text", ownPull("a/{{ prefect.blocks.conformance-store.main }}")),
		is("pull is a text", field("pull", "no")), is("the file is no mapping", func(d *draft) { d.top["deployments"] = "none" }),
	}
}

// ownPull is a pull step of the deployment's own: its blocks are read, though it is registered as written.
func ownPull(directory string) func(*draft) {
	return field("pull", []any{object{"prefect.deployments.steps.set_working_directory": object{"directory": directory}}})
}

// drop takes options and their values away again, so that another value of theirs decides.
func (d *draft) drop(names ...string) {
	var kept []string
	for i := 0; i < len(d.args); i++ {
		if slices.Contains(names, d.args[i]) {
			i++
			continue
		}
		kept = append(kept, d.args[i])
	}
	d.args = kept
}

// enforced: nothing switches the check of parameters off.
func (d *draft) enforced() {
	delete(d.dep, "enforce_parameter_schema")
	d.args = slices.DeleteFunc(d.args, func(s string) bool { return s == "--no-enforce-parameter-schema" })
	d.drop("--param", "--params")
	if d.dep["parameters"] == nil {
		d.dep["parameters"] = object{}
	}
}
