// The state in a file: it behaves as a server does, survives whatever happens to its process, and never hides damage.
package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func parsed(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func open(t testing.TB, path string) *State {
	t.Helper()
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func contents(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var dep = Name{"my-flow", "dev"}

func readOne(t testing.TB, s *State, n Name) *Live {
	t.Helper()
	snap, err := s.Read(context.Background(), Query{Deployments: []Name{n}})
	if err != nil {
		t.Fatal(err)
	}
	return snap.Deployments[n]
}

func writeOne(t testing.TB, s *State, w Write) *Live {
	t.Helper()
	live, err := s.Write(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func TestFileBehavesAsAServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := open(t, path)
	if readOne(t, s, dep) != nil {
		t.Fatal("an empty state has a deployment")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatal("reading created the file")
	}
	created := writeOne(t, s, Write{Name: dep, Fields: parsed(t, `{"entrypoint":"a.py:f","work_pool_name":"p","work_queue_name":null,"tags":null,"labels":{"k":"v"},
		"schedules":[{"schedule":{"interval":60}},{"schedule":{"cron":"0 0 * * *"},"slug":"n","active":false}]}`)})
	want := `{"version":null,"tags":[],"description":null,"schedules":[` +
		`{"id":"ID","schedule":{"interval":60},"active":true,"max_scheduled_runs":null,"parameters":{},"slug":null},` +
		`{"id":"ID","schedule":{"cron":"0 0 * * *"},"active":false,"max_scheduled_runs":null,"parameters":{},"slug":"n"}],` +
		`"paused":false,"concurrency_limit":null,"concurrency_options":null,"parameters":{},"enforce_parameter_schema":true,` +
		`"parameter_openapi_schema":{"type":"object","properties":{}},"pull_steps":[],"entrypoint":"a.py:f","work_pool_name":"p","work_queue_name":"default",` +
		`"job_variables":{},"path":null,"labels":{"k":"v"}}`
	live := readOne(t, s, dep)
	for _, l := range []*Live{created, live} {
		if got := hideIDs(l.Fields); got != want {
			t.Errorf("\ngot  %s\nwant %s", got, want)
		}
	}
	if live.ID != created.ID || live.ID == "" || live.FlowID == "" {
		t.Errorf("ids are %q and %q", live.ID, created.ID)
	}

	// An update changes what it names. A schedule whose "active" is unsaid keeps its state; labels are set on creation only.
	writeOne(t, s, Write{Name: dep, Live: live, Fields: parsed(t, `{"tags":["x"],"labels":{"other":1},"schedules":[{"schedule":{"cron":"0 6 * * *"},"slug":"n"}]}`)})
	live = readOne(t, s, dep)
	for _, c := range []struct{ key, want string }{
		{"tags", `["x"]`}, {"labels", `{"k":"v"}`}, {"entrypoint", `"a.py:f"`},
	} {
		if got, _ := live.Fields.Get(c.key); string(got.AppendJSON(nil)) != c.want {
			t.Errorf("%s is %s", c.key, got.AppendJSON(nil))
		}
	}
	if got := schedulesOf(live); got != `n 0 6 * * * false` {
		t.Errorf("schedules: %s", got)
	}
	schedules, _ := live.Fields.Get("schedules")
	writeOne(t, s, Write{Name: dep, Live: live, DeleteSchedules: []string{textOf(schedules.List[0], "id")}})
	if got := schedulesOf(readOne(t, s, dep)); got != "" {
		t.Errorf("after deleting: %s", got)
	}
}

func hideIDs(v value.Value) string {
	schedules, _ := v.Get("schedules")
	var list []value.Value
	for _, s := range schedules.List {
		list = append(list, s.Set("id", value.Of("ID")))
	}
	return string(v.Set("schedules", value.Of(list)).AppendJSON(nil))
}

// schedulesOf is one line per schedule: slug, timing, active, and what else it has.
func schedulesOf(l *Live) string {
	schedules, _ := l.Fields.Get("schedules")
	var out []string
	for _, s := range schedules.List {
		timing, _ := s.Get("schedule")
		active, _ := s.Get("active")
		line := fmt.Sprintf("%s %s %v", textOf(s, "slug"), textOf(timing, "cron"), active.Bool)
		if most, _ := s.Get("max_scheduled_runs"); !most.IsNull() {
			line += " max " + most.Str()
		}
		if p, _ := s.Get("parameters"); p.Truthy() {
			line += " " + string(p.AppendJSON(nil))
		}
		out = append(out, strings.TrimSpace(line))
	}
	return strings.Join(out, "\n")
}

func TestSameFileWhateverTheOrder(t *testing.T) {
	var texts []string
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "a", "b"}} {
		path := filepath.Join(t.TempDir(), "state.json")
		s := open(t, path)
		for _, n := range order {
			writeOne(t, s, Write{Name: Name{"f", n}, Fields: parsed(t, `{"tags":["x","y"]}`)})
		}
		texts = append(texts, contents(t, path))
	}
	if texts[0] != texts[1] || !strings.Contains(texts[0], "\n      \"tags\": [\"x\",\"y\"],\n") {
		t.Errorf("%s\n%s", texts[0], texts[1])
	}
}

func TestUnknownKeysSurviveAndNothingIsWrittenInVain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	text := `{"note":"mine","schema":1,"work_pools":{"p":{"type":"ecs:push","is_paused":true}},"variables":{"v":[1,{"z":1,"a":2}]},"blocks":{"secret/t":{"value":"x"}},
		"deployments":[{"flow":"my-flow","name":"dev","owner":"team","tags":["a"],"schedules":[{"schedule":{"cron":"0 0 * * *"},"colour":"red"}]}]}`
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	writeOne(t, s, Write{Name: dep, Live: readOne(t, s, dep), Fields: parsed(t, `{"tags":["a"]}`)})
	if info, _ := os.Stat(path); !info.ModTime().Equal(old) || contents(t, path) != text {
		t.Error("a write that changes nothing touched the file")
	}
	writeOne(t, s, Write{Name: dep, Live: readOne(t, s, dep), Fields: parsed(t, `{"tags":["b"]}`)})
	after := contents(t, path)
	for _, kept := range []string{`"note": "mine"`, `"owner": "team"`, `"colour": "red"`, `"tags": ["b"]`, `"type": "ecs:push"`} {
		if !strings.Contains(after, kept) {
			t.Errorf("%s is gone:\n%s", kept, after)
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the permissions became %v", info.Mode())
	}
	snap, err := s.Read(context.Background(), Query{WorkPools: []string{"p", "q"}, Variables: []string{"v", "w"}, Blocks: []BlockRef{{Type: "secret", Name: "t"}, {Type: "secret", Name: "u"}}})
	if err != nil || len(snap.WorkPools) != 1 || !snap.WorkPools["p"].IsPushPool || !snap.WorkPools["p"].IsPaused || len(snap.Variables) != 1 || len(snap.Blocks) != 1 {
		t.Errorf("%+v, %v", snap, err)
	}
	if !snap.Blocks[BlockRef{Type: "secret", Name: "t"}].Origin.Has(value.Sensitive) {
		t.Error("a block's data is not marked as sensitive")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := listing(t, dir); names != "state.json" {
		t.Errorf("left behind: %s", names)
	}
	empty := open(t, filepath.Join(dir, "other.json"))
	if snap, _ := empty.Read(context.Background(), Query{WorkPools: []string{"p"}}); snap.WorkPools != nil {
		t.Error("a file without work_pools claims to know them")
	}
}

func listing(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestDamagedFiles(t *testing.T) {
	for text, want := range map[string]string{
		"{\"schema\": 1,\n\"deployments\": [\n<<<<<<< HEAD\n": "line 3: is not JSON",
		"{\"schema\": 1,\n\"deployments\": [":                 "line 2: is not JSON",
		"{\"schema\": 1}\n{}":                                 "line 2: is not JSON",
		"[]":                                                  "line 1: must be a mapping",
		`{"name": "package"}`:                                 "no \"schema\"",
		`{"schema": 2}`:                                       "update the program",
		"{\n\"schema\": \"1\"}":                               "line 2: \"schema\" must be the number 1",
		"{\"schema\": 1,\n\"deployments\": {}}":               "line 2: \"deployments\" must be a list",
		"{\"schema\": 1,\n\"deployments\": [\n{\"flow\":\"f\",\"name\":\"d\"},\n{\"flow\":\"f\"}]}":                       "line 4: a deployment needs",
		"{\"schema\": 1,\n\"deployments\": [\n{\"flow\":\"f\",\"name\":\"d\"},\n\n{\"flow\":\"f\",\"name\":\"d\"}]}":      "line 5: the deployment \"f/d\" stands there twice",
		"{\"schema\": 1,\n\"deployments\": [\n{\"flow\":\"f\",\"name\":\"d\",\"schedules\":[{\"cron\":\"0 0 * * *\"}]}]}": "line 3: each schedule of \"f/d\"",
		"{\"schema\": 1,\n\"blocks\": {\n \"secret\": 1}}":                                                                "line 3: the block \"secret\" must be named TYPE/NAME",
		"{\"schema\": 1,\n\"work_pools\": {\n \"p\": \"process\"}}":                                                       "line 3: the work pool \"p\"",
	} {
		path := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := OpenFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "no", "state.json")); err == nil || !strings.Contains(err.Error(), "there is no directory") {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestSymbolicLinksAreFollowed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "state.json")
	if err := os.Symlink(filepath.Join("real", "s.json"), link); err != nil {
		t.Fatal(err)
	}
	s := open(t, link)
	for range 2 {
		writeOne(t, s, Write{Name: dep, Fields: parsed(t, `{}`)})
	}
	if _, err := open(t, filepath.Join(dir, "real", "s.json")).Write(context.Background(), Write{Name: dep}); err == nil || !strings.Contains(err.Error(), "is being written") {
		t.Errorf("a second writer by another name of the file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || listing(t, filepath.Join(dir, "real")) != "s.json" {
		t.Errorf("the link became %v, %v", info, err)
	}
}

func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	a, b := open(t, path), open(t, path)
	writeOne(t, a, Write{Name: dep, Fields: parsed(t, `{}`)})
	_, err := b.Write(context.Background(), Write{Name: Name{"f", "b"}, Fields: parsed(t, `{}`)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("is being written by the process %d", os.Getpid())) {
		t.Fatalf("the second writer: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	writeOne(t, b, Write{Name: Name{"f", "b"}, Fields: parsed(t, `{}`)})
	if readOne(t, b, dep) == nil {
		t.Error("the second writer lost what the first had written")
	}
	if _, err := b.Write(context.Background(), Write{Name: Name{"f", "gone"}, Live: &Live{}, Fields: parsed(t, `{}`)}); err == nil || !strings.Contains(err.Error(), "plan again") {
		t.Errorf("updating what is gone: %v", err)
	}
}

func TestConcurrentWritesAllArrive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := open(t, path)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			if _, err := s.Write(context.Background(), Write{Name: Name{"f", fmt.Sprint(i)}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var doc struct{ Deployments []any }
	if err := json.Unmarshal([]byte(contents(t, path)), &doc); err != nil || len(doc.Deployments) != 60 {
		t.Errorf("%d deployments, %v", len(doc.Deployments), err)
	}
}

// TestKilledWriter kills a process that writes without pause, again and again. Whatever is then on the disk must be a whole state, the
// lock must be free, and no temporary file may be left once the next writer has come.
func TestKilledWriter(t *testing.T) {
	if path := os.Getenv("STATE_TEST_WRITE"); path != "" {
		s, err := OpenFile(path)
		for i := 0; err == nil; i++ {
			_, err = s.Write(context.Background(), Write{Name: Name{"f", fmt.Sprint(i % 50)}, Fields: parsed(t, fmt.Sprintf(`{"version":"%d"}`, i))})
			if i == 3 {
				fmt.Println("writing")
			}
		}
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	for round := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "STATE_TEST_WRITE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 8)) // it is in the middle of it now
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := OpenFile(path); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	s := open(t, path)
	writeOne(t, s, Write{Name: dep, Fields: parsed(t, `{}`)})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := listing(t, dir); names != "state.json" {
		t.Errorf("left behind: %s", names)
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"schema":1,"deployments":[{"flow":"f","name":"d","schedules":[{"schedule":{"cron":"* * * * *"}}]}],"work_pools":{"p":{}},"blocks":{"a/b":1}}`))
	f.Add([]byte("{\"schema\":1,\n\"deployments\":[{}"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDocument(data)
		if err != nil {
			return
		}
		text := d.render()
		again, err := parseDocument(text)
		if err != nil || string(again.render()) != string(text) {
			t.Fatalf("%q is written as %q, which reads back as %v", data, text, err)
		}
		_, err = d.apply(Write{Name: dep, Fields: parsed(t, `{"schedules":[{"schedule":{"cron":"1 * * * *"},"slug":"x"}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		d.snapshot(Query{Deployments: []Name{dep}})
	})
}

func BenchmarkFileWrites(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.json"))
	for i := range b.N {
		writeOne(b, s, Write{Name: Name{"f", fmt.Sprint(i % 200)}, Fields: parsed(b, fmt.Sprintf(`{"version":"%d"}`, i))})
	}
}

// BenchmarkThousandAtOnce is the first deploy of a large project: nothing is there yet, and the deploy gives all writes at once.
func BenchmarkThousandAtOnce(b *testing.B) {
	for range b.N {
		s := open(b, filepath.Join(b.TempDir(), "state.json"))
		var all sync.WaitGroup
		for i := range 1000 {
			all.Add(1)
			go func() {
				defer all.Done()
				if _, err := s.Write(context.Background(), Write{Name: Name{"f", fmt.Sprint(i)}, Fields: parsed(b, `{"tags":["a","b"],"parameters":{"a":1}}`)}); err != nil {
					b.Error(err)
				}
			}()
		}
		all.Wait()
	}
}

// TestWhatIsKeptOfTheTextIsWhatItIsMadeAnew: after any order of writes and deletes the bytes are those of a document that was never rendered before.
func TestWhatIsKeptOfTheTextIsWhatItIsMadeAnew(t *testing.T) {
	d := newDocument()
	d.root = d.root.Set("variables", parsed(t, `{"deployments": [], "x": "\"deployments\": []"}`))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		name := Name{fmt.Sprint("f", random.IntN(3)), fmt.Sprint("d", random.IntN(7))}
		if random.IntN(3) == 0 {
			d.remove(name)
		} else if _, err := d.apply(Write{Name: name, Fields: parsed(t, fmt.Sprintf(`{"version":"%d","tags":["\"deployments\": []"]}`, i))}); err != nil {
			t.Fatal(err)
		}
		var anew bytes.Buffer
		indent(&anew, d.sorted(), 0)
		if text := string(d.render()); text != anew.String()+"\n" {
			t.Fatalf("after %d changes:\n%s\nmade anew:\n%s", i, text, anew.String())
		}
	}
}

// TestADeviceIsNoState: a write would put a file in its place, which root may.
func TestADeviceIsNoState(t *testing.T) {
	if _, err := OpenFile(os.DevNull); err == nil || !strings.Contains(err.Error(), "name a file") {
		t.Errorf("error %v", err)
	}
}
