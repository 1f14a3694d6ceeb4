// The table against what the real prefect-docker asks of Docker (testdata/record.py): for docker-py the requests at the engine, for buildx the words of the command. Both
// are brought into one form, options with their values, and compared with our words.
package docker

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

type recorded struct {
	Name, Function string
	Inputs         value.Value
	Options        struct {
		Now                *int
		Namespace          string
		Bare, Requirements bool
	}
	Outputs  value.Value
	Error    string
	Left     map[string]string
	Requests []struct {
		Path    string
		Query   [][2]string
		Context *struct {
			Names      []string
			Dockerfile string
		}
		Login map[string]any
	}
	Commands []struct {
		Words             []string
		Stdin, Dockerfile string
	}
}

const imageID = "sha256:5555555555555555555555555555555555555555555555555555555555555555"

// refused are inputs with which the real one reaches Docker, and which are not in the table: each with what it says. The engine itself refuses those marked so.
var refused = map[string]string{
	"tag-list":                    "tag must be text",
	"name-empty":                  `image_name "" is not a name that Docker takes: small letters, digits, and single . _ - or / between them`,         // the engine refuses
	"name-with-tag":               `image_name "team/app:v1" holds a tag or a digest of its own, which belongs into tag`,                              // outputs name an image that is none
	"name-upper":                  `image_name "Team/App" is not a name that Docker takes: small letters, digits, and single . _ - or / between them`, // the engine refuses
	"additional-tags-text":        "additional_tags must be a list",
	"additional-tags-null-inside": "additional_tags must be a list of texts",
	"auto-path":                   "dockerfile is auto, which makes one for the working directory: it can't stand beside another path or file",
	"buildargs-number":            `buildargs has A: "1", and the engine takes only text: quote it`,    // the engine refuses
	"buildargs-null-value":        `buildargs has A: "None", and the engine takes only text: quote it`, // takes an ARG's default away
	"buildargs-list":              "buildargs must be a mapping",                                       // the engine refuses
	"network-mode-own":            `network_mode is "mine", and BuildKit has only default, none and host`,
	"shmsize":                     "shmsize is passed over by the BuildKit that engines before 23 have",
	"squash":                      "squash is something that only the classic builder does",
	"container-limits":            "container_limits are limits that only the classic builder has",
	"no-config-proxy":             "use_config_proxy is off, and Docker's command line always reads the proxies of its configuration",
	"timeout":                     "timeout ends a request, which BuildKit's builds are not",
}

// departs are inputs on which the real one fails, and which the contract takes.
var departs = map[string]string{
	"image-tag":   "buildx build --file Dockerfile --tag app:v1 --label io.prefect.version=3.8.8 --provenance=false --pull --load .",
	"push":        "buildx build --file Dockerfile --tag app:v1 --label io.prefect.version=3.8.8 --provenance=false --pull --push .",
	"credentials": "buildx build --file Dockerfile --tag app:v1 --label io.prefect.version=3.8.8 --provenance=false --pull --load .", // which older ones read where they push
	"push-false":  "buildx build --file Dockerfile --tag app:v1 --label io.prefect.version=3.8.8 --provenance=false --pull --load .",
}

// here are the files of the recorder's folder, but for those that a bare case lacks.
var here = map[string]string{"Dockerfile": "FROM base\n# here", "app/Dockerfile": "FROM base\n# app", "docker/Dockerfile.dev": "FROM base\n# dev", "../Dockerfile.out": "FROM base\n# out"}

// notHere are faults of the recorder's folder, which no argument shows.
var notHere = []string{"path-missing", "buildx-path-missing"}

func golden(t *testing.T) []recorded {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ Cases []recorded }
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g.Cases
}

func (c *recorded) options() Options {
	micro := 45
	if c.Options.Now != nil {
		micro = *c.Options.Now
	}
	return Options{Now: time.Date(2026, 11, 24, 1, 2, 3, micro*1000, time.UTC), Namespace: c.Options.Namespace, PrefectVersion: "3.8.8", PythonVersion: "3.11",
		Directory: "project", Requirements: !c.Options.Bare || c.Options.Requirements, Dockerfile: !c.Options.Bare}
}

