// What a run leaves: nothing of a broken one that the next does not mend, nothing outside of the directory, nothing secret anywhere.
package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func pushCall(dir string) Call {
	return Call{Function: "prefect_aws.deployments.steps.push_to_s3", Dir: dir, Env: func(string) string { return "" }, Inputs: value.Of([]value.Entry{{Key: "bucket", Value: value.Of("b")}, {Key: "folder", Value: value.Of("app")}})}
}

func pullCall(dir string) Call {
	c := pushCall(dir)
	c.Function = "prefect_aws.deployments.steps.pull_from_s3"
	return c
}

func (s *shelf) run(t testing.TB, c Call) error {
	t.Helper()
	k := clouds()[c.Function]
	k.open = s.open
	_, err := run(context.Background(), c, k)
	return err
}

func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnchangedIsSkipped(t *testing.T) {
	dir, s := t.TempDir(), &shelf{objects: map[string][]byte{}}
	writeFiles(t, dir, map[string]string{"a": "1", "b/c": "2", "big": strings.Repeat("x", partSize+1)})
	for _, step := range []struct {
		change map[string]string
		always bool
		puts   int
	}{{nil, false, 3}, {nil, false, 0}, {map[string]string{"b/c": "3"}, false, 1}, {nil, true, 3}} {
		writeFiles(t, dir, step.change)
		s.puts = 0
		c := pushCall(dir)
		c.Always = step.always
		if err := s.run(t, c); err != nil || s.puts != step.puts {
			t.Errorf("%d were put, want %d; error %v", s.puts, step.puts, err)
		}
	}
}

// TestBrokenOffConverges: after a failure in its middle, running it again gives what one run gives.
func TestBrokenOffConverges(t *testing.T) {
	files := map[string]string{}
	for i := range 60 {
		files["d/"+strings.Repeat("x", i+1)] = strings.Repeat("y", i)
	}
	from, to, s := t.TempDir(), t.TempDir(), &shelf{objects: map[string][]byte{}}
	writeFiles(t, from, files)
	var asked atomic.Int64
	s.fails = func(what, _ string) error {
		if what != "list" && asked.Add(1) > 30 {
			return errBroken
		}
		return nil
	}
	for _, c := range []Call{pushCall(from), pullCall(to)} {
		asked.Store(0)
		if err := s.run(t, c); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Fatalf("error %v", err)
		}
		asked.Store(-1 << 40)
		if err := s.run(t, c); err != nil {
			t.Fatal(err)
		}
	}
	if want, have := readTree(t, from), readTree(t, to); !reflect.DeepEqual(want, have) {
		t.Errorf("%v\nwant %v", have, want)
	}
}

