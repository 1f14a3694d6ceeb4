// Schedules, desired against live. A server does not tell which of its schedules a line of the file became, so they are matched: by slug, by `replaces`, else by equal
// timing. A schedule that is matched keeps its state (someone may have switched it off), its id where the server allows, and an anchor that the file leaves to the server.
package plan

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/schedule"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Schedule is one schedule of the file, filled.
type Schedule struct {
	Pos        value.Pos
	Timing     schedule.Spec
	Body       value.Value
	Active     value.Value // null when unsaid
	Parameters value.Value // an empty mapping when unsaid
	Slug       string
	Replaces   string
	// Marks are those of all parts: a schedule that waits for a step is not compared.
	Marks value.Origin
	// Source is the mapping as filled, for paths and lines.
	Source value.Value

	now time.Time
}

// NextTimes are the next n run times in the schedule's zone, as Prefect's server counts them; none where they depend on a step or on what must not be shown, where the
// schedule is switched off in the file, or where this machine has no rules for the zone.
func (s *Schedule) NextTimes(n int) []time.Time {
	if s.Marks&(value.AfterBuild|value.NotHere|value.Sensitive) != 0 || (s.Active.Kind == value.Bool && !s.Active.Bool) {
		return nil
	}
	times, err := s.Timing.Next(s.now, n, s.now)
	if err != nil {
		return nil
	}
	for i := range times {
		times[i] = inZone(times[i], s.Timing.Timezone)
	}
	return times
}

// Zone is the name of the zone of the next run times, "" where it must not be shown or is not known.
func (s *Schedule) Zone(next []time.Time) string {
	if v, _ := s.Source.Get("timezone"); v.Marks() == 0 && s.Timing.Timezone != "" {
		return s.Timing.Timezone
	}
	if len(next) > 0 {
		return next[0].Location().String()
	}
	return ""
}

// settleSchedules fills and reads the schedules of the file.
func (p *Project) settleSchedules(out *Desired, fields value.Value) error {
	list, said := fields.Get("schedules")
	if !said || list.IsNull() {
		return nil
	}
	out.SchedulesSaid, out.SchedulesPos = true, list.Pos
	filled, err := p.FillOutputs(list, false)
	if err != nil {
		return faultOf(out.Resolved, err)
	}
	for _, item := range filled.List {
		s, err := p.schedule(out.Resolved, item)
		if err != nil {
			return err
		}
		out.Schedules = append(out.Schedules, s)
	}
	return nil
}

// wholeSeconds writes an interval of 600.0 as 600: it is the same one, and a plan that was reviewed with one of them holds for the other.
func wholeSeconds(v value.Value) value.Value {
	interval, ok := v.Get("interval")
	if !ok || interval.Kind != value.Float || interval.Float != math.Trunc(interval.Float) || math.Abs(interval.Float) >= 1<<53 {
		return v
	}
	interval.Kind, interval.Int, interval.Float = value.Int, int64(interval.Float), 0
	return v.Set("interval", interval)
}

func (p *Project) schedule(d *resolve.Deployment, v value.Value) (Schedule, error) {
	s := Schedule{now: p.Now, Pos: v.Pos, Source: wholeSeconds(v), Marks: v.Marks(), Parameters: value.Of([]value.Entry{})}
	timing, fault := resolve.Timing(v)
	if fault != nil {
		return s, timingFault(d, fault)
	}
	s.Timing = timing
	if active, _ := v.Get("active"); !active.IsNull() {
		if !active.Marks().Has(value.AfterBuild) && !active.Marks().Has(value.NotHere) {
			b, fault := resolve.Truth(active)
			if fault != nil {
				return s, timingFault(d, fault)
			}
			active.Kind, active.Bool, active.Text = value.Bool, b, ""
		}
		s.Active = active
	}
	if parameters, _ := v.Get("parameters"); parameters.Truthy() {
		s.Parameters = parameters
	}
	slug, _ := v.Get("slug")
	replaces, _ := v.Get("replaces")
	s.Slug, s.Replaces = slug.Text, replaces.Text
	if s.Marks&(value.AfterBuild|value.NotHere) == 0 {
		s.Body = fromAny(timing.Body(inZone(p.Now, timing.Timezone)))
	}
	return s, nil
}

