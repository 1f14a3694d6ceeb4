//go:build real

// The companion paired with prefect-aws's own functions: the same bytes first, then times, processor time and memory, of both and of the server. The server can be what is slowest: so its buckets are once in memory and once on disk, it keeps
// connections open as S3 does, and beside the pairs stands what a bare loop of the same requests takes.
package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/servertest"
)

const timed = `
import json, os, sys, time
inputs = json.load(sys.stdin)
os.chdir(sys.argv[1])
from prefect_aws.deployments import steps
begin, used = time.perf_counter(), time.process_time()
getattr(steps, sys.argv[2])(**inputs)
print(time.perf_counter() - begin, time.process_time() - used)
`

// took is what one run took, in seconds.
type took struct{ wall, client, server float64 }

// pairing is a task for both, at a server.
type pairing struct {
	*servers
	pid         int
	from        string
	what, place string
	pairs       int
}

// TestAgainstPrefectAws pairs the companion with prefect-aws: PAIRS of runs, 5 else, turn and turn about. Ours counts from the start of its process, theirs without the import of Prefect. It asserts no time; the lines with "times as fast" are
// its result.
func TestAgainstPrefectAws(t *testing.T) {
	if os.Getenv("PROVE") == "" {
		t.Log("left to make prove")
		return
	}
	pairs := 5
	if n, err := strconv.Atoi(os.Getenv("PAIRS")); err == nil && n > 0 {
		pairs = n
	}
	few, one := t.TempDir(), t.TempDir()
	small(t, few, 5000)
	large(t, one, 1<<30)
	for _, p := range []struct{ place, dir, what, from string }{
		{"in memory", "/dev/shm", "5,000 small files", few}, {"on disk", os.TempDir(), "5,000 small files", few}, {"on disk", os.TempDir(), "one file of 1 GB", one},
	} {
		t.Run(p.what+" "+p.place, func(t *testing.T) {
			if _, err := os.Stat(p.dir); err != nil {
				t.Logf("no buckets %s: %v", p.place, err)
				return
			}
			s, pid := s3Server(t, p.dir)
			run := pairing{servers: s, pid: pid, from: p.from, what: p.what, place: p.place, pairs: pairs}
			theirs := run.all(t, "push")
			if p.place == "in memory" {
				run.whole(t, theirs)
			}
			run.all(t, "pull")
		})
	}
}

// whole is `run deploy` from its start to its end: the file read, a block looked up, the companion started, a flow read, a state written.
func (p *pairing) whole(t *testing.T, theirs float64) {
	t.Helper()
	var times []float64
	var s *scene
	for range p.pairs {
		bucket := p.bucket(t, "aws")
		s = newScene(t, p.servers, bucket, "")
		small(t, s.dir, 5000)
		if _, err := programs(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if code := s.run(t, 0, "deploy", "--all"); code != 0 || !strings.Contains(s.said, "pushed 5005 files") {
			t.Fatalf("exit %d\n%s", code, s.said)
		}
		times = append(times, time.Since(begin).Seconds())
		_ = os.Remove(filepath.Join(s.dir, "x.log")) // what is left out
		p.sameAndEmpty(t, s.dir, bucket)
	}
	t.Logf("RESULT `run deploy` as a whole, which pushes %s, buckets %s: bytes equal; %.2f s (median of %d), %.1f times as fast as the median of prefect-aws's function alone", p.what, p.place, median(times), p.pairs, theirs/median(times))
}

// s3Server is one of its own, with its buckets below a folder.
func s3Server(t *testing.T, below string) (*servers, int) {
	t.Helper()
	dir, err := os.MkdirTemp(below, "buckets-")
	if err != nil {
		t.Fatal(err)
	}
	port, err := servertest.Port()
	if err != nil {
		t.Fatal(err)
	}
	c := gateway(started.tools, dir, "127.0.0.1:"+port, "--keep-alive")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait(); _ = os.RemoveAll(dir) })
	if err := answers("127.0.0.1:" + port); err != nil {
		t.Fatal(err)
	}
	return &servers{s3: "http://127.0.0.1:" + port, tools: started.tools}, c.Process.Pid
}

