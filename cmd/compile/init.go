// What a project begins with: a prefect.yaml from a recipe, and the .prefectignore that belongs to it. Only files are read and written, git's own among them: no process is
// started. What is there already stays, as with `prefect init`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/recipe"
	"github.com/org/prefect-deploy-action/runner/dialog"
)

// beginning is the command's options.
type beginning struct {
	dir, file, recipe, name, pool string
	fields                        []string
	discover, noPrompt            bool
}

func initCommand(w cli.World) *cobra.Command {
	var b beginning
	c := &cobra.Command{Use: "init", Short: "Write a prefect.yaml from a recipe", Args: cli.NoArgs,
		Example: "  compile init\n  compile init --recipe docker --field image_name=registry.example.com/team/app --field tag=v1\n  compile init --recipe s3 --field bucket=code --discover --pool my-pool",
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			err := b.run(ctx, w)
			if errors.Is(err, dialog.ErrCancelled) {
				return &cli.Exit{Code: cli.ExitInterrupted, Text: "cancelled; nothing was written"}
			}
			return err
		}}
	c.Long = c.Short + ", as prefect init does. Without --recipe it is the one that fits the directory: git where there is a\nremote called origin, docker where there is a Dockerfile, docker-git where both are, else local. " +
		"A prefect.yaml\nthat is there stays as it is.\n\nOn a terminal it asks for what is missing.\n\n" + aboutRecipes()
	f := c.Flags()
	f.StringVarP(&b.file, "prefect-file", "f", "prefect.yaml", "the file to write")
	f.StringVarP(&b.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringVar(&b.recipe, "recipe", "", "the recipe")
	f.StringArrayVar(&b.fields, "field", nil, "a field of the recipe, as `NAME=VALUE`; repeatable")
	f.StringVar(&b.name, "name", "", "the project's name (default: the directory's)")
	f.BoolVar(&b.discover, "discover", false, "write a deployment for each flow of the tree; no code is imported")
	f.StringVar(&b.pool, "pool", "", "the work pool of the deployments that --discover writes")
	f.BoolVar(&b.noPrompt, "no-prompt", false, "ask nothing")
	_ = c.RegisterFlagCompletionFunc("recipe", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return recipeNames("\t"), cobra.ShellCompDirectiveNoFileComp
	})
	_ = c.RegisterFlagCompletionFunc("field", b.completeField)
	return c
}

// recipeNames are the recipes with what they are, behind a separator.
func recipeNames(between string) (out []string) {
	for _, r := range recipe.Recipes {
		out = append(out, r.Name+between+r.About)
	}
	return out
}

func aboutRecipes() string {
	var b strings.Builder
	b.WriteString("Recipes and their fields (those in brackets are taken from the directory):\n")
	for _, r := range recipe.Recipes {
		var names []string
		for _, f := range r.Fields() {
			if f.Guessed() {
				names = append(names, "["+f.Name+"]")
			} else {
				names = append(names, f.Name)
			}
		}
		fmt.Fprintf(&b, "  %-13s %s\n  %-13s %s\n", r.Name, r.About, "", strings.Join(names, " "))
	}
	return strings.TrimRight(b.String(), "\n")
}

