// What a deployment of a flow is that has no entry in the file: its name, when it runs, and where. Each answer is checked when it is given, with the rules that the file will be
// checked with, and a schedule is shown with its next run times before it is taken.
package dialog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Wanted is what is known of a deployment before anything is asked.
type Wanted struct {
	Entrypoint string
	// Name is that of the command line, "" to ask for it; Taken tells whether the file has one of that name for the flow.
	Name  string
	Taken func(name string) bool
	// Pool is the work pool of the command line, "" to ask; Default is what an empty answer means.
	Pool, Default string
	// Pools lists the server's; nil where there is no server that would know.
	Pools func(context.Context) ([]Item, error)
	// Scheduled says that the command line gives schedules.
	Scheduled bool
	Now       time.Time
}

// Entrypoint offers flows, and takes another entrypoint that is typed.
func (t *Terminal) Entrypoint(ctx context.Context, flows []*flow.Flow, load func(string) *flow.Problem) (string, error) {
	if len(flows) > 0 {
		chosen, err := t.Choose(ctx, List{Question: "Which flow?", Items: flowItems(flows), Other: "other", OtherNote: "type an entrypoint"})
		if err != nil {
			return "", err
		}
		if len(chosen) == 1 {
			return EntrypointOf(flows[chosen[0]]), nil
		}
	} else {
		t.Say("No flows were found here.")
	}
	return t.Text(ctx, "Entrypoint (path/to/file.py:function)", "", func(text string) error {
		if p := load(text); p != nil {
			return p
		}
		return nil
	})
}

// EntrypointOf is how prefect.yaml names a flow that was found.
func EntrypointOf(f *flow.Flow) string { return f.File + ":" + f.Function }

func flowItems(flows []*flow.Flow) []Item {
	items := make([]Item, len(flows))
	for i, f := range flows {
		items[i] = Item{EntrypointOf(f), f.Name}
		if f.Unsure != "" {
			items[i].Note = "perhaps: " + f.Unsure
		}
	}
	return items
}

// Deployment asks for what is wanted, and returns the entry for the file.
func (t *Terminal) Deployment(ctx context.Context, w Wanted) (value.Value, error) {
	name, err := t.name(ctx, w)
	if err != nil {
		return value.Value{}, err
	}
	entry := mapping("name", value.Of(name), "entrypoint", value.Of(w.Entrypoint))
	var schedules []value.Value
	if !w.Scheduled {
		if schedules, err = t.schedules(ctx, w.Now); err != nil {
			return value.Value{}, err
		}
	}
	pool, err := t.pool(ctx, w)
	if err != nil {
		return value.Value{}, err
	}
	if len(schedules) > 0 {
		entry = entry.Set("schedules", value.Of(schedules))
	}
	return entry.Set("work_pool", mapping("name", value.Of(pool))), nil
}

func mapping(kv ...any) value.Value {
	v := value.Of([]value.Entry{})
	for i := 0; i < len(kv); i += 2 {
		v = v.Set(kv[i].(string), kv[i+1].(value.Value))
	}
	return v
}

func (t *Terminal) name(ctx context.Context, w Wanted) (string, error) {
	check := func(text string) error {
		switch {
		case strings.ContainsAny(text, "/%&<>"):
			return errors.New("a name has none of / % & < > in it")
		case w.Taken != nil && w.Taken(text):
			return fmt.Errorf("the file has a deployment %s of this flow already", diag.Quote(text))
		}
		return nil
	}
	if w.Name != "" {
		return w.Name, check(w.Name)
	}
	return t.Text(ctx, "Name of the deployment", "default", check)
}

// kinds are the schedules that can be asked for: the key in the file, what the list says, and what an empty answer means.
var kinds = []struct{ key, about, question, given string }{
	{"", "runs only when somebody or something starts it", "", ""},
	{"cron", "at times that a cron expression gives", "Cron expression", "0 0 * * *"},
	{"interval", "every so many seconds", "Interval (seconds, or 1:30:00)", "3600"},
	{"rrule", "at times that a recurrence rule gives", "Recurrence rule", "FREQ=DAILY;BYHOUR=6;BYMINUTE=0;BYSECOND=0"},
}