// all are the pairs of one way; it gives the median time of prefect-aws.
func (p *pairing) all(t *testing.T, way string) float64 {
	var ours, theirs []took
	var ratios, floor []float64
	var most int64
	for n := range p.pairs {
		buckets, into := [2]string{p.bucket(t, "aws"), p.bucket(t, "aws")}, [2]string{p.from, p.from}
		if way == "pull" {
			into, buckets[1] = [2]string{t.TempDir(), t.TempDir()}, buckets[0]
			p.ours(t, "push", buckets[0], p.from)
		}
		do := []func(){
			func() {
				o, memory := p.ours(t, way, buckets[0], into[0])
				ours, most = append(ours, o), max(most, memory)
			},
			func() { theirs = append(theirs, p.theirs(t, way, buckets[1], into[1])) },
		}
		for i := range do {
			do[(i+n)%2]()
		}
		p.same(t, way, buckets, into)
		if way == "push" && p.what[0] == '5' {
			floor = append(floor, p.floor(t))
		}
		a, b := ours[n], theirs[n]
		ratios = append(ratios, b.wall/a.wall)
		t.Logf("%s %s, %s: equal bytes; %.2f s to %.2f s", way, p.what, p.place, a.wall, b.wall)
	}
	line := fmt.Sprintf("RESULT %s of %s, buckets %s: bytes equal in all %d pairs; %.1f times as fast (median of the pairs' ratios, %.1f to %.1f)", way, p.what, p.place, p.pairs, median(ratios), slices.Min(ratios), slices.Max(ratios))
	line += fmt.Sprintf("; medians: ours %s, prefect-aws %s; at most %d MB of memory", middle(ours), middle(theirs), most>>20)
	if floor != nil {
		line += fmt.Sprintf("; a bare loop of the same requests %.2f s", median(floor))
	}
	t.Log(line)
	if most > 200<<20 {
		t.Errorf("it had %d MB of memory", most>>20)
	}
	var walls []float64
	for _, one := range theirs {
		walls = append(walls, one.wall)
	}
	return median(walls)
}

func (p *pairing) ours(t *testing.T, way, bucket, dir string) (took, int64) {
	t.Helper()
	call := p.call(t, &stepCase{Cloud: "aws", Way: way}, bucket, dir)
	if _, err := companionPath(); err != nil { // it is built first
		t.Fatal(err)
	}
	before, begin := processor(t, p.pid), time.Now()
	c := startCompanion(t, dir)
	if a := c.ask(t, call); a.Kind != "result" {
		t.Fatal(a.Message)
	}
	out := took{wall: time.Since(begin).Seconds(), client: processor(t, c.cmd.Process.Pid), server: processor(t, p.pid) - before}
	memory := peak(t, c.cmd.Process.Pid)
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	return out, memory
}

func (p *pairing) theirs(t *testing.T, way, bucket, dir string) (out took) {
	t.Helper()
	before := processor(t, p.pid)
	run := osexec.Command(filepath.Join(p.tools, "prefect-storage", "bin", "python"), "-c", timed, dir, map[string]string{"push": "push_to_s3", "pull": "pull_from_s3"}[way])
	run.Stdin = bytes.NewReader(p.call(t, &stepCase{Cloud: "aws", Way: way}, bucket, dir).Inputs.AppendJSON(nil))
	said, err := run.Output()
	if err == nil {
		_, err = fmt.Sscan(string(said), &out.wall, &out.client)
	}
	if err != nil {
		t.Fatal(err)
	}
	out.server = processor(t, p.pid) - before
	return out
}

// same holds what both left against the tree, and takes it away.
func (p *pairing) same(t *testing.T, way string, buckets, into [2]string) {
	t.Helper()
	if way == "push" {
		p.sameAndEmpty(t, p.from, buckets[0])
		p.sameAndEmpty(t, p.from, buckets[1])
		return
	}
	p.sameAndEmpty(t, p.from, buckets[0])
	want := readTree(t, p.from)
	for _, dir := range into {
		if have := readTree(t, dir); !reflect.DeepEqual(have, want) {
			t.Fatalf("%d files, or other bytes; want %d", len(have), len(want))
		}
		_ = os.RemoveAll(dir)
	}
}

// floor is what a loop takes that has all files in memory and does nothing but send them, as many at once as we.
func (p *pairing) floor(t *testing.T) float64 {
	t.Helper()
	name, ctx := p.bucket(t, "aws"), context.Background()
	direct := newBare(ctx, p.s3Client(t), name)
	type object struct {
		key  string
		data []byte
	}
	queue := make(chan object, 10_000)
	err := filepath.WalkDir(p.from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		queue <- object{"app/" + filepath.ToSlash(strings.TrimPrefix(path, p.from+string(filepath.Separator))), data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	close(queue)
	begin := time.Now()
	var wait sync.WaitGroup
	for range atOnce {
		wait.Go(func() {
			for o := range queue {
				sum := sha256.Sum256(o.data)
				got, err := direct.send(ctx, http.MethodPut, o.key, http.Header{"Content-Type": {"binary/octet-stream"}}, hex.EncodeToString(sum[:]), bytes.NewReader(o.data))
				if err != nil || got.StatusCode != http.StatusOK {
					t.Errorf("%s: %v", o.key, err)
					return
				}
				got.Body.Close()
			}
		})
	}
	wait.Wait()
	took := time.Since(begin).Seconds()
	p.sameAndEmpty(t, p.from, name)
	return took
}

// processor is the processor time that a process has used, in seconds; Linux counts it in hundredths.
func processor(t testing.TB, pid int) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return (user + system) / 100
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// middle are the medians of runs.
func middle(of []took) string {
	var wall, client, server []float64
	for _, one := range of {
		wall, client, server = append(wall, one.wall), append(client, one.client), append(server, one.server)
	}
	return fmt.Sprintf("%.2f s (processor %.2f s, the server's %.2f s)", median(wall), median(client), median(server))
}
