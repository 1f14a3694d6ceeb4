// The steps against what Prefect's own functions did with the same inputs (testdata/record.py). Here the bucket is a map; servers_test.go does the same with real servers.
package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gocloud.dev/blob/memblob"

	"github.com/org/prefect-deploy-action/compiler/value"
)

type stepCase struct {
	Name, Cloud, Way string
	Tree             map[string]*string
	Objects          map[string]string
	Inputs           value.Value
	Outputs          *value.Value
	Error            string
	// Bucket is a hash and a type by key, After a hash by path.
	Bucket map[string][2]string
	After  map[string]string
}

// departures are the cases in which we do other than Prefect, on purpose, with what is there then; docs/differences.md tells users.
func departures() map[string]func(c *stepCase) {
	taken := func(c *stepCase, folder string) {
		entries := []value.Entry{{Key: place(c.Cloud), Value: value.Of("<bucket>")}, {Key: "folder", Value: value.Of(folder)}}
		if c.Way == "pull" {
			entries = append(entries, value.Entry{Key: "directory", Value: value.Of("<dir>")})
		}
		out := value.Of(entries)
		c.Error, c.Outputs = "", &out
	}
	only := func(folder string, after map[string]string) func(c *stepCase) {
		return func(c *stepCase) { taken(c, folder); c.After = after }
	}
	refused := func(c *stepCase) { c.Error, c.Outputs = "refused", nil }
	text := func(s string) string { return shortHash([]byte(s)) }
	plain := map[string]string{"a.txt": text("a"), "sub/b.txt": text("b"), "sub/deep/c.bin": text("\x00\xff\n\r")}
	pushed := func(folder string) func(c *stepCase) {
		return func(c *stepCase) {
			taken(c, folder)
			c.Bucket = map[string][2]string{}
			for name, hash := range plain {
				c.Bucket[folder+"/"+name] = [2]string{hash, contentType(name)}
				if c.Cloud == "azure" {
					c.Bucket[folder+"/"+name] = [2]string{hash, "application/octet-stream"}
				}
			}
		}
	}
	out := map[string]func(c *stepCase){
		// A key that is no text is an error; Google's library writes a replacement character.
		"push gcp a name that is no UTF-8": refused,
		// A folder with dots in it is a name like others; Python's library signs another address than it asks.
		"push azure folder with dots": pushed("team/../app"),
		"push azure backslashes and quotes in names": func(c *stepCase) {
			c.Bucket["app/a/../b"] = [2]string{text("5"), "application/octet-stream"}
		},
		// Without a login an emulator is asked without one; Python's library looks for one nevertheless.
		"push gcp no credentials": pushed("app"),
		"pull gcp no credentials": only("app", plain),
		// The other two servers do not hold such keys.
		"pull gcp dots in a key":               refused,
		"pull gcp dots in a key that lead out": refused,
		// Python's library takes a list for a text.
		"pull azure a folder that is a list": refused,
	}
	for _, cloud := range []string{"aws", "gcp", "azure"} {
		pull := "pull " + cloud + " "
		// Nothing is written outside, and no name with dots is resolved.
		for _, name := range []string{"through a link out", "backslashes and dots in a key", "backslashes and dots that lead out"} {
			out[pull+name] = refused
		}
		// What a killed run left under this name is used up.
		out[pull+"under a name of its own"] = func(c *stepCase) { delete(c.After, ".pulling-0cc175b9c0f1b6a8") }
		if cloud == "aws" {
			continue
		}
		// app and app2 are two folders; Prefect's functions fail over what is in app2, and over an object app.
		out[pull+"another folder of nearly this name"] = only("app", map[string]string{"a": text("a")})
		out[pull+"a folder named in part"] = only("ap", map[string]string{"": ""})
		out[pull+"an object of the folder's name"] = only("app", map[string]string{"": ""})
		out[pull+"an object of the folder's name, beside it"] = only("app", map[string]string{"x": text("2")})
		// A link is replaced, as boto3 does; the other two write to where it leads.
		out[pull+"into a link"] = func(c *stepCase) { c.After["t"] = text("old") }
		out[pull+"over a link that leads nowhere"] = func(c *stepCase) { delete(c.After, "nowhere") }
		out[pull+"over a link out"] = func(c *stepCase) { c.After["../../in/out.txt"] = text("old") }
		out[pull+"over a link to a directory"] = only("app", map[string]string{"d/x": text("x"), "l": text("new")})
	}
	return out
}

