// The command line of `prefect deploy`, held against what the real program says of itself (testdata/record_options.py).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

type recordedOptions struct {
	Options []struct {
		Names             []string
		Value, Repeatable bool
	}
	Lines []struct {
		Args   []string
		Error  bool
		Values map[string]any
	}
}

func optionsOfPrefect(t *testing.T) (r recordedOptions) {
	t.Helper()
	data, err := os.ReadFile("testdata/options.json")
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil || len(r.Options) < 20 || len(r.Lines) < 100 {
		t.Fatalf("testdata/options.json: %v", err)
	}
	return r
}

func TestEveryOptionOfPrefect(t *testing.T) {
	var w cli.World
	for _, c := range []*cobra.Command{planCommand(context.Background(), w), deployCommand(context.Background(), w)} {
		for _, o := range optionsOfPrefect(t).Options {
			for _, name := range o.Names {
				flag := lookup(c.Flags(), name)
				if flag == nil {
					t.Errorf("%s does not know %s", c.Name(), name)
				} else if takes := flag.NoOptDefVal == ""; takes != (o.Value && !strings.HasPrefix(name, "--empty-")) {
					t.Errorf("%s %s: that it takes a value is %v here, and not so there", c.Name(), name, takes)
				}
			}
		}
	}
}

// lookup finds a flag by a name with its dashes.
func lookup(f *pflag.FlagSet, name string) *pflag.Flag {
	if long, ok := strings.CutPrefix(expandShort([]string{name})[0], "--"); ok {
		return f.Lookup(long)
	}
	return f.ShorthandLookup(name[1:])
}

func TestCommandLinesOfPrefect(t *testing.T) {
	for _, line := range optionsOfPrefect(t).Lines {
		t.Run(fmt.Sprintf("%q", line.Args), func(t *testing.T) {
			got, said, code := parsed(line.Args)
			switch {
			case line.Error && code != cli.ExitUsage:
				t.Errorf("an error there, and exit %d here: %v", code, got)
			case !line.Error && (code != 0 || !reflect.DeepEqual(got, line.Values)):
				t.Errorf("exit %d: %s\n  got %v\n want %v", code, said, got, line.Values)
			}
		})
	}
}

// parsed is a command line as `run deploy` understands it, in the words of the recording.
func parsed(args []string) (values map[string]any, said string, code int) {
	var o options
	c := &cobra.Command{Use: "deploy", Args: argument}
	o.add(c)
	values = map[string]any{}
	c.RunE = func(c *cobra.Command, args []string) error {
		values = o.told(c, args)
		return nil
	}
	args = expandShort(args)
	if err := swallowed(c.Flags(), args); err != nil {
		return nil, err.Error(), cli.ExitUsage
	}
	var stderr strings.Builder
	code = cli.Run(c, cli.World{Args: args, Stdout: io.Discard, Stderr: &stderr})
	return values, stderr.String(), code
}

// told is what was given, under the names of Prefect's function.
func (o *options) told(c *cobra.Command, args []string) map[string]any {
	all := map[string]any{"names": o.names, "tags": o.tags, "job_variables": o.jobVariables, "cron": o.cron, "interval": o.interval, "rrule": o.rrule, "param": o.param, "trigger": o.triggers, "sla": o.slas,
		"description": o.description, "version": o.version, "version_type": o.versionType, "work_pool_name": o.pool, "work_queue_name": o.queue, "interval_anchor": o.anchor,
		"timezone": o.timezone, "params": o.params, "concurrency_limit": o.limit, "concurrency_limit_collision_strategy": o.strategy, "enforce_parameter_schema": o.enforce,
		"deploy_all": o.all, "profile": o.profile, "prompt": !o.noPrompt, "prefect_file": strings.Join(o.files, " ")}
	flags := map[string]string{"name": "names", "tag": "tags", "job-variable": "job_variables", "pool": "work_pool_name", "work-queue": "work_queue_name", "anchor-date": "interval_anchor",
		"collision-strategy": "concurrency_limit_collision_strategy", "all": "deploy_all", "no-all": "deploy_all", "no-enforce-parameter-schema": "enforce_parameter_schema", "no-prompt": "prompt"}
	values := map[string]any{}
	c.Flags().Visit(func(f *pflag.Flag) {
		name := strings.TrimPrefix(f.Name, "empty-")
		if to := flags[name]; to != "" {
			name = to
		}
		name = strings.ReplaceAll(name, "-", "_")
		if v := all[name]; v != nil && !(reflect.ValueOf(v).Kind() == reflect.Slice && reflect.ValueOf(v).IsNil()) {
			values[name] = v
		}
	})
	if at := o.entrypoint + strings.Join(args, ""); at != "" {
		values["entrypoint"] = at
	}
	text, _ := json.Marshal(values)
	values = nil
	_ = json.Unmarshal(text, &values)
	return values
}

// TestNothingElseIsWritten deploys beside a .prefect folder and looks at the whole tree afterwards.
func TestNothingElseIsWritten(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"flow.py": "from prefect import flow\n\n@flow\ndef hello(): pass\n", ".prefect/keep.json": "{}\n", "prefect.yaml": "deployments: [{name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}]\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	t.Chdir(dir)
	code := run(context.Background(), cli.World{Args: []string{"deploy", "--all", "--state", "file:state.json"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Env: func(string) (string, bool) { return "", false }})
	var files []string
	_ = filepath.WalkDir(".", func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			files = append(files, filepath.ToSlash(path))
		}
		return nil
	})
	if got := strings.Join(files, " "); code != 0 || got != ".prefect/keep.json flow.py prefect.yaml state.json" && got != ".prefect/keep.json flow.py prefect.yaml state.json state.json.lock" {
		t.Errorf("exit %d, %s\n%s", code, got, out.String())
	}
}
