// From the arguments of build_docker_image to a Build: first what both of prefect-docker's ways share (the name, the tags, the Dockerfile), then a table for each way.
// All faults are found, in the order of the tables, so that BuildOf can tell the first and Native every one.
package docker

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// argument is one that prefect-docker hands on to Docker: take puts it into b, or says what is wrong with it. inputs are the action's inputs that it ends in.
type argument struct {
	name   string
	inputs string
	take   func(b *Build, v value.Value) string
}

// own are the arguments that build_docker_image reads itself; image_tag is what the system's document writes for tag, and credentials is what prefect-docker before 0.5 read beside push.
var own = []string{"image_name", "dockerfile", "tag", "image_tag", "additional_tags", "ignore_cache", "persist_dockerfile", "dockerfile_output_path", "build_backend", "credentials"}

// faults collects what is wrong, each once.
type faults []string

func (f *faults) add(name, why string) {
	if why != "" && !slices.Contains(*f, name+" "+why) {
		*f = append(*f, name+" "+why)
	}
}

func (f faults) first() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New(f[0])
}

// BuildOf reads the arguments of build_docker_image. An error is one sentence that begins with the argument's name.
func BuildOf(inputs value.Value, o Options) (*Build, error) {
	b, f := read(inputs, o)
	if err := f.first(); err != nil {
		return nil, err
	}
	return b, nil
}

func read(inputs value.Value, o Options) (*Build, faults) {
	b := &Build{Context: ".", Pull: true, marks: map[string]value.Origin{}}
	var f faults
	b.name(inputs, o, &f)
	b.tags(inputs, o, &f)
	buildx := backendOf(inputs, &f)
	table := dockerPy
	if buildx {
		table = buildxTable
	} else {
		b.Provenance = "false" // the classic builder knows no attestations
	}
	for _, a := range table {
		if v, ok := inputs.Get(a.name); ok {
			f.add(a.name, a.take(b, v))
			b.marks[a.inputs] |= v.Marks()
		}
	}
	unknown(inputs, buildx, func(name, why string) { f.add(name, why) })
	b.login(inputs, buildx, &f)
	b.dockerfile(inputs, o, buildx, &f)
	b.label(o, &f)
	b.delivery(buildx, &f)
	if why := b.Exposed(); why != "" && !buildx { // docker-py tells the engine itself, without a command; the other way is a command too, and runner/step refuses it
		f.add("extra_hosts", "is there, and "+why)
	}
	return b, f
}

// backendOf says which of prefect-docker's two ways is meant.
func backendOf(inputs value.Value, f *faults) (buildx bool) {
	v, given := inputs.Get("build_backend")
	switch {
	case !given:
	case open(v):
		f.add("build_backend", atRunTime)
	case v.Kind != value.Text || v.Text != "docker-py" && v.Text != "buildx":
		f.add("build_backend", "must be docker-py or buildx")
	}
	return v.Text == "buildx"
}

// unknown are arguments that no function on the way takes: Python fails on them.
func unknown(inputs value.Value, buildx bool, tell func(name, why string)) {
	why, table := "is no argument of build_docker_image with docker-py, which builds unless build_backend says buildx", dockerPy
	if buildx {
		why, table = "is no argument of build_docker_image with build_backend: buildx", buildxTable
	}
	for _, e := range inputs.Map {
		old := e.Key == "credentials" && buildx // of a time that had no buildx
		if old || !slices.Contains(own, e.Key) && !slices.ContainsFunc(table, func(a argument) bool { return a.name == e.Key }) {
			tell(e.Key, why)
		}
	}
}

// Unknown names the arguments of a build that prefect-docker has not, and those that it has. Where the way to build is known only at run time, none is unknown.
func Unknown(inputs value.Value) (names, known []string) {
	backend, _ := marked(inputs).Get("build_backend")
	if open(backend) {
		return nil, nil
	}
	buildx, table := backend.Text == "buildx", dockerPy
	if buildx {
		table = buildxTable
	}
	unknown(inputs, buildx, func(name, _ string) { names = append(names, name) })
	known = slices.Clone(own[:len(own)-1])
	for _, a := range table {
		known = append(known, a.name)
	}
	return names, slices.DeleteFunc(known, func(name string) bool { return name == "image_tag" })
}

// login: before prefect-docker 0.5 the build itself pushed, with credentials; without a push they mean nothing.
func (b *Build) login(inputs value.Value, buildx bool, f *faults) {
	if v, _ := inputs.Get("credentials"); !buildx {
		b.credentials = v
		if b.Push {
			credentials(v, f)
		}
	}
}

// Login is the login that is to come before the push of the build, nil for none.
func (b *Build) Login() *Login {
	if !b.Push {
		return nil
	}
	return loginOf(b.credentials)
}