// schedules asks for one schedule after the other.
func (t *Terminal) schedules(ctx context.Context, now time.Time) (list []value.Value, err error) {
	items := make([]Item, len(kinds))
	for i, k := range kinds {
		items[i] = Item{k.key, k.about}
	}
	items[0].Name = "none"
	for {
		chosen, err := t.Choose(ctx, List{Question: "When does it run?", Items: items, Given: 1})
		if err != nil || chosen[0] == 0 {
			return list, err
		}
		schedule, err := t.schedule(ctx, chosen[0], now)
		if err != nil {
			return nil, err
		}
		if !schedule.IsNull() {
			list = append(list, schedule)
		}
		more, err := t.Confirm(ctx, "Another schedule?", schedule.IsNull())
		if err != nil || !more {
			return list, err
		}
	}
}

// schedule asks for one, shows when it would run, and returns null when it is not taken.
func (t *Terminal) schedule(ctx context.Context, kind int, now time.Time) (value.Value, error) {
	k := kinds[kind]
	with := func(text, zone string) value.Value {
		v := mapping(k.key, value.Of(text))
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && k.key == "interval" {
			v = mapping(k.key, value.Of(seconds))
		}
		if zone != "" {
			v = v.Set("timezone", value.Of(zone))
		}
		return v
	}
	valid := func(v value.Value) error {
		if _, fault := resolve.Timing(v); fault != nil {
			return fault.Problem
		}
		return nil
	}
	text, err := t.Text(ctx, k.question, k.given, func(text string) error { return valid(with(text, "")) })
	if err != nil {
		return value.Value{}, err
	}
	zone := ""
	if k.key != "interval" {
		if zone, err = t.Text(ctx, "Time zone", "UTC", func(zone string) error { return valid(with(text, zone)) }); err != nil {
			return value.Value{}, err
		}
	}
	schedule := with(text, zone)
	t.times(schedule, zone, now)
	taken, err := t.Confirm(ctx, "Take it?", true)
	if err != nil || !taken {
		return value.Value{}, err
	}
	return schedule, nil
}

// times shows the next runs.
func (t *Terminal) times(schedule value.Value, zone string, now time.Time) {
	timing, _ := resolve.Timing(schedule)
	times, err := timing.Next(now, 3, now)
	if err != nil || len(times) == 0 {
		t.Say("The next runs can't be told here.")
		return
	}
	at := time.UTC
	if z, err := time.LoadLocation(zone); err == nil && zone != "" {
		at = z
	}
	t.Say("The next runs:")
	for _, next := range times {
		t.Say("   %s", next.In(at).Format("Mon 2006-01-02 15:04:05 MST"))
	}
}

// pool asks for the work pool: one of the server's, or a name where none can be asked.
func (t *Terminal) pool(ctx context.Context, w Wanted) (string, error) {
	if w.Pool != "" {
		return w.Pool, nil
	}
	var items []Item
	if w.Pools != nil {
		var err error
		if items, err = w.Pools(ctx); err != nil {
			return "", err
		}
		if len(items) == 0 {
			return "", errors.New("the server has no work pool: create one (prefect work-pool create NAME --type process), or name one with --pool")
		}
	}
	if len(items) == 0 {
		return t.Text(ctx, "Work pool", w.Default, nil)
	}
	given := slices.IndexFunc(items, func(i Item) bool { return i.Name == w.Default }) + 1
	if given == 0 && len(items) == 1 {
		given = 1
	}
	chosen, err := t.Choose(ctx, List{Question: "Which work pool? (Runs go to its default queue.)", Items: items, Given: given})
	if err != nil {
		return "", err
	}
	return items[chosen[0]].Name, nil
}