// ofServers are the cases whose result is the server's doing: it takes a key for another, or refuses one.
func ofServers() map[string]bool {
	out := map[string]bool{"push aws folder with dots": true, "push aws folder with a slash before it": true, "push aws a control character in a name": true, "pull aws dots in a key": true,
		"push aws folder with two slashes before it": true, "push aws a directory where an object is": true, "push aws a file where a folder is": true, "push azure folder with a backslash": true, "push azure backslashes and quotes in names": true}
	for _, cloud := range []string{"aws", "gcp", "azure"} {
		for _, name := range []string{"no credentials", "a login that is wrong", "a bucket that is not there", "a bucket with a name that none can have"} {
			out["push "+cloud+" "+name], out["pull "+cloud+" "+name] = true, true
		}
	}
	return out
}

func place(cloud string) string {
	if cloud == "azure" {
		return "container"
	}
	return "bucket"
}

func loadCases(t testing.TB, path string) []*stepCase {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []*stepCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func content(t testing.TB, text string) []byte {
	t.Helper()
	if digits, ok := strings.CutPrefix(text, "hex:"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if digits, ok := strings.CutPrefix(text, "size:"); ok {
		n, _ := strconv.Atoi(digits)
		return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
	}
	return []byte(text)
}

// makeTree makes a case's files. A name that is no UTF-8 stands in the recording as a lone surrogate, which JSON here makes a replacement character.
func makeTree(t testing.TB, root string, c *stepCase) {
	t.Helper()
	for name, text := range c.Tree {
		path := filepath.Join(root, filepath.FromSlash(name))
		if strings.HasSuffix(c.Name, "no UTF-8") {
			path = strings.ReplaceAll(path, "\ufffd", "\xff")
		}
		dir := filepath.Dir(path)
		if text == nil {
			dir = path
		}
		err := os.MkdirAll(dir, 0o755)
		switch {
		case text == nil || err != nil:
		case strings.HasPrefix(*text, "link:"):
			err = os.Symlink((*text)[5:], path)
		case *text == "fifo:":
			err = makeFIFO(path)
		case strings.HasPrefix(*text, "mode:"):
			mode, rest, _ := strings.Cut((*text)[5:], ":")
			bits, _ := strconv.ParseUint(mode, 8, 32)
			err = errors.Join(os.WriteFile(path, content(t, rest), 0o644), os.Chmod(path, fs.FileMode(bits)))
		default:
			err = os.WriteFile(path, content(t, *text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// readTree reads all files at and below a directory, links as what they lead to, and the directories in which there is nothing.
func readTree(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if err != nil || d.IsDir() {
			if inside, _ := os.ReadDir(path); len(inside) == 0 && err == nil {
				out[name+"/"] = ""
			}
			return err
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			out[name] = "nowhere"
			return nil
		case info.IsDir():
			return nil
		}
		data, err := os.ReadFile(path)
		out[name] = shortHash(data)
		if strings.Contains(t.Name(), "modes") {
			out[name] += " " + strconv.FormatUint(uint64(info.Mode().Perm()), 8)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shelf is a bucket in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	// fails, if not nil, may make a request fail.
	fails func(what, key string) error
}

func (s *shelf) ask(what, key string) error {
	if s.fails == nil {
		return nil
	}
	return s.fails(what, key)
}

func (s *shelf) open(_ context.Context, c Call) (*bucket, error) {
	return &bucket{name: "the bucket b", inPlace: !strings.HasPrefix(c.Function, "prefect_aws."), blob: memblob.OpenBucket(nil), explain: func(error) string { return "" },
		list: func(_ context.Context, prefix string, each func(object) error) error {
			for _, key := range slices.Sorted(maps.Keys(s.objects)) {
				if strings.HasPrefix(key, prefix) {
					if err := each(object{key: key, size: int64(len(s.objects[key])), parts: inParts(bytes.NewReader(s.objects[key]))}); err != nil {
						return err
					}
				}
			}
			return s.ask("list", prefix)
		},
		put: func(_ context.Context, key string, file *os.File, _ int64) error {
			data, err := io.ReadAll(file)
			if err == nil {
				err = s.ask("put", key)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if err == nil {
				s.objects[key] = data
				s.puts++
			}
			return err
		},
		get: func(_ context.Context, o object, from, length int64) (io.ReadCloser, error) {
			data := s.objects[o.key][from:]
			if length >= 0 {
				data = data[:length]
			}
			return io.NopCloser(bytes.NewReader(data)), s.ask("get", o.key)
		},
	}, nil
}

func function(c *stepCase) string {
	short := map[string]string{"aws": "s3", "gcp": "gcs", "azure": "azure_blob_storage"}[c.Cloud]
	if c.Way == "push" {
		return "prefect_" + c.Cloud + ".deployments.steps.push_to_" + short
	}
	return "prefect_" + c.Cloud + ".deployments.steps.pull_from_" + short
}

// inputs are the case's over what every case has.
func (c *stepCase) inputs(bucket string, credentials []value.Entry) value.Value {
	v := value.Of(append([]value.Entry{{Key: place(c.Cloud), Value: value.Of(bucket)}, {Key: "folder", Value: value.Of("app")}}, credentials...))
	for _, e := range c.Inputs.Map {
		switch e.Key {
		case "@bucket":
			v = v.Set(place(c.Cloud), e.Value)
		case "@wrong":
			v = v.Set("credentials", wrongLogin(v, c.Cloud))
		case "@drop":
			v.Map = slices.DeleteFunc(v.Map, func(in value.Entry) bool {
				return slices.ContainsFunc(e.Value.List, func(name value.Value) bool { return name.Text == in.Key })
			})
		default:
			v = v.Set(e.Key, e.Value)
		}
	}
	return v
}

// wrongLogin is the login with a secret that is none.
func wrongLogin(v value.Value, cloud string) value.Value {
	who, _ := v.Get("credentials")
	switch cloud {
	case "aws":
		return who.Set("aws_secret_access_key", value.Of("wrong"))
	case "gcp":
		account, _ := who.Get("service_account_info")
		return who.Set("service_account_info", account.Set("private_key", value.Of("wrong")))
	}
	connection, _ := who.Get("connection_string")
	before, rest, _ := strings.Cut(connection.Text, "AccountKey=")
	_, after, _ := strings.Cut(rest, ";")
	return who.Set("connection_string", value.Of(before+"AccountKey=d3Jvbmc=;"+after))
}

// project is a directory two below the one that is looked at, so that what is written outside of it is seen.
func project(t testing.TB, c *stepCase) (outer, root string) {
	t.Helper()
	outer, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(outer, "in", "project")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	makeTree(t, root, c)
	return outer, root
}

// compare holds outputs and the directory against the recording.
func (c *stepCase) compare(t *testing.T, outer, root, bucket string, got value.Value, err error) {
	t.Helper()
	if (err != nil) != (c.Error != "") {
		t.Fatalf("error %v, want %q", err, c.Error)
	}
	if err != nil {
		return
	}
	text := strings.NewReplacer(`"`+bucket+`"`, `"<bucket>"`, root, "<dir>").Replace(string(got.AppendJSON(nil)))
	if want := string(c.Outputs.AppendJSON(nil)); text != want {
		t.Errorf("outputs %s, want %s", text, want)
	}
	if c.Way == "pull" {
		after := map[string]string{}
		for name, hash := range readTree(t, outer) {
			inside, ok := strings.CutPrefix(name, "in/project/")
			if !ok {
				inside = "../../" + name
			}
			after[inside] = hash
		}
		if !reflect.DeepEqual(after, c.After) {
			t.Errorf("the directory holds %v\nwant %v", after, c.After)
		}
	}
}

// TestEnoughInputs: each of the six is held against the real one with at least 60 inputs, those not counted in which we do something else.
func TestEnoughInputs(t *testing.T) {
	other, count := departures(), map[string]int{}
	for _, c := range loadCases(t, "testdata/steps.golden.json") {
		if other[c.Name] == nil {
			count[function(c)]++
		}
	}
	for name := range clouds() {
		if count[name] < 60 {
			t.Errorf("%s is held against Prefect's with only %d inputs", name, count[name])
		}
	}
	t.Log(count)
}

func TestStepsAsRecorded(t *testing.T) {
	cases := loadCases(t, "testdata/steps.golden.json")
	other, servers := departures(), ofServers()
	for _, c := range cases {
		if servers[c.Name] {
			continue
		}
		if change := other[c.Name]; change != nil {
			change(c)
		}
		t.Run(c.Name, func(t *testing.T) {
			outer, root := project(t, c)
			s := &shelf{objects: map[string][]byte{}}
			for key, text := range c.Objects {
				s.objects[key] = content(t, text)
			}
			k := clouds()[function(c)]
			k.open = s.open
			if who, ok := c.Inputs.Get("credentials"); ok && who.Kind == value.Text {
				k = clouds()[function(c)] // what is wrong with it is for the real one to say
			}
			var credentials []value.Entry
			if c.Cloud == "azure" {
				credentials = []value.Entry{{Key: "credentials", Value: value.Of([]value.Entry{})}}
			}
			got, err := run(context.Background(), Call{Function: function(c), Inputs: c.inputs("b", credentials), Dir: root, Env: func(string) string { return "" }}, k)
			c.compare(t, outer, root, "b", got, err)
			if err != nil || c.Way == "pull" {
				return
			}
			want := map[string]string{}
			for key, seen := range c.Bucket {
				want[key] = seen[0]
				if contentType(key) != seen[1] && c.Cloud == "gcp" {
					t.Errorf("the type of %q is %s, want %s", key, contentType(key), seen[1])
				}
			}
			have := map[string]string{}
			for key, data := range s.objects {
				have[key] = shortHash(data)
			}
			if !reflect.DeepEqual(have, want) {
				t.Errorf("the bucket holds %v\nwant %v", have, want)
			}
		})
	}
}

var errBroken = errors.New("broken")
