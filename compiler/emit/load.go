package emit

import (
	"io/fs"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// Source is a prefect.yaml: its name, slash-separated and relative to root, and its text.
type Source struct {
	Name string
	Data []byte
}

// Load reads all deployments of the files and makes their graph. The diagnostics are the errors because of which there is none; a missing Python file is no such error, as the graph does not depend on it.
func Load(root fs.FS, sources []Source) (*Input, diag.List) {
	c := check.New(root)
	in := &Input{}
	for _, s := range sources {
		file, ok := c.Load(s.Name, s.Data)
		if !ok {
			continue
		}
		in.Files = append(in.Files, file)
		in.take(c, file)
	}
	var stop diag.List
	for _, d := range c.Diagnostics() {
		if d.Severity == diag.Error && d.Code != "missing-entrypoint-file" {
			stop = append(stop, d)
		}
	}
	if len(stop) > 0 {
		return nil, stop
	}
	in.Graph = graph.Build(in.Deployments, c.FullName)
	return in, nil
}

// take takes the deployments of a file in.
func (in *Input) take(c *check.Checker, file *spec.File) {
	for i := range file.Len() {
		var diags diag.List
		d := resolve.Entry(file, file.Deployment(i, &diags))
		c.Add(diags)
		c.Deployment(d)
		in.Deployments = append(in.Deployments, d)
	}
}