// completeField offers the fields of the recipe that is named, else of all.
func (b *beginning) completeField(*cobra.Command, []string, string) (out []string, _ cobra.ShellCompDirective) {
	seen := map[string]bool{}
	for _, r := range recipe.Recipes {
		for _, f := range r.Fields() {
			if (b.recipe == "" || b.recipe == r.Name) && !seen[f.Name] {
				seen[f.Name] = true
				out = append(out, f.Name+"=\t"+f.About)
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func (b *beginning) run(ctx context.Context, w cli.World) error {
	given, err := b.given()
	if err != nil {
		return err
	}
	dir, err := b.directory()
	if err != nil {
		return err
	}
	file := filepath.FromSlash(b.file)
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	if _, err := os.Lstat(file); err == nil {
		return b.there(w, dir)
	}
	facts := b.facts(dir)
	var t *dialog.Terminal
	if !b.noPrompt {
		t = cli.Terminal(w)
	}
	p, err := b.project(ctx, w, t, given, facts)
	if err != nil {
		return err
	}
	if b.discover {
		if err := b.flows(ctx, w, t, dir, p); err != nil {
			return err
		}
	}
	if p.Name = facts.Name; b.name != "" { // --name "" is the directory's, as with Prefect
		p.Name = b.name
	}
	return b.write(w, dir, file, p)
}

// given are the fields of the command line; of one that is given twice the last counts.
func (b *beginning) given() (map[string]string, error) {
	given := map[string]string{}
	for _, f := range b.fields {
		name, v, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, cli.Usage("--field %s: write --field NAME=VALUE", diag.Quote(f))
		}
		given[name] = v
	}
	if strings.Contains(b.file, "=") {
		return nil, cli.Usage("-f names the file to write; write --field %s", diag.Clean(b.file))
	}
	if b.recipe != "" {
		if _, err := recipe.Named(b.recipe); err != nil {
			return nil, cli.Usage("%v", err)
		}
	}
	if b.pool != "" && !b.discover {
		return nil, cli.Usage("--pool names the work pool of the deployments that --discover writes, and goes with it")
	}
	return given, nil
}

func (b *beginning) directory() (string, error) {
	dir, err := filepath.Abs(b.dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir) // Prefect writes the resolved directory
	}
	if info, statErr := os.Stat(dir); err != nil || statErr != nil || !info.IsDir() {
		return "", cli.Usage("-C %s: there is no such directory", b.dir)
	}
	return dir, nil
}

// there is the end when the file is there already.
func (b *beginning) there(w cli.World, dir string) error {
	ignore, err := create(filepath.Join(dir, ".prefectignore"), []byte(recipe.Ignore))
	if err != nil {
		return err
	}
	if ignore {
		fmt.Fprintln(w.Stderr, ".prefectignore written")
	}
	fmt.Fprintf(w.Stderr, "%s is there already and stays as it is: name another file with -f, or move it away first\n", b.file)
	return nil
}

// facts are what the directory says of itself.
func (b *beginning) facts(dir string) recipe.Facts {
	_, err := os.Stat(filepath.Join(dir, "Dockerfile"))
	facts := recipe.Facts{Directory: dir, Name: filepath.Base(dir), Dockerfile: err == nil}
	facts.Repository, facts.Branch = recipe.Repository(filepath.ToSlash(dir), func(path string) ([]byte, error) { return os.ReadFile(filepath.FromSlash(path)) })
	return facts
}

// project settles the recipe and its fields, asking for what is missing where somebody can be asked.
func (b *beginning) project(ctx context.Context, w cli.World, t *dialog.Terminal, given map[string]string, facts recipe.Facts) (*recipe.Project, error) {
	name := b.recipe
	if name == "" {
		name = facts.Guess()
		if t != nil {
			var err error
			if name, err = askRecipe(ctx, t, name); err != nil {
				return nil, err
			}
		}
	}
	r, err := recipe.Named(name)
	if err != nil {
		return nil, cli.Usage("%v", err)
	}
	values, missing, err := r.Fill(given, facts)
	switch {
	case err != nil && b.recipe == "":
		return nil, cli.Usage("%v; it is the recipe that fits this directory, and --recipe names another", err)
	case err != nil:
		return nil, cli.Usage("%v", err)
	}
	if len(missing) > 0 && t == nil {
		return nil, cli.Usage("the recipe %s%s needs %s", r.Name, b.because(), lacking(missing))
	}
	for _, f := range missing {
		if values[f.Name], err = t.Text(ctx, f.Name+" ("+f.About+")", "", nil); err != nil {
			return nil, err
		}
	}
	b.logins(w, values)
	return &recipe.Project{Recipe: r, Values: values}, nil
}

// because says why a recipe is it that nobody named.
func (b *beginning) because() string {
	if b.recipe != "" {
		return ""
	}
	return ", which fits this directory (--recipe names another),"
}

func lacking(missing []recipe.Field) string {
	var parts []string
	for _, f := range missing {
		parts = append(parts, fmt.Sprintf("--field %s=… (%s)", f.Name, f.About))
	}
	return strings.Join(parts, " and ")
}

func askRecipe(ctx context.Context, t *dialog.Terminal, guess string) (string, error) {
	list := dialog.List{Question: "Which recipe? (Enter takes the one that fits this directory.)"}
	for i, r := range recipe.Recipes {
		list.Items = append(list.Items, dialog.Item{Name: r.Name, Note: r.About})
		if r.Name == guess {
			list.Given = i + 1
		}
	}
	chosen, err := t.Choose(ctx, list)
	if err != nil {
		return "", err
	}
	return recipe.Recipes[chosen[0]].Name, nil
}

// logins leaves out of the repository's address what logs in: the file is meant to be committed.
func (b *beginning) logins(w cli.World, values map[string]string) {
	address, had := recipe.WithoutLogin(values["repository"])
	if had {
		values["repository"] = address
		fmt.Fprintln(w.Stderr, "warning: the repository's address logs in by itself; that part is left out of the file, which is meant to be committed. access_token takes a secret block in its place")
	}
	if values["branch"] == "HEAD" {
		fmt.Fprintln(w.Stderr, "warning: no branch is checked out, so branch: HEAD stands in the file, which can't be cloned; name one with --field branch=…")
	}
}

// flows finds the flows to deploy.
func (b *beginning) flows(ctx context.Context, w cli.World, t *dialog.Terminal, dir string, p *recipe.Project) error {
	var passOver []string
	if _, err := os.Stat(filepath.Join(dir, ".prefectignore")); err != nil {
		passOver = strings.Split(recipe.Ignore, "\n") // which is going to be written
	}
	found := dialog.Scan(ctx, dir, passOver...)
	refused(w, found.Refused)
	switch {
	case ctx.Err() != nil:
		return dialog.ErrCancelled
	case len(found.Flows) == 0:
		return cli.Fail("no flow was found below %s, so nothing was written; without --discover the file has a deployment to be filled in", b.dir)
	case found.Cut:
		fmt.Fprintln(w.Stderr, "warning: the tree has more files than are looked at; not all flows have a deployment")
	}
	p.Flows, p.Pool = recipe.NameAll(found.Flows), b.pool
	env, _ := w.Env("PREFECT_DEFAULT_WORK_POOL_NAME")
	if p.Pool == "" && env == "" && t != nil {
		var err error
		p.Pool, err = t.Text(ctx, "Work pool of the deployments", "default", nil)
		return err
	}
	return nil
}

// refused tells which flows get no deployment because Prefect would refuse them.
func refused(w cli.World, problems []*flow.Problem) {
	const most = 5
	for i, p := range problems {
		if i == most {
			fmt.Fprintf(w.Stderr, "warning: %d more flows or files can't be deployed as they are; compile check tells of each that has a deployment\n", len(problems)-most)
			break
		}
		fmt.Fprintf(w.Stderr, "warning: %s:%d: %s; there is no deployment for it\n", diag.Clean(p.File), p.Line, diag.Clean(p.Message))
	}
}

// write puts the files where they belong, and says so.
func (b *beginning) write(w cli.World, dir, file string, p *recipe.Project) error {
	written, err := create(file, p.Text())
	if err != nil {
		return err
	}
	if !written {
		return b.there(w, dir)
	}
	about := ""
	if sure, perhaps := p.Count(); p.Flows != nil {
		about = ", " + diag.Count(sure, "deployment")
		if perhaps > 0 {
			about += fmt.Sprintf(", %d more in comments: perhaps they are no flows", perhaps)
		}
	}
	fmt.Fprintf(w.Stderr, "%s written (recipe %s%s)\n", b.file, p.Recipe.Name, about)
	for _, fault := range p.Faults() {
		fmt.Fprintln(w.Stderr, "warning: "+fault)
	}
	ignore, err := create(filepath.Join(dir, ".prefectignore"), []byte(recipe.Ignore))
	if err == nil && ignore {
		fmt.Fprintln(w.Stderr, ".prefectignore written")
	}
	switch {
	case p.Flows == nil:
		fmt.Fprintln(w.Stderr, "next: fill in the name, the entrypoint and the work pool of the deployment; compile check tells what is missing")
	case p.Pool == "":
		fmt.Fprintln(w.Stderr, "next: name a work pool (PREFECT_DEFAULT_WORK_POOL_NAME, or in the file), then run plan --all")
	default:
		fmt.Fprintln(w.Stderr, "next: run plan --all shows what run deploy --all would do")
	}
	return err
}

// create writes a file that is not there yet; false where it is.
func create(path string, data []byte) (bool, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return false, cli.Fail("%s can't be written: %v", filepath.Base(path), err)
	}
	return true, nil
}
