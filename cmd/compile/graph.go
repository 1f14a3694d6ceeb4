package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

func graphCommand(w cli.World) *cobra.Command {
	var s shared
	var format string
	c := &cobra.Command{Use: "graph", Short: "Show the dependency graph of steps and registrations", Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format != "json" {
				return cli.Usage("there is no format %q: write json", format)
			}
			files, err := s.read()
			if err != nil {
				return err
			}
			p, err := projectOf(w, s.dir, files)
			if err != nil {
				return err
			}
			_, err = w.Stdout.Write(p.graph.JSON())
			return err
		}}
	s.add(c)
	c.Flags().StringVar(&format, "format", "json", "json")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// sources are what the files say, read and checked.
type sources struct {
	files       []*spec.File
	deployments []*resolve.Deployment
	graph       *graph.Graph
	source      diag.Sources
}

// projectOf reads all deployments of the files and makes their graph. Faults of the files end it, with the diagnostics on stderr; a missing Python file does not, as the graph
// does not depend on it.
func projectOf(w cli.World, dir string, files []cli.File) (*sources, error) {
	c := check.New(os.DirFS(dir))
	p := &sources{}
	data := map[string][]byte{}
	p.source = func(name string) []byte { return data[name] }
	for _, f := range files {
		data[f.Name] = f.Data
		file, ok := c.Load(f.Name, f.Data)
		if !ok {
			continue
		}
		p.files = append(p.files, file)
		for i := range file.Len() {
			var diags diag.List
			d := resolve.Entry(file, file.Deployment(i, &diags))
			c.Add(diags)
			c.Deployment(d)
			p.deployments = append(p.deployments, d)
		}
	}
	var stop diag.List
	for _, d := range c.Diagnostics() {
		if d.Severity == diag.Error && d.Code != "missing-entrypoint-file" {
			stop = append(stop, d)
		}
	}
	if err := p.stop(w, stop); err != nil {
		return nil, err
	}
	p.graph = graph.Build(p.deployments, c.FullName)
	return p, nil
}

// stop shows faults and ends the command because of them.
func (p *sources) stop(w cli.World, faults diag.List) error {
	if len(faults) > 0 {
		_, _ = w.Stderr.Write([]byte(faults.Text(p.source)))
	}
	if faults.Errors(false) > 0 {
		return &cli.Exit{Code: cli.ExitError}
	}
	return nil
}
