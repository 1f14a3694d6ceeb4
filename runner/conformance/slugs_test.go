//go:build real

// Slugs given by hand, and slugs that the file dropped since its base: what a real server holds afterwards.
package conformance

import (
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// cron is a schedule as the file writes it; an empty slug is none.
func cron(slug, line string) object {
	s := object{"cron": line, "timezone": "UTC"}
	if slug != "" {
		s["slug"] = slug
	}
	return s
}

// scheduled is a file of one deployment with these schedules.
func scheduled(schedules ...any) string {
	return text(object{"deployments": []any{object{"name": "d", "entrypoint": "flow.py:hello", "work_pool": object{"name": "pool"}, "schedules": schedules}}})
}

// held are the schedules of the only deployment: slug, cron line, and off.
func (a api) held(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, s := range a.all(t, "/deployments/filter")[0]["schedules"].([]any) {
		s := s.(map[string]any)
		line := strings.TrimSpace(str(s, "slug") + " " + str(s["schedule"].(map[string]any), "cron"))
		if s["active"] != true {
			line += " off"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// TestSlugGivenByHand gives a slug to every schedule of a deployment whose file has none, and switches one off: a deploy takes the slugs away and leaves it off. Prefect's
// own route refuses that (422), so the unslugged ones are added before the slugged ones go.
func TestSlugGivenByHand(t *testing.T) {
	a := server(t)
	a.reset(t)
	a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "prefect.yaml": scheduled(cron("", "0 1 * * *"), cron("", "0 2 * * *"))})
	w.run(t, "deploy")
	d := a.all(t, "/deployments/filter")[0]
	for i, s := range d["schedules"].([]any) {
		s := s.(map[string]any)
		a.call(t, http.MethodPatch, "/deployments/"+str(d, "id")+"/schedules/"+str(s, "id"), object{"slug": []string{"x", "y"}[i], "active": str(s["schedule"].(map[string]any), "cron") != "0 1 * * *"})
	}
	want := map[string][]string{"hello/d": {"update", "schedules[0].slug", "schedules[1].slug"}}
	if got := w.run(t, "plan").paths(); text(got) != text(want) {
		t.Errorf("the plan says %v, want %v", got, want)
	}
	w.run(t, "deploy")
	if got := a.held(t); got != "0 1 * * * off; 0 2 * * *" {
		t.Errorf("the server has %s", got)
	}
	if got := w.run(t, "plan").paths(); len(got) > 0 {
		t.Errorf("afterwards the plan says %v", got)
	}
}

// TestSlugDroppedSinceTheBase: with a base the slug that its file declared goes, and the one that someone made stays.
func TestSlugDroppedSinceTheBase(t *testing.T) {
	a := server(t)
	a.reset(t)
	a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "prefect.yaml": scheduled(cron("a", "0 1 * * *"), cron("b", "0 2 * * *"))})
	w.run(t, "deploy")
	w.commit(t)
	id := str(a.all(t, "/deployments/filter")[0], "id")
	a.call(t, http.MethodPost, "/deployments/"+id+"/schedules", []any{object{"slug": "hand", "active": false, "schedule": object{"cron": "0 3 * * *", "timezone": "UTC"}}})
	w.write(t, "prefect.yaml", scheduled(cron("a", "0 1 * * *")))
	if got := w.run(t, "plan").paths(); len(got) > 0 {
		t.Errorf("without a base the plan says %v", got)
	}
	want := map[string][]string{"hello/d": {"update", "schedules[2]"}}
	if got := w.run(t, "deploy", "--base", "HEAD").paths(); text(got) != text(want) {
		t.Errorf("the deploy says %v, want %v", got, want)
	}
	if got := a.held(t); got != "a 0 1 * * *; hand 0 3 * * * off" {
		t.Errorf("the server has %s", got)
	}
	if got := w.run(t, "plan", "--base", "HEAD").paths(); len(got) > 0 {
		t.Errorf("afterwards the plan says %v", got)
	}
}

// commit makes what stands in the project the base, HEAD.
func (w *workspace) commit(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "a base"}} {
		c := exec.Command("git", args...)
		c.Dir, c.Env = w.project, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}
