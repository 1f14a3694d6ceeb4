package handover

import (
	"fmt"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func gave(key string, pairs ...string) Step {
	v := value.Value{Kind: value.Map}
	for i := 0; i < len(pairs); i += 2 {
		v = v.Set(pairs[i], value.Of(pairs[i+1]))
	}
	return Step{Key: key, Outputs: v}
}

func all(string, string) bool { return true }

func TestDotenv(t *testing.T) {
	got := string(Dotenv(nil, []Step{gave("build-image", "image", "r/a:1", "image_id", ""), gave("1st", "stdout", "x=y #z 'q'")}, all))
	if want := "build_image_image=r/a:1\n_1st_stdout=x=y #z 'q'\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, odd := range []string{"two\nlines", "a\rb", "$CI_JOB_TOKEN", " around ", "\x00", "a\u2028b", ""} {
		if got := Dotenv(nil, []Step{gave("k", "stdout", odd)}, all); len(got) != 0 {
			t.Errorf("%q gives %q", odd, got)
		}
	}
	if got := Dotenv(nil, []Step{gave("k", "stdout", "x", "other", "y")}, func(_, output string) bool { return output == "stdout" }); string(got) != "k_stdout=x\n" {
		t.Errorf("not asked for: %q", got)
	}
	if got := Dotenv([]byte("a_b_stdout=1\n"), []Step{gave("a-b", "stdout", "2"), gave("c", "stdout", "3")}, all); string(got) != "a_b_stdout=1\nc_stdout=3\n" {
		t.Errorf("a later call: %q", got)
	}
}

// TestDotenvKeepsToTheBounds: whatever is given, over however many calls.
func TestDotenvKeepsToTheBounds(t *testing.T) {
	var report []byte
	for i := range 40 {
		report = Dotenv(report, []Step{gave(fmt.Sprint("step-", i), "stdout", strings.Repeat("x", i*31))}, all)
	}
	if lines := strings.Count(string(report), "\n"); len(report) > mostDotenv || lines > mostVariables || lines < 15 {
		t.Errorf("%d bytes, %d variables", len(report), lines)
	}
	if got := Dotenv(nil, []Step{gave("long", "stdout", strings.Repeat("x", mostDotenv)), gave("short", "stdout", "x")}, all); string(got) != "short_stdout=x\n" {
		t.Errorf("%d bytes", len(got))
	}
}
