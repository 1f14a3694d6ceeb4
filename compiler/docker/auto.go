// The Dockerfile that `dockerfile: auto` stands for, and paths as Python writes them.
package docker

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// generated makes the Dockerfile: Prefect's image, the requirements, and a copy of the working directory.
func (b *Build) generated(inputs value.Value, o Options, f *faults) {
	b.File = "-"
	if b.Context != "." || b.file != "" {
		f.add("dockerfile", "is auto, which makes one for the working directory: it can't stand beside another path or file")
	}
	if o.Dockerfile {
		f.add("dockerfile", "is auto, and there is a file Dockerfile already: name it, or remove it")
	}
	base, why := BaseImage(o.PrefectVersion, o.PythonVersion)
	f.add("dockerfile", why)
	if o.Directory == "" || strings.ContainsAny(o.Directory, " \t\r\n\"'\\$#[]*?") {
		f.add("dockerfile", "is auto, which can't be written for a working directory of this name")
	}
	directory := "/opt/prefect/" + o.Directory + "/"
	lines := []string{"FROM " + base}
	if o.Requirements {
		lines = append(lines, "COPY requirements.txt "+directory+"requirements.txt", "RUN uv pip install -r "+directory+"requirements.txt")
	}
	lines = append(lines, "COPY . "+directory, "WORKDIR "+directory)
	b.Dockerfile = []byte(strings.Join(lines, "\n") + "\n")

	persist, _ := inputs.Get("persist_dockerfile")
	keep, why := truth(persist)
	f.add("persist_dockerfile", why)
	to, given := inputs.Get("dockerfile_output_path")
	where, why := text(to)
	if !given || where == "" {
		where = "Dockerfile.generated"
	}
	if keep {
		f.add("dockerfile_output_path", why)
		b.Persist = local(where)
	}
}

// Generated reports whether a Dockerfile is one that Prefect generates, of whatever version.
func Generated(text []byte) bool {
	first, rest, _ := strings.Cut(string(text), "\n")
	return strings.HasPrefix(first, "FROM prefecthq/prefect:") && strings.Contains(rest, "COPY . /opt/prefect/") && strings.Contains(rest, "\nWORKDIR /opt/prefect/")
}

// BaseImage is Prefect's image for a release of it and of Python: prefecthq/prefect:3.8.8-python3.11.
func BaseImage(prefect, python string) (image, why string) {
	switch {
	case prefect == "" || python == "":
		return "", "is auto, and the version of Prefect or of Python for the base image is not known"
	case strings.Contains(prefect, "+"):
		return "", "is auto, and Prefect " + prefect + " is no release, of which there would be an image"
	}
	return "prefecthq/prefect:" + prefect + "-python" + python, ""
}

// remote reports what docker-py takes for the address of a context.
func remote(path string) bool {
	for _, prefix := range []string{"http://", "https://", "git://", "github.com/", "git@"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// local is a path as Python's Path writes it: no ".", no empty part; ".." stays, since what is before it may be a link. A leading dash, which a command line would take for
// an option, gets "./" before it.
func local(path string) string {
	var parts []string
	for _, part := range strings.Split(path, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	joined := strings.Join(parts, "/")
	switch {
	case strings.HasPrefix(path, "/"):
		return "/" + joined
	case joined == "":
		return "."
	case joined[0] == '-':
		return "./" + joined
	}
	return joined
}
