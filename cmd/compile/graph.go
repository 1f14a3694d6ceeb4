package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/picture"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

func graphCommand(w cli.World) *cobra.Command {
	var s shared
	var format string
	c := &cobra.Command{Use: "graph", Short: "Show the dependency graph of steps and registrations", Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !slices.Contains(graphFormats, format) {
				return cli.Usage("there is no format %q: write %s", format, strings.Join(graphFormats, ", "))
			}
			files, err := s.read()
			if err != nil {
				return err
			}
			g, err := graphOf(w, s.dir, files)
			if err != nil {
				return err
			}
			_, err = w.Stdout.Write(printed(g, format))
			return err
		}}
	s.add(c)
	c.Flags().StringVar(&format, "format", "json", strings.Join(graphFormats, "|"))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(graphFormats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// graphFormats are what --format takes, the default first.
var graphFormats = []string{"json", "mermaid", "dot", "svg"}

func printed(g *graph.Graph, format string) []byte {
	switch format {
	case "mermaid":
		return picture.Of(g).Mermaid(picture.MermaidLimit)
	case "dot":
		return picture.Of(g).Dot()
	case "svg":
		return picture.Of(g).SVG()
	}
	return g.JSON()
}

// graphOf makes the graph of all deployments of the files. Faults of the file end it, with the diagnostics on stderr; a missing Python file does not, as the graph
// does not depend on it.
func graphOf(w cli.World, dir string, files []cli.File) (*graph.Graph, error) {
	c := check.New(os.DirFS(dir))
	var deployments []*resolve.Deployment
	data := map[string][]byte{}
	for _, f := range files {
		data[f.Name] = f.Data
		file, ok := c.Load(f.Name, f.Data)
		if !ok {
			continue
		}
		for i := range file.Len() {
			var diags diag.List
			d := resolve.Entry(file, file.Deployment(i, &diags))
			c.Add(diags)
			c.Deployment(d)
			deployments = append(deployments, d)
		}
	}
	var stop diag.List
	for _, d := range c.Diagnostics() {
		if d.Severity == diag.Error && d.Code != "missing-entrypoint-file" {
			stop = append(stop, d)
		}
	}
	if len(stop) > 0 {
		_, _ = w.Stderr.Write([]byte(stop.Text(func(name string) []byte { return data[name] })))
		return nil, &cli.Exit{Code: cli.ExitError}
	}
	return graph.Build(deployments, c.FullName), nil
}