func TestRecorded(t *testing.T) {
	cases := golden(t)
	count := map[string]int{}
	for _, c := range cases {
		if refused[c.Name] == "" && refusedPush[c.Name] == "" {
			count[c.Function]++
		}
	}
	for _, function := range []string{"build_docker_image", "push_docker_image"} {
		if count[function] < 60 {
			t.Errorf("%s is held against the real one with only %d inputs", function, count[function])
		}
	}
	for _, c := range cases {
		t.Run(c.Function+"/"+c.Name, func(t *testing.T) {
			if strings.HasPrefix(c.Function, "push") {
				c.push(t)
			} else {
				c.build(t)
			}
		})
	}
}

func (c *recorded) build(t *testing.T) {
	b, err := BuildOf(c.Inputs, c.options())
	ok, why := Native("prefect_docker.deployments.steps."+c.Function, c.Inputs)
	if want := err == nil && len(b.ActionLacks()) == 0; ok != want && !strings.Contains(c.Name, "there-is-one") {
		t.Errorf("native is %v (%s), want %v", ok, why, want)
	}
	switch words, departs := departs[c.Name]; {
	case departs:
		if c.Error == "" || err != nil || strings.Join(b.Arguments(), " ") != words {
			t.Errorf("real %q, ours %v %v", c.Error, err, b)
		}
	case refused[c.Name] != "":
		if c.Error != "" || err == nil || err.Error() != refused[c.Name] {
			t.Errorf("real %q, ours %v", c.Error, err)
		}
	case c.Error != "":
		if err == nil && !slices.Contains(notHere, c.Name) {
			t.Errorf("the real one fails with %s, ours asks for %v", c.Error, b.Arguments())
		}
	case err != nil:
		t.Errorf("the real one takes it, ours says: %v", err)
	default:
		c.compare(t, b)
	}
}

func (c *recorded) compare(t *testing.T, b *Build) {
	if got, want := string(b.Outputs(imageID).AppendJSON(nil)), string(c.Outputs.AppendJSON(nil)); got != want {
		t.Errorf("outputs\ngot  %s\nwant %s", got, want)
	}
	want, dockerfile := c.asked(t)
	got := parse(t, b.Arguments())
	file := got["--file"]
	delete(got, "--file")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %v\nwant %v", got, want)
	}
	switch text, known := here[path.Clean(file[0])]; {
	case b.Dockerfile != nil && string(b.Dockerfile) != dockerfile:
		t.Errorf("generated\n%s\nwant\n%s", b.Dockerfile, dockerfile)
	case b.Dockerfile == nil && dockerfile != text && !(known && dockerfile == file[0]) && dockerfile != file[0]:
		t.Errorf("the Dockerfile is %s, want the one with %q", file[0], dockerfile)
	}
	left := map[string]string{}
	if b.Persist != "" {
		left[b.Persist] = string(b.Dockerfile)
	}
	if !reflect.DeepEqual(left, c.Left) {
		t.Errorf("left %v, want %v", left, c.Left)
	}
}

// asked is what the real one wanted of Docker: options with their values, and the Dockerfile's text (of a remote one its name).
func (c *recorded) asked(t *testing.T) (map[string][]string, string) {
	if len(c.Commands) == 1 {
		want := parse(t, c.Commands[0].Words)
		delete(want, "--file")
		delete(want, "--iidfile")
		if want["--push"] == nil && want["--output"] == nil { // Docker's own builder puts it into the engine unasked
			want["--load"] = []string{""}
		}
		return want, c.Commands[0].Dockerfile
	}
	want := map[string][]string{"--provenance": {"false"}, "--load": {""}}
	dockerfile := "Dockerfile"
	for _, r := range c.Requests {
		query := map[string]string{}
		for _, q := range r.Query {
			query[q[0]] = q[1]
		}
		if r.Path != "/build" {
			want["--tag"] = append(want["--tag"], query["repo"]+":"+query["tag"])
			continue
		}
		for _, q := range r.Query {
			add(t, want, q[0], q[1], &dockerfile)
		}
		if r.Context != nil {
			dockerfile = r.Context.Dockerfile
			want["context"] = []string{"app"}
			if slices.Contains(r.Context.Names, "app") {
				want["context"] = []string{"."}
			}
		}
	}
	return want, dockerfile
}

