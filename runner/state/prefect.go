// The state that a Prefect server holds.
//
// What PATCH /deployments/{id} does with fields, seen on 3.8.8 (writes_real_test.go asks it again):
//
//   - it changes the given fields and leaves all others, the schedules included; a body of `tags` alone is fine;
//   - `work_queue_name: null` is ignored unless `work_pool_name` stands beside it: then the pool's default queue is taken. A queue
//     name without the pool moves the deployment to "default-agent-pool", a pool name without the queue to the pool's default
//     queue, and a queue that does not exist is created. So the two always go together;
//   - an unknown work pool is 500 here, and 404 on creation;
//   - `labels` is 422: an update has none;
//   - `concurrency_limit: null` removes the limit, and its options stay unless they are named. What it does to a limit that others share is told in limits.go.
package state

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// OpenPrefect makes the state of the API that the client speaks to. It sends nothing yet.
func OpenPrefect(c *prefect.Client) *State {
	b := &server{client: c, flows: map[string]string{}}
	return &State{Source: c.Source(), Read: b.read, Write: b.write, Delete: b.delete, Runs: b.runs, Close: func() error { return nil }}
}

type server struct {
	client *prefect.Client
	mu     sync.Mutex
	// flows are the ids of those of the deployments that were created; creating is what is under way.
	flows    map[string]string
	creating singleflight.Group
}

// flow gives the id of a flow, which is created if it does not exist. All deployments of a flow need one request; those that wait for one share its failure too, and a later one tries anew.
func (b *server) flow(ctx context.Context, name string) (string, error) {
	known := func() string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.flows[name]
	}
	if id := known(); id != "" {
		return id, nil
	}
	id, err, _ := b.creating.Do(name, func() (any, error) {
		if id := known(); id != "" { // since the first look
			return id, nil
		}
		id, err := b.client.Flow(ctx, name)
		if err == nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.flows[name] = id
		}
		return id, err
	})
	return id.(string), err
}

// runs counts. A late run has another name than the scheduled one that it was.
func (b *server) runs(ctx context.Context, ids []string, which Runs) (int, error) {
	if which == RunsToCome {
		return b.client.CountRuns(ctx, ids, []string{"SCHEDULED"}, []string{"Scheduled"}, true)
	}
	return b.client.CountRuns(ctx, ids, []string{"SCHEDULED", "PENDING"}, nil, false)
}

// read asks for all kinds of things side by side: on a server of its own that gains little, on Cloud a round trip each.
func (b *server) read(ctx context.Context, q Query) (*Snapshot, error) {
	s := &Snapshot{Source: b.client.Source()}
	parts := []func(context.Context, Query, *Snapshot) error{b.readVersion, b.readDeployments, b.readWorkPools, b.readVariables, b.readBlocks, b.readAutomations}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(parts))
	var first error
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(func() {
			if errs[i] = part(ctx, q, s); errs[i] != nil {
				mu.Lock()
				if first == nil {
					first = errs[i]
				}
				mu.Unlock()
				cancel()
			}
		})
	}
	all.Wait()
	if first != nil {
		return nil, b.hint(first)
	}
	s.withAutomations()
	return s, nil
}

// hint explains the commonest wrong address: a server's lists are never 404 where its API is.
func (b *server) hint(err error) error {
	if source := b.client.Source(); prefect.StatusOf(err) == http.StatusNotFound && !strings.HasSuffix(source, "/api") && !strings.Contains(source, "/api/") {
		return fmt.Errorf("%w; is the API at %s/api? PREFECT_API_URL has to name it", err, source)
	}
	return err
}

func (b *server) readVersion(ctx context.Context, _ Query, s *Snapshot) (err error) {
	s.PrefectVersion, err = b.client.Version(ctx)
	return err
}

func (b *server) readDeployments(ctx context.Context, q Query, s *Snapshot) error {
	names := make([]prefect.DeploymentName, len(q.Deployments))
	for i, n := range q.Deployments {
		names[i] = prefect.DeploymentName(n)
	}
	found, err := b.found(ctx, names, q.All, s)
	if err != nil {
		return err
	}
	s.Deployments = make(map[Name]*Live, len(found))
	for _, d := range found {
		s.Deployments[Name(d.Name)] = b.live(Name(d.Name), d)
	}
	return nil
}

