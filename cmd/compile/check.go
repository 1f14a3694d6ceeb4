package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
)

func checkCommand(w cli.World) *cobra.Command {
	var s shared
	var format string
	var strict, fix bool
	c := &cobra.Command{Use: "check", Short: "Report every mistake of the file with its line", Args: cli.NoArgs,
		Example: "  compile check\n  compile check --strict --format github -f 'pipelines/*/prefect.yaml'",
		RunE: func(*cobra.Command, []string) error {
			render, ok := renderers[format]
			if !ok {
				return cli.Usage("there is no format %q: write text, json, github or sarif", format)
			}
			files, err := s.read()
			if err != nil {
				return err
			}
			if fix {
				if files, err = fixAll(w, s.dir, files); err != nil {
					return err
				}
			}
			r := checkFiles(s.dir, files)
			if _, err := w.Stdout.Write(render(w, r)); err != nil {
				return err
			}
			if r.diags.Errors(strict) > 0 {
				return &cli.Exit{Code: cli.ExitError}
			}
			return nil
		}}
	s.add(c)
	c.Flags().StringVar(&format, "format", "text", "text, json, github or sarif")
	c.Flags().BoolVar(&strict, "strict", false, "warnings fail too")
	c.Flags().BoolVar(&fix, "fix", false, "write the certain corrections, keeping comments and layout")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "github", "sarif"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// read reads the files; one that isn't there is a fault of the command's own.
func (s *shared) read() ([]cli.File, error) {
	if err := cli.IsDirectory(s.dir); err != nil {
		return nil, err
	}
	files, err := cli.Read(s.dir, s.files)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cli.Fail("%v; name the file with -f, or the directory with -C", err)
	}
	return files, err
}

type checked struct {
	diags       diag.List
	deployments []string
	sources     diag.Sources
	// prefix is the way from where the command was started to the files, for annotations.
	prefix string
	dir    string
}

func checkFiles(dir string, files []cli.File) checked {
	c := check.New(os.DirFS(dir))
	r := checked{dir: dir, prefix: prefixOf(dir)}
	data := map[string][]byte{}
	for _, f := range files {
		data[f.Name] = f.Data
		r.deployments = append(r.deployments, c.File(f.Name, f.Data)...)
	}
	r.diags = c.Diagnostics()
	r.sources = func(name string) []byte {
		if src, ok := data[name]; ok {
			return src
		}
		src, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return src
	}
	return r
}

// renderers are the formats, by name.
var renderers = map[string]func(cli.World, checked) []byte{
	"text": func(_ cli.World, r checked) []byte {
		return []byte(r.diags.Text(r.sources) + summary(r))
	},
	"json": func(_ cli.World, r checked) []byte { return r.diags.JSON(r.deployments) },
	"github": func(w cli.World, r checked) []byte {
		return []byte(r.diags.GitHub(r.prefix))
	},
	"sarif": func(_ cli.World, r checked) []byte {
		version, _ := cli.Version()
		return r.diags.SARIF(diag.SARIFOptions{Version: version, Prefix: cli.WithinRepository(r.dir), Source: r.sources})
	},
}

func summary(r checked) string {
	if len(r.diags) > 0 {
		return fmt.Sprintf("\n%s (%s)\n", r.diags.Summary(), diag.Count(len(r.deployments), "deployment"))
	}
	return fmt.Sprintf("no errors (%s)\n", diag.Count(len(r.deployments), "deployment"))
}

// fixAll applies every certain correction, file by file, until none is left: a correction can uncover the next fault.
func fixAll(w cli.World, dir string, files []cli.File) ([]cli.File, error) {
	for i := range files {
		total := 0
		for range 100 {
			fixed, n := applyFixes(files[i], checkFiles(dir, files[i:i+1]).diags)
			if n == 0 {
				break
			}
			files[i].Data = fixed
			total += n
		}
		if total == 0 {
			continue
		}
		path := filepath.FromSlash(files[i].Name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if err := cli.ReplaceFile(path, files[i].Data); err != nil {
			return nil, cli.Fail("%s could not be written: %v", files[i].Name, err)
		}
		fmt.Fprintf(w.Stderr, "%s: %s written\n", files[i].Name, diag.Count(total, "correction"))
	}
	return files, nil
}

// applyFixes carries the corrections out from the end, so that offsets stay right; of two that overlap the first stands.
func applyFixes(f cli.File, diags diag.List) ([]byte, int) {
	var fixes []diag.Fix
	for i := range diags {
		if diags[i].Fix != nil && diags[i].File == f.Name {
			fixes = append(fixes, *diags[i].Fix)
		}
	}
	sort.Slice(fixes, func(i, j int) bool { return fixes[i].Start > fixes[j].Start })
	data, n, last := f.Data, 0, len(f.Data)+1
	for _, x := range fixes {
		if x.End > last || x.Start > x.End || x.End > len(f.Data) {
			continue
		}
		data = append(append(append([]byte{}, data[:x.Start]...), x.Text...), data[x.End:]...)
		last = x.Start
		n++
	}
	return data, n
}

// prefixOf is -C as a prefix of file names: "" where nothing was given or where it is no part of this directory.
func prefixOf(dir string) string {
	clean := filepath.ToSlash(filepath.Clean(dir))
	if clean == "." || filepath.IsAbs(dir) || strings.HasPrefix(clean, "../") || clean == ".." {
		return ""
	}
	return clean + "/"
}