// inZone gives a moment in a schedule's zone, where this machine knows it.
func inZone(t time.Time, name string) time.Time {
	if zone, err := time.LoadLocation(name); err == nil {
		return t.In(zone)
	}
	return t
}

func timingFault(d *resolve.Deployment, fault *resolve.TimingFault) error {
	at := fault.Value.Pos
	if !at.Known() {
		at = d.Spec.Pos
	}
	x := diag.Diagnostic{Severity: diag.Error, Code: fault.Problem.Code, Message: fault.Problem.Message, Help: fault.Problem.Help, Position: d.Position(at)}
	if fault.Value.Kind != value.Map && fault.Value.Marks().Has(value.Sensitive) { // a message quotes parts of the text, and a help tells of it what it resembles
		x.Message, x.Help = "this is wrong, and what fills it is sensitive and so not shown", "look at what the variable or block holds; a variable that is no secret may be shown once it is named under x-ci.vars"
	}
	return &Fault{x}
}

// fromAny turns the plain data of a schedule's body into a value, keys in a fixed order.
func fromAny(m map[string]any) value.Value {
	out := value.Value{Kind: value.Map}
	for _, key := range []string{"cron", "interval", "rrule", "timezone", "day_or", "anchor_date"} {
		if x, ok := m[key]; ok {
			out.Map = append(out.Map, value.Entry{Key: key, KeyKind: value.Text, Value: value.Of(x)})
		}
	}
	return out
}

// slugsNeeded is the reason why schedules without slugs can't be written over schedules that have them: the server refuses it.
const slugsNeeded = "the server's schedules of this deployment have slugs, and these have none; Prefect refuses that"

// diffSchedules compares and returns the full new list to send, nil when nothing changes.
func diffSchedules(d *Desired, live []value.Value, base *Desired) (changes []Change, send *value.Value, err error) {
	d.KeptSchedules, d.LeftSchedules = nil, 0
	if !d.SchedulesSaid {
		if base != nil && len(base.Schedules) > 0 {
			d.LeftSchedules = len(live)
		}
		return nil, nil, nil
	}
	pairs, used := matchSchedules(d.Schedules, live)
	if err := slugFault(d, live, pairs, used, base); err != nil {
		return nil, nil, err
	}
	for i := range d.Schedules {
		changes = append(changes, scheduleChanges(fmt.Sprintf("schedules[%d]", i), &d.Schedules[i], pairs[i], base)...)
	}
	keep := keptSchedules(d, live, used, base)
	for i, l := range live {
		switch {
		case used[i]:
		case keep[i]:
			d.KeptSchedules = append(d.KeptSchedules, slugOf(l))
		default:
			kind := timingKind(nil, scheduleBefore(base, l))
			changes = append(changes, Change{Path: fmt.Sprintf("schedules[%d]", len(d.Schedules)+i), Before: shown(l), Kind: kind, Reason: "removed", Pos: d.SchedulesPos})
		}
	}
	if len(changes) == 0 {
		return nil, nil, nil
	}
	list := schedulesToSend(d, live, pairs, keep)
	return changes, &list, nil
}

// schedulesToSend is the full new list: what the file has, and what stays.
func schedulesToSend(d *Desired, live []value.Value, pairs []*value.Value, keep []bool) value.Value {
	list := value.Value{Kind: value.List, List: []value.Value{}}
	for i := range d.Schedules {
		list.List = append(list.List, scheduleToSend(&d.Schedules[i], pairs[i]))
	}
	for i, l := range live {
		if keep[i] {
			list.List = append(list.List, l)
		}
	}
	return list
}