// found lists everything where that was asked for and is little enough, else what is named.
func (b *server) found(ctx context.Context, names []prefect.DeploymentName, all int, s *Snapshot) (_ []prefect.Deployment, err error) {
	if all > 0 {
		if s.Total, err = b.client.Count(ctx); err != nil {
			return nil, err
		}
		if s.Complete = s.Total <= all; s.Complete {
			return b.everything(ctx, names)
		}
	}
	return b.client.Deployments(ctx, names)
}

// everything lists all deployments, and asks again by name for those that are wanted and did not come: taking one for absent would create it anew over the real one.
func (b *server) everything(ctx context.Context, names []prefect.DeploymentName) ([]prefect.Deployment, error) {
	list, err := b.client.All(ctx)
	if err != nil {
		return nil, err
	}
	there := make(map[prefect.DeploymentName]bool, len(list))
	for _, d := range list {
		there[d.Name] = true
	}
	var missing []prefect.DeploymentName
	for _, n := range names {
		if !there[n] {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return list, nil
	}
	more, err := b.client.Deployments(ctx, missing)
	return append(list, more...), err
}

func (b *server) readWorkPools(ctx context.Context, q Query, s *Snapshot) error {
	pools, err := b.client.WorkPools(ctx, q.WorkPools)
	if err != nil {
		return err
	}
	s.WorkPools = make(map[string]*WorkPool, len(pools))
	for _, p := range pools {
		pool := workPool(textOf(p, "name"), p)
		s.WorkPools[pool.Name] = pool
	}
	return nil
}

func workPool(name string, v value.Value) *WorkPool {
	p := &WorkPool{Name: name, Type: textOf(v, "type")}
	p.BaseJobTemplate, _ = v.Get("base_job_template")
	paused, _ := v.Get("is_paused")
	p.IsPaused = paused.Bool
	p.IsPushPool = strings.HasSuffix(p.Type, ":push")
	return p
}

func (b *server) delete(ctx context.Context, l *Live) error {
	if l.Automations == nil || len(l.Automations) > 0 { // the server leaves them behind, with an action that can only fail
		if err := b.client.DeleteOwnedAutomations(ctx, l.ID); err != nil && prefect.StatusOf(err) != http.StatusForbidden {
			return err
		}
	}
	if err := b.detachLimit(ctx, l); err != nil {
		return err
	}
	err := b.client.DeleteDeployment(ctx, l.ID)
	if prefect.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

func (b *server) readVariables(ctx context.Context, q Query, s *Snapshot) error {
	variables, err := b.client.Variables(ctx, q.Variables)
	if err != nil {
		return err
	}
	s.Variables = make(map[string]value.Value, len(variables))
	for _, v := range variables {
		s.Variables[textOf(v, "name")], _ = v.Get("value")
	}
	return nil
}

func (b *server) readBlocks(ctx context.Context, q Query, s *Snapshot) error {
	names := make([]prefect.BlockName, len(q.Blocks))
	for i, r := range q.Blocks {
		names[i] = prefect.BlockName(r)
	}
	blocks, err := b.client.Blocks(ctx, names)
	if err != nil {
		return err
	}
	s.Blocks = make(map[BlockRef]value.Value, len(blocks))
	for name, data := range blocks {
		s.Blocks[BlockRef(name)] = data.Mark(value.Sensitive)
	}
	return nil
}

// live keeps of a server's answer what a plan compares.
func (b *server) live(name Name, d prefect.Deployment) *Live {
	var fields []value.Entry
	for _, key := range fieldNames() {
		v, ok := d.Raw.Get(key)
		switch key {
		case "concurrency_limit": // the field of that name is always null; the limit is an object of its own
			if limit, has := d.Raw.Get("global_concurrency_limit"); has && limit.Kind == value.Map {
				v, _ = limit.Get("limit")
			}
		case "schedules":
			v = liveSchedules(v)
		case "job_variables": // the name before 3.0
			if old, has := d.Raw.Get("infra_overrides"); !ok && has {
				v, ok = old, true
			}
		}
		if ok {
			fields = append(fields, value.Entry{Key: key, Value: v})
		}
	}
	return &Live{ID: d.ID, FlowID: d.FlowID, Name: name, Fields: value.Of(fields), URL: b.client.DeploymentURL(d.ID), ForeignLimit: foreignLimit(d)}
}

func liveSchedules(v value.Value) value.Value {
	list := make([]value.Value, 0, len(v.List))
	for _, s := range v.List {
		var entries []value.Entry
		for _, key := range []string{"id", "schedule", "active", "max_scheduled_runs", "parameters", "slug"} {
			if got, ok := s.Get(key); ok {
				entries = append(entries, value.Entry{Key: key, Value: got})
			}
		}
		list = append(list, value.Of(entries))
	}
	sortSchedules(list)
	return value.Of(list)
}

func (b *server) write(ctx context.Context, w Write) (*Live, error) {
	version, err := b.client.Version(ctx)
	if err != nil {
		return nil, err
	}
	w.Fields = normal(w.Fields)
	var live *Live
	switch {
	case w.Live != nil && len(w.Fields.Map)+len(w.DeleteSchedules) == 0: // nothing but its automations
		same := *w.Live
		live = &same
	case w.Live == nil:
		live, err = b.create(ctx, w, version)
	case prefect.Supports(version, "deployment", "partial update"):
		live, err = b.update(ctx, w, version)
	default:
		live, err = b.replace(ctx, w, version)
	}
	if err == nil && w.Live != nil {
		live.Automations = w.Live.Automations
	}
	if err == nil {
		err = b.writeAutomations(ctx, w, live)
	}
	if err != nil {
		return nil, &writeError{scrub(err.Error(), w.secrets()), err}
	}
	return live, nil
}

// writeError keeps the cause for errors.Is and errors.As while its text has lost what must not be shown.
type writeError struct {
	text  string
	cause error
}

func (e *writeError) Error() string { return e.text }
func (e *writeError) Unwrap() error { return e.cause }

// create registers the flow and the deployment. A maximum of scheduled runs is dropped by POST /deployments/, so schedules with one
// follow by the route that keeps it.
func (b *server) create(ctx context.Context, w Write, version string) (*Live, error) {
	flow, err := b.flow(ctx, w.Name.Flow)
	if err != nil {
		return nil, err
	}
	return b.post(ctx, w.Name, flow, overlay(creationDefaults(), w.Fields), version)
}

func (b *server) post(ctx context.Context, name Name, flow string, fields value.Value, version string) (*Live, error) {
	schedules, _ := fields.Get("schedules")
	pairs, _ := pair(nil, schedules.List)
	list := bodies(pairs, version)
	separate := anyMaximum(pairs)
	body := b.gated(fields, version).Set("schedules", value.Of(list))
	if separate {
		body = body.Set("schedules", value.Of([]value.Value{}))
	}
	body = overlay(value.Of([]value.Entry{{Key: "name", Value: value.Of(name.Deployment)}, {Key: "flow_id", Value: value.Of(flow)}}), body)
	d, err := b.client.CreateDeployment(ctx, body)
	if err != nil {
		return nil, err
	}
	live := b.live(name, d)
	if separate {
		if err := b.client.CreateSchedules(ctx, d.ID, list); err != nil {
			return nil, err
		}
		live.Fields = live.Fields.Set("schedules", value.Of(list))
	}
	return live, nil
}

// replace is an update for servers before 3.2.0: the whole deployment by POST, an upsert.
func (b *server) replace(ctx context.Context, w Write, version string) (*Live, error) {
	liveList, _ := w.Live.Fields.Get("schedules")
	stays, _ := split(liveList.List, w.DeleteSchedules)
	fields := w.Live.Fields.Set("schedules", value.Of(stays))
	if wanted, ok := w.Fields.Get("schedules"); ok {
		pairs, _ := pair(stays, wanted.List)
		list := make([]value.Value, len(pairs))
		for i, p := range pairs {
			list[i] = p.wanted
		}
		w.Fields = w.Fields.Set("schedules", value.Of(list))
	}
	return b.post(ctx, w.Name, w.Live.FlowID, overlay(fields, without(w.Fields, "labels")), version)
}

// update sends the changed fields, then whatever the schedules need beyond that.
func (b *server) update(ctx context.Context, w Write, version string) (*Live, error) {
	liveList, _ := w.Live.Fields.Get("schedules")
	wanted, listed := w.Fields.Get("schedules")
	change := changeSchedules(liveList.List, wanted.List, listed, w.DeleteSchedules, version)
	body := sparingLimit(withPoolAndQueue(b.gated(without(w.Fields, "schedules", "labels"), version), w.Live.Fields), w.Live)
	if change.Patch != nil {
		body = body.Set("schedules", value.Of(change.Patch))
	}
	if change.DeleteFirst {
		if err := b.deleteSchedules(ctx, w.Live.ID, change.Delete); err != nil {
			return nil, err
		}
	}
	if len(body.Map) > 0 {
		if err := b.sendUpdate(ctx, w.Live.ID, body); err != nil {
			return nil, err
		}
	}
	if len(change.Create) > 0 {
		if err := b.client.CreateSchedules(ctx, w.Live.ID, change.Create); err != nil {
			return nil, err
		}
	}
	for _, u := range change.Update {
		if err := b.client.UpdateSchedule(ctx, w.Live.ID, u.ID, u.Fields); err != nil {
			return nil, err
		}
	}
	if !change.DeleteFirst {
		if err := b.deleteSchedules(ctx, w.Live.ID, change.Delete); err != nil {
			return nil, err
		}
	}
	return afterUpdate(w, liveList.List, listed), nil
}

func (b *server) deleteSchedules(ctx context.Context, deployment string, schedules []string) error {
	for _, id := range schedules {
		if err := b.client.DeleteSchedule(ctx, deployment, id); err != nil {
			return fmt.Errorf("a schedule that is no longer wanted could not be removed: %w", err)
		}
	}
	return nil
}

// afterUpdate is the deployment as it is after the update, put together without asking again.
func afterUpdate(w Write, liveList []value.Value, listed bool) *Live {
	live := *w.Live
	if _, replaced := sparingLimit(w.Fields, w.Live).Get(limitsID); replaced {
		live.ForeignLimit = ""
	}
	live.Fields = overlay(live.Fields, without(w.Fields, "schedules", "labels"))
	stays, _ := split(liveList, w.DeleteSchedules)
	if listed {
		wanted, _ := w.Fields.Get("schedules")
		pairs, _ := pair(stays, wanted.List)
		stays = nil
		for _, p := range pairs {
			s := p.wanted
			if p.live != nil {
				s = overlay(value.Of([]value.Entry{{Key: "id", Value: value.Of(textOf(*p.live, "id"))}}), s)
			}
			stays = append(stays, s)
		}
		sortSchedules(stays)
	}
	live.Fields = live.Fields.Set("schedules", value.Of(append([]value.Value{}, stays...)))
	return &live
}

// withPoolAndQueue adds the live pool or queue where only one of the two is to change.
func withPoolAndQueue(body, live value.Value) value.Value {
	_, hasPool := body.Get("work_pool_name")
	_, hasQueue := body.Get("work_queue_name")
	if hasPool == hasQueue {
		return body
	}
	missing := "work_pool_name"
	if hasPool {
		missing = "work_queue_name"
	}
	v, _ := live.Get(missing)
	if hasPool && !has(body, "work_pool_name") { // no pool, no queue
		v = value.Value{}
	}
	return body.Set(missing, v)
}

// gated drops what the server's version would refuse.
func (b *server) gated(fields value.Value, version string) value.Value {
	fields = prefect.Admit(version, "deployment", fields)
	if options, ok := fields.Get("concurrency_options"); ok {
		fields = fields.Set("concurrency_options", prefect.Admit(version, "concurrency_options", options))
	}
	return fields
}
