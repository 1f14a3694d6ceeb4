//go:build real

// Which fields of a deployment the file rules: every property that the OpenAPI document of 3.8.8 knows of a deployment and of what it refers to, each with the changes
// that someone could make by hand. An edit with paths is one that the file rules and the plan must show under exactly these; one without must not show and must stay.
package conformance

// property is one row.
type property struct {
	// name is "schema.property"; what a server answers and what it takes are one schema here (sameSchema).
	name string
	// edits are changes by hand.
	edits []edit
	// why there is none: nobody can change it by hand, or a change of it is one of another row.
	why string
}

// sameSchema gives the schemas of requests and answers their common name.
var sameSchema = map[string]string{
	"DeploymentResponse": "deployment", "DeploymentUpdate": "deployment", "DeploymentCreate": "deployment",
	"DeploymentSchedule": "schedule", "DeploymentScheduleUpdate": "schedule", "DeploymentScheduleCreate": "schedule",
	"IntervalSchedule-Input": "interval", "IntervalSchedule-Output": "interval", "CronSchedule": "cron", "RRuleSchedule": "rrule",
	"GlobalConcurrencyLimitResponse": "limit", "ConcurrencyOptions": "options", "VersionInfo": "version info", "CreatedBy": "creator", "UpdatedBy": "updater",
}

const (
	itsOwn  = "the server sets it, and no request changes it"
	another = "it changes with "
	person  = "who it was: a server of one's own has no people, and no request sets it"
)

type object = map[string]any

func properties() []property {
	return append(deploymentProperties(), partProperties()...)
}