// TestKilledPullIsUsedUp: what a killed run left under a scratch name is gone after the next.
func TestKilledPullIsUsedUp(t *testing.T) {
	dir, s := t.TempDir(), &shelf{objects: map[string][]byte{"app/sub/x": []byte("whole")}}
	writeFiles(t, dir, map[string]string{scratch("sub/x"): "hal"})
	if err := s.run(t, pullCall(dir)); err != nil {
		t.Fatal(err)
	}
	if have, want := readTree(t, dir), map[string]string{"sub/x": shortHash([]byte("whole"))}; !reflect.DeepEqual(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
}

// TestNothingOutside: neither by a name nor through a link, and where one name is wrong nothing is written at all.
func TestNothingOutside(t *testing.T) {
	for _, c := range []struct {
		name    string
		objects []string
		links   map[string]string
		fault   string
	}{
		{name: "dots", objects: []string{"app/a", "app/../../x"}, fault: "outside"},
		{name: "dots and backslashes", objects: []string{"app/a", `app/..\x`}, fault: "outside"},
		{name: "through a link", objects: []string{"app/l/x"}, links: map[string]string{"l": ".."}, fault: "a link in the directory leads out of it"},
		{name: "through an absolute link", objects: []string{"app/l/x"}, links: map[string]string{"l": os.TempDir()}, fault: "a link in the directory leads out of it"},
		{name: "through a link below", objects: []string{"app/d/l/x/y"}, links: map[string]string{"d/l": "../../.."}, fault: "a link in the directory leads out of it"},
		{name: "over a link", objects: []string{"app/l"}, links: map[string]string{"l": "../target"}},
		{name: "over an absolute link", objects: []string{"app/l"}, links: map[string]string{"l": "/dev/null"}},
		{name: "absolute", objects: []string{"app//tmp/x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			outer := t.TempDir()
			dir := filepath.Join(outer, "in", "project")
			writeFiles(t, dir, map[string]string{"mine": "m"})
			writeFiles(t, outer, map[string]string{"in/target": "old"})
			for name, to := range c.links {
				path := filepath.Join(dir, name)
				_ = os.MkdirAll(filepath.Dir(path), 0o755)
				if err := os.Symlink(to, path); err != nil {
					if runtime.GOOS != "windows" { // where only some users may make one
						t.Fatal(err)
					}
					t.Skip(err)
				}
			}
			s := &shelf{objects: map[string][]byte{}}
			for _, key := range c.objects {
				s.objects[key] = []byte("new")
			}
			err := s.run(t, pullCall(dir))
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
			if data, _ := os.ReadFile(filepath.Join(outer, "in", "target")); string(data) != "old" {
				t.Errorf("the target of a link is now %q", data)
			}
			left, _ := filepath.Glob(filepath.Join(outer, "*"))
			beside, _ := filepath.Glob(filepath.Join(outer, "in", "*"))
			if len(left) != 1 || len(beside) != 2 {
				t.Errorf("outside there are now %v, %v", left, beside)
			}
			if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
				t.Error("something was written though a name was wrong")
			}
		})
	}
}

// TestErrorsHoldNoSecret: whatever a library says, and whichever input a secret came in.
func TestErrorsHoldNoSecret(t *testing.T) {
	const canary = "CANARY+/=secret7"
	for name, credentials := range map[string]string{
		"aws":        `{"aws_access_key_id": "AKIA-CANARY", "aws_secret_access_key": "` + canary + `", "aws_session_token": "` + canary + `tok"}`,
		"minio":      `{"minio_root_user": "someone", "minio_root_password": "` + canary + `"}`,
		"gcp":        `{"service_account_info": {"private_key": "-----BEGIN PRIVATE KEY-----\n` + canary + `\nabc\n-----END PRIVATE KEY-----\n", "private_key_id": "` + canary + `"}}`,
		"connection": `{"connection_string": "AccountName=a;AccountKey=` + canary + `;BlobEndpoint=http://h"}`,
		"signature":  `{"account_url": "http://h/?sv=1&sig=CANARY%2B%2F%3Dsecret7"}`,
		"principal":  `{"account_url": "http://h/", "client_secret": "` + canary + `"}`,
		"in a URL":   `{"aws_client_parameters": {"endpoint_url": "http://u:` + `CANARYsecret7@h"}}`,
	} {
		v, err := value.FromJSON([]byte(`{"credentials": ` + credentials + `}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{canary, canary + "tok", "GET http://h/?sv=1&sig=CANARY%2B%2F%3Dsecret7: refused", "http://u:CANARYsecret7@h", "CANARY%2B%2F%3Dsecret7"} {
			got := secrets(v).from(errors.New("it says: " + said)).Error()
			if strings.Contains(got, "secret7") && relevant(name, said) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// relevant: the password in a URL and the others are not of one text.
func relevant(name, said string) bool {
	return (name == "in a URL") == strings.Contains(said, "u:CANARY")
}

// FuzzInputs: no inputs make the reading of them panic.
func FuzzInputs(f *testing.F) {
	f.Add(`{"credentials": {"aws_client_parameters": {"config": {"s3": {"addressing_style": "path"}}, "verify": false}, "aws_access_key_id": "a"}}`)
	f.Add(`{"credentials": {"connection_string": "AccountKey=;SharedAccessSignature=sig=%"}, "client_parameters": {"endpoint_url": ":"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.FromJSON([]byte(text))
		if err != nil {
			return
		}
		_, _ = s3SettingsOf(v)
		_, _ = azureClient(Call{Inputs: v})
		secrets(v).from(errBroken)
	})
}