// add turns one part of the query into an option; one that it does not know fails the test.
func add(t *testing.T, want map[string][]string, key, text string, dockerfile *string) {
	switch on := !slices.Contains([]string{"", "0", "no", "false", "none"}, strings.ToLower(text)); key {
	case "buildargs", "labels":
		var v value.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		for _, e := range v.Map {
			option := map[string]string{"buildargs": "--build-arg", "labels": "--label"}[key]
			want[option] = append(want[option], e.Key+"="+e.Value.Text)
		}
	case "cachefrom":
		var images []string
		_ = json.Unmarshal([]byte(text), &images)
		for _, image := range images {
			want["--cache-from"] = append(want["--cache-from"], "type=registry,ref="+image)
		}
	case "pull", "nocache":
		if on {
			want[map[string]string{"pull": "--pull", "nocache": "--no-cache"}[key]] = []string{""}
		}
	case "target", "platform", "networkmode", "extrahosts":
		option := map[string]string{"networkmode": "--network", "extrahosts": "--add-host"}[key]
		if option == "" {
			option = "--" + key
		}
		want[option] = append(want[option], text)
	case "remote":
		want["context"] = []string{text}
	case "dockerfile":
		*dockerfile = text
	case "rm", "forcerm":
	case "q":
		if on {
			t.Error("quiet")
		}
	case "isolation":
		if text != "default" {
			t.Error("isolation", text)
		}
	default:
		t.Errorf("the engine was asked for %s=%s, which the test can't compare", key, text)
	}
}

// parse brings words into options with their values; the context is under its own name.
func parse(t *testing.T, words []string) map[string][]string {
	if len(words) < 3 || words[0] != "buildx" || words[1] != "build" {
		t.Fatalf("not a build: %v", words)
	}
	last := len(words) - 1
	found := map[string][]string{"context": {words[last]}}
	for i := 2; i < last; i++ {
		option, text, joined := strings.Cut(words[i], "=")
		switch {
		case !strings.HasPrefix(option, "--"):
			t.Fatalf("%q in %v is no option", option, words)
		case slices.Contains([]string{"--pull", "--push", "--load", "--no-cache"}, option), joined:
		default:
			i++
			text = words[i]
		}
		found[option] = append(found[option], text)
	}
	return found
}

// refusedPush are as refused; pushing NAME:TAG gives an image NAME:TAG:None, which is Prefect's own.
var refusedPush = map[string]string{
	"additional-text":              "additional_tags must be a list",
	"buildx-additional-text":       "additional_tags must be a list",
	"additional-mapping":           "additional_tags must be a list",
	"additional-null-inside":       "additional_tags must be a list of texts",     // docker-py then pushes every tag that there is
	"additional-empty-inside":      `additional_tags "" ` + noTag,                 // the same
	"tag-list":                     "tag must be text",                            // docker-py pushes its last one, and Prefect gives a name that no image has
	"tag-mapping":                  "tag must be text",                            // the same
	"name-with-tag-and-tag":        `image_name "team/app:v1" ` + ownTag,          // outputs name an image that is none
	"name-with-tag-and-additional": `image_name "team/app:v1" ` + ownTag,          // the same
	"credentials-no-password":      "credentials have no password that is a text", // the engine logs in as nobody
	"credentials-no-username":      "credentials have no username that is a text", // the same
	"credentials-null-inside":      "credentials have no password that is a text", // the same
	"credentials-numbers":          "credentials have no username that is a text", // the engine refuses a login that is no text
}

