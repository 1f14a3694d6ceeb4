// From the arguments of push_docker_image to a login and pushes.
package docker

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Push is what push_docker_image asks of Docker.
type Push struct {
	// Name is the image without a tag; References are what is pushed, one after the other, the image itself first.
	Name       string
	References []string
	// All: no tag was named, and the engine pushes every tag of Name that it holds.
	All bool

	tag, additional, credentials value.Value
	origin                       value.Origin
}

// Login is a login to a registry before the push.
type Login struct {
	// Registry is "" for Docker Hub.
	Registry, Username string
	// Password goes in by standard input.
	Password value.Value
	// Kept (reauth: false): where this user is logged in already, that is enough.
	Kept bool
}

var pushArguments = []string{"image_name", "tag", "credentials", "additional_tags", "ignore_cache", "build_backend"}

// PushOf reads the arguments of push_docker_image. An error is one sentence that begins with the argument's name.
func PushOf(inputs value.Value, o Options) (*Push, error) {
	p, f := readPush(inputs, o)
	if err := f.first(); err != nil {
		return nil, err
	}
	return p, nil
}

func readPush(inputs value.Value, o Options) (*Push, faults) {
	p := &Push{}
	var f faults
	v, _ := inputs.Get("image_name")
	name, why := imageName(v, o)
	f.add("image_name", why)
	p.Name, p.origin = name, v.Origin
	p.tag, _ = inputs.Get("tag")
	p.additional, _ = inputs.Get("additional_tags")
	more, why := texts(p.additional)
	f.add("additional_tags", why)
	for _, item := range p.additional.List {
		f.add("additional_tags", tagFault(item))
	}
	if !p.additional.Truthy() {
		p.additional = value.Of([]value.Value{})
	}
	p.first(backendOf(inputs, &f), v, &f)
	for _, t := range more {
		p.References = append(p.References, name+":"+t)
	}
	p.credentials, _ = inputs.Get("credentials")
	credentials(p.credentials, &f)
	for _, e := range inputs.Map {
		if !slices.Contains(pushArguments, e.Key) {
			f.add(e.Key, "is no argument of push_docker_image")
		}
	}
	return p, f
}

// first is the push of the image itself. Without a tag docker-py pushes the tag that the name holds, or else all; buildx's way pushes latest.
func (p *Push) first(buildx bool, v value.Value, f *faults) {
	bare, own, tagged := cutTag(p.Name)
	switch {
	case p.tag.Truthy():
		f.add("tag", tagFault(p.tag))
		p.References = []string{p.Name + ":" + p.tag.Str()}
	case tagged:
		p.References = []string{p.Name}
	case buildx:
		p.References = []string{p.Name}
	default:
		p.References, p.All = []string{p.Name}, true
	}
	if open(v) || p.Name == "" {
		return
	}
	if fault := nameFault(bare); fault != "" {
		f.add("image_name", namedFault(v, p.Name, fault))
	}
	if tagged && (p.tag.Truthy() || p.additional.Truthy() || !tagOK(own)) {
		f.add("image_name", namedFault(v, p.Name, nameFault(p.Name)))
	}
}

// cutTag splits a tag off a name: what stands after a colon in the last part of the path.
func cutTag(name string) (bare, tag string, tagged bool) {
	at := strings.LastIndexByte(name, ':')
	if at < 0 || strings.Contains(name[at:], "/") {
		return name, "", false
	}
	return name[:at], name[at+1:], true
}

// credentials are what logs in: a mapping, as it is written or as a block DockerRegistryCredentials holds it.
func credentials(v value.Value, f *faults) {
	switch {
	case v.IsNull(), v.Kind == value.Map && len(v.Map) == 0: // with nothing in it nobody is logged in
		return
	case open(v):
		f.add("credentials", "are known only at run time")
		return
	case v.Kind != value.Map:
		f.add("credentials", "must be a mapping with username, password and registry_url")
		return
	}
	for _, key := range []string{"username", "password"} {
		if item, _ := v.Get(key); item.Kind != value.Text || item.Text == "" {
			f.add("credentials", "have no "+key+" that is a text")
		}
	}
	if user, _ := v.Get("username"); strings.HasPrefix(user.Text, "-") {
		f.add("credentials", "have a username that begins with a dash")
	}
	if url, _ := v.Get("registry_url"); url.Kind != value.Text && !url.IsNull() || strings.HasPrefix(url.Text, "-") {
		f.add("credentials", "have a registry_url that is none")
	}
}

// Login is the login that is to come first, nil where the engine's own configuration is to be used.
func (p *Push) Login() *Login { return loginOf(p.credentials) }

// LoginOf is the login of credentials as a push takes them, nil for none that are whole.
func LoginOf(v value.Value) *Login {
	var f faults
	if credentials(v, &f); len(f) > 0 {
		return nil
	}
	return loginOf(v)
}

func loginOf(v value.Value) *Login {
	if v.Kind != value.Map || len(v.Map) == 0 {
		return nil
	}
	user, _ := v.Get("username")
	password, _ := v.Get("password")
	registry, _ := v.Get("registry_url")
	again, given := v.Get("reauth")
	return &Login{Registry: registry.Text, Username: user.Text, Password: password.Mark(value.Sensitive), Kept: given && !again.Truthy()}
}

// Arguments are the words after `docker`; the password goes in by standard input.
func (l *Login) Arguments() []string {
	words := []string{"login", "--username", l.Username, "--password-stdin"}
	if l.Registry != "" {
		words = append(words, l.Registry)
	}
	return words
}

// Commands are the words after `docker` of each push.
func (p *Push) Commands() [][]string {
	var out [][]string
	for i, reference := range p.References {
		if i == 0 && p.All {
			out = append(out, []string{"push", "--all-tags", reference})
			continue
		}
		out = append(out, []string{"push", reference})
	}
	return out
}

// Outputs are what the step gives, under Prefect's names; an image without a tag is NAME:None there.
func (p *Push) Outputs() value.Value {
	image := value.Of(p.Name + ":" + p.tag.Str()).Mark(p.origin | p.tag.Origin)
	return value.Of([]value.Entry{
		entry("image_name", value.Of(p.Name).Mark(p.origin)), entry("tag", p.tag), entry("image", image), entry("additional_tags", p.additional),
	})
}