func deploymentProperties() []property {
	git := []any{object{"prefect.deployments.steps.git_clone": object{"repository": "https://git.example.com/by/hand.git"}}}
	directory := []any{object{"prefect.deployments.steps.set_working_directory": object{"directory": "/by/hand"}}}
	hand := func(form, field string, v any, shows ...string) edit {
		return edit{form: form, do: patch(object{field: v}), shows: shows}
	}
	return []property{
		{name: "deployment.id", why: itsOwn},
		{name: "deployment.created", why: itsOwn},
		{name: "deployment.updated", why: another + "every other one"},
		{name: "deployment.name", why: "its identity: an update cannot name it"},
		{name: "deployment.flow_id", why: "its identity: an update cannot name it"},
		{name: "deployment.version", edits: []edit{hand("full", "version", "by hand", "version"), hand("bare", "version", "by hand")}},
		{name: "deployment.version_info", why: "a server of one's own takes it and never answers it"},
		{name: "deployment.description", edits: []edit{hand("full", "description", "by hand", "description"), hand("bare", "description", "by hand", "description")}},
		{name: "deployment.paused", edits: []edit{hand("full", "paused", true, "paused"), hand("bare", "paused", true)}},
		{name: "deployment.tags", edits: []edit{hand("full", "tags", []any{"a", "c"}, "tags"), hand("full", "tags", []any{}, "tags"), hand("bare", "tags", []any{"c"}, "tags")}},
		{name: "deployment.labels", why: "an update cannot name them: see seedLabelled"},
		{name: "deployment.parameters", edits: []edit{hand("full", "parameters", object{"name": "x", "times": 3}, "parameters.times"),
			hand("full", "parameters", object{"name": "x"}, "parameters.times"), hand("bare", "parameters", object{"name": "h"}, "parameters.name")}},
		{name: "deployment.enforce_parameter_schema", edits: []edit{hand("full", "enforce_parameter_schema", false, "enforce_parameter_schema"), hand("bare", "enforce_parameter_schema", false)}},
		{name: "deployment.parameter_openapi_schema", edits: []edit{{form: "full", do: patch(object{"parameter_openapi_schema": object{"type": "object", "title": "Parameters", "properties": object{}}, "parameters": forms["full"]["parameters"]}),
			shows: []string{"parameter_openapi_schema.properties.name", "parameter_openapi_schema.properties.times"}}}},
		{name: "deployment.entrypoint", edits: []edit{hand("full", "entrypoint", "hand.py:hello", "entrypoint"), hand("bare", "entrypoint", nil, "entrypoint")}},
		{name: "deployment.path", edits: []edit{hand("full", "path", "/by/hand"), hand("bare", "path", "/by/hand")}},
		{name: "deployment.pull_steps", edits: []edit{hand("rrule", "pull_steps", directory, "pull_steps[0].prefect.deployments.steps.set_working_directory.directory"),
			hand("rrule", "pull_steps", []any{}, "pull_steps"), hand("bare", "pull_steps", git, "pull_steps[0].prefect.deployments.steps.git_clone",
				"pull_steps[0].prefect.deployments.steps.set_working_directory"), hand("full", "pull_steps", directory)}},
		{name: "deployment.job_variables", edits: []edit{hand("full", "job_variables", object{"env": object{"REGION": "us"}, "cpu": 1}, "job_variables.env.REGION"),
			hand("full", "job_variables", object{"env": object{"REGION": "eu", "MORE": "1"}, "cpu": 1}, "job_variables.env.MORE"),
			hand("full", "job_variables", object{"env": object{"REGION": "eu"}}, "job_variables.cpu"), hand("bare", "job_variables", object{"cpu": 2}, "job_variables.cpu")}},
		{name: "deployment.work_pool_name", edits: []edit{{form: "bare", do: patch(object{"work_pool_name": "other-pool", "work_queue_name": "default"}), shows: []string{"work_pool_name"}},
			{form: "full", do: patch(object{"work_pool_name": "other-pool", "work_queue_name": "q"}), shows: []string{"work_pool_name"}}}},
		{name: "deployment.work_queue_name", edits: []edit{{form: "full", do: patch(object{"work_pool_name": "pool", "work_queue_name": "default"}), shows: []string{"work_queue_name"}},
			{form: "bare", do: patch(object{"work_pool_name": "pool", "work_queue_name": "by-hand"}), shows: []string{"work_queue_name"}}}},
		{name: "deployment.work_queue_id", why: another + "work_queue_name"},
		{name: "deployment.concurrency_limit", edits: []edit{hand("full", "concurrency_limit", 5, "concurrency_limit"), hand("interval", "concurrency_limit", nil, "concurrency_limit"),
			hand("bare", "concurrency_limit", 4, "concurrency_limit")}},
		{name: "deployment.global_concurrency_limit", why: another + "concurrency_limit"},
		{name: "deployment.global_concurrency_limit_id", edits: []edit{{form: "full", do: otherLimit, shows: []string{"concurrency_limit"}}, {form: "bare", do: otherLimit, shows: []string{"concurrency_limit"}}}},
		{name: "deployment.concurrency_options", edits: []edit{hand("full", "concurrency_options", object{"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 120}, "concurrency_options.collision_strategy"),
			hand("interval", "concurrency_options", object{"collision_strategy": "CANCEL_NEW"}, "concurrency_options")}},
		{name: "deployment.last_polled", edits: []edit{{form: "full", do: polled}}},
		{name: "deployment.status", edits: []edit{{form: "bare", do: polled}}},
		{name: "deployment.storage_document_id", edits: []edit{{form: "full", do: document("storage_document_id")}}},
		{name: "deployment.infrastructure_document_id", edits: []edit{{form: "full", do: document("infrastructure_document_id")}}},
		{name: "deployment.created_by", why: person},
		{name: "deployment.updated_by", why: person},
		{name: "deployment.schedules", edits: []edit{hand("full", "schedules", []any{}, "schedules[0]"), hand("bare", "schedules", []any{object{"schedule": object{"cron": "5 5 * * *"}}}),
			{form: "rrule", do: addSchedule(object{"schedule": object{"cron": "5 5 * * *"}}), shows: []string{"schedules[1]"}},
			{form: "slugs", do: addSchedule(object{"slug": "by-hand", "schedule": object{"cron": "5 5 * * *"}}), along: patchSchedule(0, object{"active": false})}}},
	}
}

func partProperties() []property {
	return []property{
		{name: "schedule.id", why: itsOwn},
		{name: "schedule.created", why: itsOwn},
		{name: "schedule.updated", why: another + "every other one"},
		{name: "schedule.deployment_id", why: itsOwn},
		{name: "schedule.schedule", edits: []edit{{form: "full", do: patchSchedule(0, object{"schedule": object{"interval": 60.0}}), shows: []string{"schedules[0]"}},
			{form: "slugs", do: patchSchedule(0, object{"schedule": object{"interval": 60.0}}), shows: []string{"schedules[0]"}}}},
		{name: "schedule.active", edits: []edit{{form: "full", do: patchSchedule(0, object{"active": false}), shows: []string{"schedules[0].active"}},
			{form: "rrule", do: patchSchedule(0, object{"active": false})}, {form: "slugs", do: patchSchedule(1, object{"active": false}), along: patchTiming(0, object{"cron": "0 9 * * *"})}}},
		{name: "schedule.max_scheduled_runs", edits: []edit{
			{form: "full", do: patchSchedule(0, object{"max_scheduled_runs": 3}), along: patchSchedule(0, object{"active": false, "max_scheduled_runs": 3})},
			{form: "slugs", do: patchSchedule(0, object{"max_scheduled_runs": 3}), along: patchSchedule(0, object{"active": false})}}},
		{name: "schedule.parameters", edits: []edit{{form: "full", do: patchSchedule(0, object{"parameters": object{"name": "h"}}), shows: []string{"schedules[0].parameters.name"}},
			{form: "slugs", do: patchSchedule(0, object{"parameters": object{"name": "h"}}), shows: []string{"schedules[0].parameters.name"}}}},
		// A slug given by hand to a schedule whose timing is another as well is refused with its line (schedule-without-slug), as Prefect does: not a row of this table.
		{name: "schedule.slug", edits: []edit{{form: "slugs", do: patchSchedule(0, object{"slug": "by-hand"}), shows: []string{"schedules[0]"}},
			{form: "full", do: patchSchedule(0, object{"slug": "by-hand"}), shows: []string{"schedules[0].slug"}}, {form: "rrule", do: patchSchedule(0, object{"slug": "by-hand"}), shows: []string{"schedules[0].slug"}}}},
		{name: "schedule.replaces", why: "an instruction in a request: it leaves another slug"},
		{name: "interval.interval", edits: []edit{{form: "interval", do: patchTiming(0, object{"interval": 7200.0}), shows: []string{"schedules[0].interval"}}}},
		{name: "interval.anchor_date", edits: []edit{{form: "interval", do: patchTiming(0, object{"anchor_date": "2024-02-02T00:30:00Z"}), shows: []string{"schedules[0].anchor_date"}}}},
		{name: "interval.timezone", edits: []edit{{form: "interval", do: patchTiming(0, object{"timezone": "Asia/Tokyo"}), shows: []string{"schedules[0].timezone"}}}},
		{name: "cron.cron", edits: []edit{{form: "full", do: patchTiming(0, object{"cron": "0 2 * * *"}), shows: []string{"schedules[0].cron"}},
			{form: "slugs", do: patchTiming(0, object{"cron": "0 2 * * *"}), shows: []string{"schedules[0].cron"}}}},
		{name: "cron.timezone", edits: []edit{{form: "full", do: patchTiming(0, object{"timezone": "Asia/Tokyo"}), shows: []string{"schedules[0].timezone"}}}},
		{name: "cron.day_or", edits: []edit{{form: "full", do: patchTiming(0, object{"day_or": false}), shows: []string{"schedules[0].day_or"}}}},
		{name: "rrule.rrule", edits: []edit{{form: "rrule", do: patchTiming(0, object{"rrule": "FREQ=WEEKLY"}), shows: []string{"schedules[0].rrule"}}}},
		{name: "rrule.timezone", edits: []edit{{form: "rrule", do: patchTiming(0, object{"timezone": "Asia/Tokyo"}), shows: []string{"schedules[0].timezone"}}}},
		{name: "limit.id", why: itsOwn},
		{name: "limit.created", why: itsOwn},
		{name: "limit.updated", why: another + "every other one"},
		{name: "limit.active", edits: []edit{{form: "full", do: patchLimit(object{"active": false})}}},
		{name: "limit.name", edits: []edit{{form: "full", do: patchLimit(object{"name": "by hand"})}}},
		{name: "limit.limit", edits: []edit{{form: "full", do: patchLimit(object{"limit": 8}), shows: []string{"concurrency_limit"}}, {form: "interval", do: patchLimit(object{"limit": 8}), shows: []string{"concurrency_limit"}}}},
		{name: "limit.active_slots", edits: []edit{{form: "full", do: patchLimit(object{"active_slots": 1})}}},
		{name: "limit.slot_decay_per_second", edits: []edit{{form: "full", do: patchLimit(object{"slot_decay_per_second": 0.5})}}},
		{name: "options.collision_strategy", why: another + "concurrency_options"},
		{name: "options.grace_period_seconds", edits: []edit{{form: "full", do: patch(object{"concurrency_options": object{"collision_strategy": "ENQUEUE", "grace_period_seconds": 90}}), shows: []string{"concurrency_options.grace_period_seconds"}}}},
		{name: "version info.type", why: another + "version_info"},
		{name: "version info.version", why: another + "version_info"},
		{name: "creator.id", why: person},
		{name: "creator.type", why: person},
		{name: "creator.display_value", why: person},
		{name: "updater.id", why: person},
		{name: "updater.type", why: person},
		{name: "updater.display_value", why: person},
	}
}