// matchSchedules pairs each desired schedule with a live one (nil for none).
func matchSchedules(desired []Schedule, live []value.Value) (pairs []*value.Value, used []bool) {
	pairs, used = make([]*value.Value, len(desired)), make([]bool, len(live))
	take := func(i int, same func(value.Value) bool) {
		for j := range live {
			if !used[j] && same(live[j]) {
				pairs[i], used[j] = &live[j], true
				return
			}
		}
	}
	for i := range desired { // identity first, so that a mere likeness does not take another's partner
		s := &desired[i]
		if s.Slug != "" {
			take(i, func(l value.Value) bool { return slugOf(l) == s.Slug })
		}
		if pairs[i] == nil && s.Replaces != "" {
			take(i, func(l value.Value) bool { return slugOf(l) == s.Replaces })
		}
	}
	for _, alike := range likenesses() {
		for _, i := range bySaid(desired) {
			s := &desired[i]
			if pairs[i] == nil && s.Slug == "" && s.known() {
				take(i, func(l value.Value) bool { return slugOf(l) == "" && sameTiming(s, l) && alike(s, l) })
			}
		}
	}
	for _, alike := range likenesses() { // a slug that only one side has: it was given, or taken away, and the timing tells to which
		for _, i := range bySaid(desired) {
			s := &desired[i]
			if pairs[i] == nil && s.known() {
				take(i, func(l value.Value) bool {
					return (slugOf(l) == "") != (s.Slug == "") && sameTiming(s, l) && alike(s, l)
				})
			}
		}
	}
	for i := range desired { // what waits for a step, or changed, takes what is left in order
		if pairs[i] == nil && desired[i].Slug == "" {
			take(i, func(l value.Value) bool { return slugOf(l) == "" })
		}
		if pairs[i] == nil && desired[i].Slug == "" && !desired[i].known() {
			take(i, func(value.Value) bool { return true })
		}
	}
	return pairs, used
}

// known reports whether a schedule can be compared here and now.
func (s *Schedule) known() bool { return s.Marks&(value.AfterBuild|value.NotHere) == 0 }

// likenesses tell of several live schedules of one timing which one to take, the nearest first: with the same parameters and the same state where the file says one, with
// the same parameters, any.
func likenesses() []func(*Schedule, value.Value) bool {
	parameters := func(s *Schedule, l value.Value) bool {
		live, _ := l.Get("parameters")
		return value.Equal(mappingOrEmpty(live), s.Parameters)
	}
	return []func(*Schedule, value.Value) bool{
		func(s *Schedule, l value.Value) bool {
			active, _ := l.Get("active")
			return parameters(s, l) && (s.Active.Kind != value.Bool || s.Active.Bool == active.Bool)
		},
		parameters,
		func(*Schedule, value.Value) bool { return true },
	}
}

// bySaid orders schedules so that one which leaves its anchor or its state to the server chooses after those that do not: it is content with any, and would else take the
// only one that suits another.
func bySaid(desired []Schedule) []int {
	order, free := make([]int, len(desired)), func(i int) (n int) {
		if desired[i].Timing.Anchor == "" {
			n += 2
		}
		if desired[i].Active.Kind != value.Bool {
			n++
		}
		return n
	}
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return free(order[a]) < free(order[b]) })
	return order
}

func slugOf(l value.Value) string {
	v, _ := l.Get("slug")
	return v.Text
}

func sameTiming(s *Schedule, live value.Value) bool {
	body, _ := live.Get("schedule")
	plain, ok := body.Any().(map[string]any)
	if !ok {
		return false
	}
	c, ok := schedule.CanonicalOf(numbers(plain))
	return ok && s.Timing.Canonical().Same(c)
}

// numbers makes whole numbers floats, as the canonical form expects of JSON.
func numbers(m map[string]any) map[string]any {
	for k, v := range m {
		if i, ok := v.(int64); ok {
			m[k] = float64(i)
		}
	}
	return m
}