const (
	noTag  = "is not a tag that Docker takes: at most 128 letters, digits, and . _ - not at the start"
	noName = "is not a name that Docker takes: small letters, digits, and single . _ - or / between them"
	ownTag = "holds a tag or a digest of its own, which belongs into tag"
)

// engineRefuses are pushes that the engine refuses (TestEngineRefuses asks a real one), and we before it is asked.
var engineRefuses = map[string]string{
	"tag-space":          `tag "v 1" ` + noTag,
	"tag-quote":          `tag "v'1\"" ` + noTag,
	"tag-newline":        `tag "v1\n" ` + noTag,
	"tag-dollar":         `tag "$(id)" ` + noTag,
	"tag-unicode":        `tag "vé" ` + noTag,
	"tag-dash":           `tag "-v1" ` + noTag,
	"tag-dot":            `tag ".v1" ` + noTag,
	"tag-colon":          `tag "v1:x" ` + noTag,
	"tag-too-long":       `tag "` + strings.Repeat("v", 80) + `…" ` + noTag,
	"name-upper":         `image_name "Team/App" ` + noName,
	"name-unicode":       `image_name "team/äpp" ` + noName,
	"name-dollar":        `image_name "team/$(id)" ` + noName,
	"name-dash":          `image_name "--all-tags" ` + noName,
	"name-dots":          `image_name "../team/app" names a registry that can't be`,
	"name-with-digest":   `image_name "team/app@sha256:` + strings.Repeat("a", 64) + `" ` + ownTag,
	"namespace-slash":    `image_name "team//app" ` + noName,
	"additional-hostile": `additional_tags "no good" ` + noTag,
}

func (c *recorded) push(t *testing.T) {
	p, err := PushOf(c.Inputs, c.options())
	if ok, why := Native("prefect_docker.projects.steps."+c.Function, c.Inputs); ok != (err == nil) && c.Name != "namespace-slash" { // which inputs don't show
		t.Errorf("native is %v (%s), but %v", ok, why, err)
	}
	if message := refusedPush[c.Name] + engineRefuses[c.Name]; message != "" || c.Error != "" {
		if err == nil || (c.Error == "") == (message == "") || message != "" && err.Error() != message {
			t.Errorf("real %q, ours %v", c.Error, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("the real one takes it, ours says: %v", err)
	}
	if got, want := string(p.Outputs().AppendJSON(nil)), string(c.Outputs.AppendJSON(nil)); got != want {
		t.Errorf("outputs\ngot  %s\nwant %s", got, want)
	}
	got := p.Commands()
	if l := p.Login(); l != nil {
		got = append([][]string{append(l.Arguments(), "< "+l.Password.Text)}, got...)
	}
	if want := c.pushes(); !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %v\nwant %v", got, want)
	}
}

func (c *recorded) pushes() (want [][]string) {
	for _, command := range c.Commands {
		words := command.Words
		if words[0] == "login" {
			words = append([]string{"login", "--username", words[slices.Index(words, "--username")+1], "--password-stdin"}, words[4:]...)
			words = append(words, "< "+strings.TrimSpace(command.Stdin))
		}
		if words[0] == "image" {
			words = words[1:]
		}
		want = append(want, words)
	}
	for _, r := range c.Requests {
		name, _ := strings.CutSuffix(strings.TrimPrefix(r.Path, "/images/"), "/push")
		switch {
		case r.Path == "/auth" && len(r.Login) == 0: // which logs in nobody
		case r.Path == "/auth":
			words := []string{"login", "--username", fmt.Sprint(r.Login["username"]), "--password-stdin"}
			if server, _ := r.Login["serveraddress"].(string); server != "" {
				words = append(words, server)
			}
			want = append(want, append(words, "< "+fmt.Sprint(r.Login["password"])))
		case len(r.Query) == 1:
			want = append(want, []string{"push", name + ":" + r.Query[0][1]})
		default:
			want = append(want, []string{"push", "--all-tags", name})
		}
	}
	return want
}
