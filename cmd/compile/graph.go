package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/emit"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/picture"
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
			in, err := load(w, s.dir, files)
			if err != nil {
				return err
			}
			_, err = w.Stdout.Write(printed(in.Graph, format))
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

// load reads the files and makes their graph; faults end the command.
func load(w cli.World, dir string, files []cli.File) (*emit.Input, error) {
	var sources []emit.Source
	for _, f := range files {
		sources = append(sources, emit.Source(f))
	}
	in, faults := emit.Load(os.DirFS(dir), sources)
	return in, stop(w, files, faults)
}

// stop shows faults, and ends the command because of errors among them.
func stop(w cli.World, files []cli.File, faults diag.List) error {
	if len(faults) > 0 {
		_, _ = w.Stderr.Write([]byte(faults.Text(func(name string) []byte {
			for _, f := range files {
				if f.Name == name {
					return f.Data
				}
			}
			return nil
		})))
	}
	if faults.Errors(false) > 0 {
		return &cli.Exit{Code: cli.ExitError}
	}
	return nil
}
