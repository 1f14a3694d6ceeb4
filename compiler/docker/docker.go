// Package docker is the one table from the arguments of Prefect's Docker steps to Docker's own build and push. The pipelines that `compile` emits and the step that
// `run` carries out itself read it both, so that an image is the same whoever builds it.
//
// It holds what prefect-docker 0.7.4 makes of each argument, asked of the real one (testdata/record.py), in the terms of `docker buildx build`:
//
//	build_docker_image: {image_name: app, tag: v1, buildargs: {A: "1"}}
//	  → docker buildx build --file Dockerfile --tag app:v1 --build-arg A=1 --label io.prefect.version=3.8.8 --provenance=false --pull --load .
//
// prefect-docker has two ways to build. Its usual one, docker-py, asks the engine's classic builder; ours asks BuildKit for the same image: same tags, labels, arguments,
// target and platform in the engine afterwards, other layers' digests. What only the classic builder has (squash, limits of memory, …) is not in the table, and Native
// says so. The other way, build_backend: buildx, is a command line already, and the table gives that one.
//
// Two differences are not in any argument. BuildKit reads `NAME.dockerignore` beside a Dockerfile NAME first, docker-py only `.dockerignore`; and a generated Dockerfile
// comes from elsewhere, so it is not itself copied into the image.
//
// A value that is known only when the pipeline runs carries the mark value.AfterBuild, and its text is what the pipeline's own language puts there:
// BuildOf takes it as it is wherever one text is wanted, and refuses it where a list, a mapping, or true or false decides what is to be done.
package docker

import (
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Options are what the arguments leave to the machine and the moment.
type Options struct {
	// Now becomes the tag of a build that names none.
	Now time.Time
	// Namespace is PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE: it goes before a name without a slash.
	Namespace string
	// PrefectVersion ("3.8.8") is the label io.prefect.version; with PythonVersion ("3.11") it names the base image of a generated Dockerfile.
	PrefectVersion, PythonVersion string
	// Directory is the last part of the working directory's path: the folder below /opt/prefect that a generated Dockerfile copies to.
	Directory string
	// Requirements and Dockerfile say whether the working directory holds files of these names.
	Requirements, Dockerfile bool
}

// Pair is a build argument or a label. Hidden: its value must not be shown.
type Pair struct {
	Key, Value string
	Hidden     bool
}

// Build is what build_docker_image asks of Docker, whoever carries it out.
type Build struct {
	// Context is a directory, relative to the working directory, or a URL.
	Context string
	// File is the Dockerfile as the command line wants it: relative to the working directory, not to Context. "-" where it is generated: it then goes in by standard input,
	// or stands in a file of the caller's choice, which the caller writes and whose path it puts here.
	File string
	// Dockerfile is the generated one, else nil.
	Dockerfile []byte
	// Persist is the path at which the generated Dockerfile is to be left as well, "" for nowhere.
	Persist string
	// Name is the image without a tag, with its namespace; Tags are full references, of which the first is the image.
	Name string
	Tags []string

	BuildArgs, Labels []Pair
	Target            string
	Platforms         []string
	// Load puts the image into the engine, Push into the registry that its name says.
	NoCache, Pull, Push, Load bool
	Network                   string
	AddHosts                  []string
	CacheFrom, CacheTo        []string
	// What only build_backend: buildx has. Secrets are as the command line writes them (id=…,src=… or env=…), Exports are its --output.
	BuildContexts, Allow, Attests, Secrets, SSH, Exports []string
	Builder, Progress, MetadataFile, Provenance, SBOM    string

	tag, additional, credentials value.Value
	// file is build_backend: buildx's own argument of that name.
	file string
	// unseen: the real one gets no image back from buildx, and gives the reference as image_id.
	unseen bool
	// marks are the origins of what each input of the action is made of.
	marks map[string]value.Origin
}

// Unseen reports whether nobody asks for the image's id: the real one gives the reference in its place, and a builder that writes files can't say one.
func (b *Build) Unseen() bool { return b.unseen }

// Outputs are what the step gives, under Prefect's names. imageID is what the builder reported ("sha256:…").
func (b *Build) Outputs(imageID string) value.Value {
	if b.unseen {
		imageID = b.Tags[0]
	}
	return value.Of([]value.Entry{
		entry("image_name", value.Of(b.Name).Mark(b.marks["name"])),
		entry("tag", b.tag),
		entry("image", value.Of(b.Tags[0]).Mark(b.marks["name"]|b.tag.Origin)),
		entry("image_id", value.Of(imageID)),
		entry("additional_tags", b.additional),
	})
}

func entry(key string, v value.Value) value.Entry {
	return value.Entry{Key: key, KeyKind: value.Text, Value: v}
}

// namespaced is the name of the image as the outputs have it: a name without a slash gets the default namespace (facts: split_repository_path).
func namespaced(name, namespace string) string {
	parts := strings.SplitN(name, "/", 3)
	repository := parts[len(parts)-1]
	if own := strings.Join(parts[:len(parts)-1], "/"); own != "" {
		namespace = own
	}
	switch {
	case namespace == "":
		return repository
	case repository == "":
		return namespace
	}
	return namespace + "/" + repository
}

// slug is the tag of a build that names none: the moment in UTC, with microseconds where there are any, each run of other signs one dash.
func slug(now time.Time) string {
	layout := "2006-01-02t15-04-05"
	if now.Nanosecond()/1000 > 0 {
		layout += ".000000"
	}
	return strings.Replace(now.UTC().Format(layout), ".", "-", 1) + "-00-00"
}