// keptSchedules are live schedules of slugs that the file does not have and the base's file did not have either: someone made them by hand. The server keeps them when all
// have slugs, unless the list is empty, which removes all.
func keptSchedules(d *Desired, live []value.Value, used []bool, base *Desired) []bool {
	keep := make([]bool, len(live))
	if len(d.Schedules) == 0 || !allSlugs(live) {
		return keep
	}
	for i := range d.Schedules {
		if d.Schedules[i].Slug == "" {
			return keep
		}
	}
	for i := range live {
		keep[i] = !used[i] && !declaredSlug(base, slugOf(live[i]))
	}
	return keep
}

func allSlugs(live []value.Value) bool {
	for i := range live {
		if slugOf(live[i]) == "" {
			return false
		}
	}
	return true
}

// declaredSlug reports whether the base's file has a schedule of that slug.
func declaredSlug(base *Desired, slug string) bool {
	if base == nil {
		return false
	}
	for i := range base.Schedules {
		if base.Schedules[i].Slug == slug {
			return true
		}
	}
	return false
}

// slugFault is Prefect's refusal of schedules without slugs over schedules that all have some, as far as it is needed. Prefect refuses because it can't tell which is which.
// Here it can be told in two cases:
//
//   - one schedule of the file without a slug has the timing of a live one: then the slugs there were given by hand (or the file just dropped them). One is enough: the
//     others are then an ordinary edit, added and removed as ever among schedules without slugs. To refuse until each one matches would stop the plan for an edit that
//     happens to come along with a slug given by hand, and the plan shows what goes in any case;
//   - the base's file declared every slug that is there and left over: these go, and nothing with a slug stays in the way.
//
// In all other cases the live schedules may be someone else's: they stay, and the person decides.
func slugFault(d *Desired, live []value.Value, pairs []*value.Value, used []bool, base *Desired) error {
	bare := -1
	for i := range d.Schedules {
		switch {
		case d.Schedules[i].Slug != "":
		case pairs[i] != nil:
			return nil
		case bare < 0:
			bare = i
		}
	}
	if bare < 0 || len(live) == 0 || !allSlugs(live) {
		return nil
	}
	left := false
	for i := range live {
		left = left || used[i] || !declaredSlug(base, slugOf(live[i]))
	}
	if !left {
		return nil
	}
	return &Fault{diag.Diagnostic{Severity: diag.Error, Code: "schedule-without-slug", Message: slugsNeeded,
		Help: "give each schedule a slug, or remove the schedules on the server first", Position: d.Resolved.Position(d.Schedules[bare].Pos)}}
}

// scheduleChanges names what differs of one schedule.
func scheduleChanges(path string, s *Schedule, live *value.Value, base *Desired) []Change {
	if live == nil {
		return []Change{{Path: path, After: shownDesired(s), Reason: "added", Pos: s.Pos, Kind: kindOf(s.Marks), Schedule: s}}
	}
	var out []Change
	before, _ := live.Get("schedule")
	earlier := scheduleBefore(base, *live)
	switch kind := timingKind(s, earlier); {
	case s.Marks.Has(value.NotHere), value.Equal(before, s.Source):
	case timingMarks(s).Has(value.AfterBuild):
		was := timingOf(before)
		if kind == Sensitive {
			was = value.Value{}
		}
		out = append(out, Change{Path: path + "." + kindName(s), Before: was, Kind: AfterBuild, Pos: s.Pos, Reason: "known after build"})
	case !sameTiming(s, *live):
		out = append(out, timingChanges(path, s, before, kind)...)
	}
	if s.Active.Kind == value.Bool {
		if active, _ := live.Get("active"); active.Bool != s.Active.Bool {
			out = append(out, Change{Path: path + ".active", Before: active, After: s.Active, Kind: kindOf(s.Active.Marks()), Pos: s.Active.Pos, Reason: "edited"})
		}
	}
	if active, _ := live.Get("active"); s.Active.IsNull() && active.Kind == value.Bool && !active.Bool && wakes(s, *live) {
		out = append(out, Change{Path: path + ".active", Before: active, After: value.Of(true), Pos: s.Pos, Reason: "another timing is another schedule, and the file does not say active"})
	}
	parameters, _ := live.Get("parameters")
	out = append(out, diffValue(path+".parameters", mappingOrEmpty(parameters), s.Parameters, parametersOf(earlier), s.Pos)...)
	if slug := slugOf(*live); slug != s.Slug {
		out = append(out, Change{Path: path + ".slug", Before: nullText(slug), After: nullText(s.Slug), Pos: s.Pos, Reason: slugReason(slug, s.Slug, base)})
	}
	return out
}

