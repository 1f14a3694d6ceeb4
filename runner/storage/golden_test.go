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
	only := func(after map[string]string) func(c *stepCase) {
		return func(c *stepCase) {
			c.Error, c.After = "", after
			out := value.Of([]value.Entry{{Key: place(c.Cloud), Value: value.Of("<bucket>")}, {Key: "folder", Value: value.Of("app")}, {Key: "directory", Value: value.Of("<dir>")}})
			c.Outputs = &out
		}
	}
	replaced := func(c *stepCase) { c.After["t"] = shortHash([]byte("old")) }
	return map[string]func(c *stepCase){
		// app and app2 are two folders; Prefect's functions fail over what is in app2.
		"pull gcp another folder of nearly this name":   only(map[string]string{"a": shortHash([]byte("a"))}),
		"pull azure another folder of nearly this name": only(map[string]string{"a": shortHash([]byte("a"))}),
		// A link is replaced, as boto3 does; the other two write to where it leads.
		"pull gcp into a link":   replaced,
		"pull azure into a link": replaced,
		// A key that is no text is an error; Google's library writes a replacement character.
		// A folder with dots in it is a name like others; Python's library signs another address than it asks.
		"push azure folder with dots": func(c *stepCase) {
			out := value.Of([]value.Entry{{Key: "container", Value: value.Of("<bucket>")}, {Key: "folder", Value: value.Of("team/../app")}})
			c.Error, c.Outputs, c.Bucket = "", &out, map[string][2]string{}
			for name, data := range map[string][]byte{"a.txt": []byte("a"), "sub/b.txt": []byte("b"), "sub/deep/c.bin": {0x00, 0xff, 0x0a, 0x0d}} {
				c.Bucket["team/../app/"+name] = [2]string{shortHash(data), "application/octet-stream"}
			}
		},
		"push gcp a name that is no UTF-8": func(c *stepCase) { c.Error, c.Outputs = "refused", nil },
	}
}

// ofServers are the cases whose result is the server's doing: it takes a key for another, or refuses one.
func ofServers() map[string]bool {
	return map[string]bool{"push aws folder with dots": true, "push aws folder with a slash before it": true, "push aws a control character in a name": true}
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

// readTree reads all files at and below a directory, links as what they lead to.
func readTree(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		out[filepath.ToSlash(name)] = shortHash(data)
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

func (s *shelf) open(context.Context, Call) (*bucket, error) {
	return &bucket{name: "the bucket b", blob: memblob.OpenBucket(nil), explain: func(error) string { return "" },
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
		v = v.Set(e.Key, e.Value)
	}
	return v
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

func TestStepsAsRecorded(t *testing.T) {
	cases := loadCases(t, "testdata/steps.golden.json")
	if len(cases) < 170 {
		t.Fatalf("only %d recorded cases", len(cases))
	}
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
