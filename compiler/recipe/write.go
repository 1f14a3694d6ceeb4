// From a recipe and its values to the text of prefect.yaml.
package recipe

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/spec"
)

// Project is what a file is written from.
type Project struct {
	Recipe *Recipe
	// Name is the project's.
	Name string
	// Values are all of the recipe's fields, as Fill gives them.
	Values map[string]string
	// Flows are the flows to deploy; nil leaves one deployment to be filled in.
	Flows []Flow
	// Pool is the work pool of the flows' deployments, "" for the one that the environment names.
	Pool string
}

// Text is the file.
func (p *Project) Text() []byte {
	r := p.Recipe
	var b strings.Builder
	b.WriteString(head)
	build, pushed := "", push[r.code]
	if r.image {
		build = buildImage
		image := pushImage
		if r.code == fromAzure {
			image += noCredentials
		}
		pushed = image + strings.TrimPrefix(pushed, "\n")
	}
	section(&b, buildHead, build)
	section(&b, pushHead, pushed)
	section(&b, pullHead, pull[r.code])
	text := p.filled(b.String())
	b.Reset()
	b.WriteString(text)
	b.WriteString(deploymentsHead)
	if p.Flows == nil {
		b.WriteString(empty)
		b.WriteString(p.variables())
	} else {
		p.entries(&b)
	}
	return []byte(b.String())
}

func section(b *strings.Builder, head, steps string) {
	if steps == "" {
		steps = " null\n"
	}
	b.WriteString(head)
	b.WriteString(steps)
}

// variables are the job variables of a deployment, behind their key.
func (p *Project) variables() string {
	if p.Recipe.image {
		return image
	}
	return " {}\n"
}

// filled puts the values in.
func (p *Project) filled(text string) string {
	folderStep, credentials := p.mended()
	pairs := []string{"<recipe>", p.Recipe.Name, "<version>", spec.Scalar(Version), "<project>", spec.Scalar(p.Name), "<image directory>", spec.Scalar("/opt/prefect/" + p.Values["name"]),
		"<folder step>", folderStep, "<azure credentials>", credentials}
	for _, f := range p.Recipe.Fields() {
		pairs = append(pairs, "<"+f.Name+">", spec.Scalar(p.Values[f.Name]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// mended are the places where Prefect's recipes can't work. Without flows the file is what the recipe is, and Faults says what is wrong with it; a file of flows that are to be
// deployed is right.
func (p *Project) mended() (folderStep, credentials string) {
	switch {
	case p.Flows != nil:
		return "push_code", azureCredentials
	case p.Recipe.image: // in docker-gcs the folder is right
		return "push_code", ""
	}
	return "pull_code", ""
}

// Faults are what somebody has to put right in the file, a sentence each.
func (p *Project) Faults() []string {
	switch {
	case p.Flows != nil && p.Recipe.code == fromAzure:
		return []string{"the steps log in with the block azure-blob-storage-credentials/default of the server: create it, or name another"}
	case p.Flows != nil:
		return nil
	case p.Recipe.code == fromAzure:
		return []string{"Prefect's recipe gives the steps of Azure no credentials, which they need: write credentials: \"{{ prefect.blocks.azure-blob-storage-credentials.NAME }}\" in both"}
	case p.Recipe.Name == "gcs":
		return []string{"Prefect's recipe takes the folder to pull from {{ pull_code.folder }}, which nothing gives: write {{ push_code.folder }}"}
	}
	return nil
}