func slugReason(was, want string, base *Desired) string {
	switch {
	case was == "":
		return "added"
	case want != "":
		return "renamed"
	case declaredSlug(base, was):
		return "removed"
	}
	return "given on the server, and the file has none"
}

// wakes: a schedule without a slug whose timing changes takes the place of the live one, awake.
func wakes(s *Schedule, live value.Value) bool {
	return s.Slug == "" && slugOf(live) == "" && s.known() && !sameTiming(s, live)
}

func nullText(s string) value.Value { return textOrNull(s, value.Pos{}) }

func timingMarks(s *Schedule) value.Origin {
	var marks value.Origin
	for _, e := range s.Source.Map {
		if e.Key != "parameters" && e.Key != "active" {
			marks |= e.Value.Marks()
		}
	}
	return marks
}

func kindName(s *Schedule) string {
	return map[schedule.Kind]string{schedule.Cron: "cron", schedule.Interval: "interval", schedule.RRule: "rrule"}[s.Timing.Kind]
}

func timingOf(body value.Value) value.Value {
	for _, k := range []string{"cron", "interval", "rrule"} {
		if v, ok := body.Get(k); ok {
			return v
		}
	}
	return body
}

// timingChanges lists the parts of the timing that differ; another kind is one change. shows says whether the values may be seen.
func timingChanges(path string, s *Schedule, before value.Value, shows Kind) []Change {
	var out []Change
	kind := kindName(s)
	if _, same := before.Get(kind); !same {
		return []Change{{Path: path, Before: timingOf(before), After: shownDesired(s), Pos: s.Pos, Reason: "edited", Kind: shows, Schedule: s}}
	}
	for _, e := range s.Body.Map {
		was, _ := before.Get(e.Key)
		if value.Equal(was, e.Value) || (e.Key == "anchor_date" && s.Timing.Anchor == "") {
			continue
		}
		pos := s.Pos
		if source, ok := s.Source.Get(e.Key); ok && source.Pos.Known() {
			pos = source.Pos
		}
		out = append(out, Change{Path: path + "." + e.Key, Before: was, After: e.Value, Pos: pos, Reason: "edited", Kind: shows, Schedule: s})
	}
	if len(out) == 0 {
		out = append(out, Change{Path: path, Before: timingOf(before), After: shownDesired(s), Pos: s.Pos, Reason: "edited", Kind: shows, Schedule: s})
	}
	return out
}

// shown is a live schedule in one value.
func shown(l value.Value) value.Value {
	body, _ := l.Get("schedule")
	return timingOf(body)
}

func shownDesired(s *Schedule) value.Value {
	v, _ := s.Source.Get(kindName(s))
	return v
}

// scheduleToSend is the schedule as the request holds it. What is unchanged is sent as the server has it, so that an interval keeps its anchor.
func scheduleToSend(s *Schedule, live *value.Value) value.Value {
	out := value.Value{Kind: value.Map}
	body := s.Body
	if live != nil && s.known() && sameTiming(s, *live) {
		body, _ = live.Get("schedule")
	}
	out = out.Set("schedule", body)
	switch {
	case s.Active.Kind == value.Bool:
		out = out.Set("active", value.Of(s.Active.Bool))
	case live != nil && (slugOf(*live) != "" || sameTiming(s, *live)):
		active, _ := live.Get("active")
		out = out.Set("active", active)
	}
	if len(s.Parameters.Map) > 0 {
		out = out.Set("parameters", s.Parameters)
	}
	if s.Slug != "" {
		out = out.Set("slug", value.Of(s.Slug))
	}
	if s.Replaces != "" {
		out = out.Set("replaces", value.Of(s.Replaces))
	}
	return out
}
