package spec_test

// knownModelDifferences are the recorded documents on whose faults this package and Prefect's model disagree, each with its reason.
var knownModelDifferences = map[string]string{
	"deployments: \n":          "the model refuses the file, and Prefect then goes on without it, which an entrypoint on the command line makes up for; here a warning",
	"deployments: ~\n":         "the model refuses the file, and Prefect then goes on without it, which an entrypoint on the command line makes up for; here a warning",
	"definitions: !!set {a}\n": "Python makes a set of it, which nothing in a prefect.yaml wants; here the tag is an error",
	"other: !!set {a}\n":       "Python makes a set of it, which nothing in a prefect.yaml wants; here the tag is an error",
	"deployments:\n  - entrypoint: f.py:f\n    tags: !!set {a}\n":                                                "Python makes a set of it, which nothing in a prefect.yaml wants; here the tag is an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{}]\n":                                                "the model takes an empty schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    other: !!set {a}\n":                                               "Python makes a set of it, which nothing in a prefect.yaml wants; here the tag is an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedule:\n      interval: -5\n":                                  "the model takes a negative interval, and the server then refuses it",
	"deployments:\n  - entrypoint: f.py:f\n    schedules:\n      - interval: -3\n        timezone: UTC\n":        "the model takes a negative interval, and the server then refuses it",
	"deployments:\n  - entrypoint: f.py:f\n    schedules:\n      - interval: -600\n        timezone: UTC\n":      "the model takes a negative interval, and the server then refuses it",
	"deployments:\n  - entrypoint: f.py:f\n    schedules:\n      - interval: -0.5\n        timezone: UTC\n":      "the model takes a negative interval, and the server then refuses it",
	"deployments:\n  - entrypoint: f.py:f\n    schedules:\n      - interval: '-PT5M'\n        timezone: UTC\n":   "the model takes a negative interval, and the server then refuses it",
	"deployments:\n  - entrypoint: f.py:f\n    schedule: {schedule: {cron: '0 0 * * *'}}\n":                      "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{schedule: {cron: '0 0 * * *'}}]\n":                   "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedule: {schedule: {cron: '0 0 * * *'}, active: false}\n":       "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{schedule: {cron: '0 0 * * *'}, active: false}]\n":    "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedule: {schedule: {interval: 60}}\n":                           "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{schedule: {interval: 60}}]\n":                        "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedule: {schedule: {interval: 60}, max_scheduled_runs: 3}\n":    "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{schedule: {interval: 60}, max_scheduled_runs: 3}]\n": "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedule: {schedule: {}}\n":                                       "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{schedule: {}}]\n":                                    "the model takes the server's own form of a schedule, and the deployment then ends with an error",
	"deployments:\n  - entrypoint: f.py:f\n    schedules: [{cron: '* * * * *'}, {}]\n":                           "the model takes an empty schedule, and the deployment then ends with an error",
}