func (b *Build) name(inputs value.Value, o Options, f *faults) {
	v, _ := inputs.Get("image_name")
	name, why := imageName(v, o)
	f.add("image_name", why)
	if why == "" && !open(v) {
		if fault := nameFault(name); fault != "" {
			f.add("image_name", namedFault(v, name, fault))
		}
	}
	b.Name = name
	b.marks["name"], b.marks["tags"] = v.Origin, v.Origin
}

// imageName is the name with its namespace. Of a name that is known only at run time it can't be said whether it has one, unless a slash is written.
func imageName(v value.Value, o Options) (name, why string) {
	switch {
	case v.IsNull():
		return "", "is missing"
	case v.Kind != value.Text:
		return "", needsText
	case open(v) && o.Namespace != "" && !strings.Contains(v.Text, "/"):
		return v.Text, "is known only at run time, so it can't be said whether the default namespace goes before it"
	case open(v):
		return v.Text, ""
	case spaced(v.Text):
		return "", shown(v) + " holds a space, which no name of an image may"
	}
	return namespaced(v.Text, o.Namespace), ""
}

func (b *Build) tags(inputs value.Value, o Options, f *faults) {
	tag, given := inputs.Get("tag")
	if old, ok := inputs.Get("image_tag"); ok {
		if given {
			f.add("image_tag", "stands beside tag: one of them is to go")
		}
		tag = old
	}
	if !tag.Truthy() {
		tag = value.Of(slug(o.Now))
	}
	f.add("tag", tagFault(tag))
	additional, _ := inputs.Get("additional_tags")
	more, why := texts(additional)
	f.add("additional_tags", why)
	for _, item := range additional.List {
		f.add("additional_tags", tagFault(item))
	}
	if !additional.Truthy() {
		additional = value.Of([]value.Value{})
	}
	b.tag, b.additional = tag, additional
	for _, t := range append([]string{tag.Str()}, more...) {
		b.Tags = append(b.Tags, b.Name+":"+t)
	}
	b.marks["tags"] |= tag.Origin | additional.Marks()
}

func tagFault(v value.Value) string {
	switch {
	case !scalar(v):
		return needsText
	case open(v) || tagOK(v.Str()):
		return ""
	}
	return shown(v) + " is not a tag that Docker takes: at most 128 letters, digits, and . _ - not at the start"
}

// dockerfile finds where the Dockerfile is, which prefect-docker takes relative to the context, or makes it.
func (b *Build) dockerfile(inputs value.Value, o Options, buildx bool, f *faults) {
	v, given := inputs.Get("dockerfile")
	b.marks["file"] |= v.Origin | b.marks["context"]
	switch {
	case !given:
		v = value.Of("Dockerfile")
	case !buildx && !v.Truthy() && scalar(v):
		v = value.Of("Dockerfile")
	case v.Kind != value.Text:
		f.add("dockerfile", needsText)
		return
	case v.Text == "auto" && !open(v):
		b.generated(inputs, o, f)
		return
	case v.Text == "":
		f.add("dockerfile", "is empty")
		return
	}
	switch {
	case b.file != "": // python-on-whales' own argument comes later, and wins
		b.File = b.file
	case remote(b.Context):
		b.File = v.Text
	case path.IsAbs(v.Text):
		b.File = local(v.Text)
	default:
		b.File = local(b.Context + "/" + v.Text)
	}
}

const versionLabel = "io.prefect.version"

// label is the one that all images built with Prefect carry, over one of the same name.
func (b *Build) label(o Options, f *faults) {
	if o.PrefectVersion == "" {
		f.add("labels", "can't be made: the version of Prefect for io.prefect.version is not known")
	}
	version := Pair{Key: versionLabel, Value: o.PrefectVersion}
	at := slices.IndexFunc(b.Labels, func(p Pair) bool { return p.Key == version.Key })
	if at < 0 {
		b.Labels = append(b.Labels, version)
		return
	}
	b.Labels[at] = version
}

// delivery says where the image goes when nothing else was said: into the engine, as with Docker's own builder.
func (b *Build) delivery(buildx bool, f *faults) {
	if len(b.Platforms) > 1 && !b.Push {
		f.add("platforms", "are several, and an engine can't hold such an image: add push: true")
	}
	if !b.Push && len(b.Exports) == 0 {
		b.Load = true
	}
	if buildx && !b.Load {
		b.unseen = !(len(b.Exports) == 1 && !b.Push && toEngine(b.Exports[0]))
	}
}

func toEngine(export string) bool {
	fields := strings.Split(export, ",")
	return slices.Contains(fields, "type=docker") && !slices.ContainsFunc(fields, func(s string) bool { return strings.HasPrefix(s, "dest=") })
}
