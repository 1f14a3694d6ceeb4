// Package recipe writes the prefect.yaml that a project begins with, from ten recipes: those of `prefect init`.
//
// A recipe answers two questions, and the ten are the answers that go together: is an image built, and where does the code come from when a run starts?
//
//	code from       a directory   a git repository   the image   S3          GCS          Azure
//	no image        local         git                            s3          gcs          azure
//	an image                      docker-git         docker      docker-s3   docker-gcs   docker-azure
//
// So a file is put together of few parts (parts.go) and not written ten times. What stands in it is, loaded as YAML, what `prefect init` writes; the comments and the layout
// are ours. The recordings in cmd/compile hold the two against each other.
//
// Some fields only a person knows (the image's name), some can be told from the directory (its name, the repository): Facts are the latter. Nothing here reads a directory.
package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// Version is the release of Prefect whose recipes these are. It goes into the file's prefect-version, where `prefect init` puts its own: no Prefect needs to be here.
const Version = "3.8.8"

// source is where the code comes from when a run starts.
type source uint8

const (
	fromDirectory source = iota
	fromGit
	fromImage
	fromS3
	fromGCS
	fromAzure
)

// Recipe is one of the ten.
type Recipe struct {
	Name, About string
	image       bool
	code        source
}

// Recipes are all, in the order in which they are shown.
var Recipes = []Recipe{
	{"local", "the code is where it is now, on this machine", false, fromDirectory},
	{"git", "the code is cloned from its git repository", false, fromGit},
	{"docker", "an image is built, with the code in it", true, fromImage},
	{"docker-git", "an image is built; the code is cloned from its git repository", true, fromGit},
	{"s3", "the code is put into an S3 bucket", false, fromS3},
	{"gcs", "the code is put into a bucket of Google Cloud Storage", false, fromGCS},
	{"azure", "the code is put into a container of Azure Blob Storage", false, fromAzure},
	{"docker-s3", "an image is built; the code is put into an S3 bucket", true, fromS3},
	{"docker-gcs", "an image is built; the code is put into a bucket of Google Cloud Storage", true, fromGCS},
	{"docker-azure", "an image is built; the code is put into a container of Azure Blob Storage", true, fromAzure},
}

// Facts are what a directory says of itself.
type Facts struct {
	// Directory is its absolute path, Name the last part of that.
	Directory, Name string
	// Repository and Branch are "" where there is no remote called origin.
	Repository, Branch string
	// Dockerfile: it has one.
	Dockerfile bool
}

// Guess names the recipe that fits a directory.
func (f Facts) Guess() string {
	switch {
	case f.Repository != "" && f.Dockerfile:
		return "docker-git"
	case f.Repository != "":
		return "git"
	case f.Dockerfile:
		return "docker"
	}
	return "local"
}

// Named finds a recipe; the error names the nearest.
func Named(name string) (*Recipe, error) {
	var names []string
	for i := range Recipes {
		if Recipes[i].Name == name {
			return &Recipes[i], nil
		}
		names = append(names, Recipes[i].Name)
	}
	help := diag.DidYouMean(name, names)
	if help == "" {
		help = "there are " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("there is no recipe %s; %s", diag.Quote(name), help)
}

// Field is something that a recipe is told.
type Field struct {
	Name, About string
	// guess tells it from the directory, "" where that does not say; nil for what only a person knows.
	guess func(Facts) string
	image bool
	codes []source
}

// fields are all, with what has them.
var fields = []Field{
	{"image_name", "the image's name, with its registry: registry.example.com/team/app", nil, true, nil},
	{"tag", "the image's tag", nil, true, nil},
	{"dockerfile", "the Dockerfile, or auto to make one up from requirements.txt", dockerfile, true, nil},
	{"repository", "the address that runs clone from", func(f Facts) string { return f.Repository }, false, []source{fromGit}},
	{"branch", "the branch that runs clone", func(f Facts) string { return f.Branch }, false, []source{fromGit}},
	{"bucket", "the bucket that holds the code", nil, false, []source{fromS3, fromGCS}},
	{"container", "the container that holds the code", nil, false, []source{fromAzure}},
	{"name", "the folder that holds the code", func(f Facts) string { return f.Name }, false, []source{fromImage, fromS3, fromGCS, fromAzure}},
	{"directory", "the directory that holds the code", func(f Facts) string { return f.Directory }, false, []source{fromDirectory}},
}

func dockerfile(f Facts) string {
	if f.Dockerfile {
		return "Dockerfile"
	}
	return "auto"
}

// Fields are those of the recipe.
func (r *Recipe) Fields() (out []Field) {
	for _, f := range fields {
		if f.image && r.image || slices.Contains(f.codes, r.code) {
			out = append(out, f)
		}
	}
	return out
}

// Fill completes what was given with what the directory says. missing are the fields that neither gives; the error names a field that the recipe has not.
func (r *Recipe) Fill(given map[string]string, facts Facts) (values map[string]string, missing []Field, err error) {
	values = map[string]string{}
	var names []string
	for _, f := range r.Fields() {
		names = append(names, f.Name)
		v, said := given[f.Name]
		if !said && f.guess != nil {
			v = f.guess(facts)
			said = v != ""
		}
		if said {
			values[f.Name] = v
		} else {
			missing = append(missing, f)
		}
	}
	wrong := make([]string, 0, len(given))
	for name := range given {
		if !slices.Contains(names, name) {
			wrong = append(wrong, name)
		}
	}
	if len(wrong) == 0 {
		return values, missing, nil
	}
	help := diag.DidYouMean(slices.Min(wrong), names)
	if help == "" {
		help = "it has " + strings.Join(names, ", ")
	}
	return nil, nil, fmt.Errorf("the recipe %s has no field %s; %s", r.Name, diag.Quote(slices.Min(wrong)), help)
}

// Guessed tells that the directory may say what the field is.
func (f Field) Guessed() bool { return f.guess != nil }
