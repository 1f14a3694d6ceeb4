package emit

import (
	"io/fs"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
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
		file, deployments, ok := c.Deployments(s.Name, s.Data)
		if ok {
			in.Files = append(in.Files, file)
			in.Deployments = append(in.Deployments, deployments...)
		}
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
