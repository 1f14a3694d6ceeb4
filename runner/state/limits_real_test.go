//go:build real

// What limits.go claims of a server, and that a write or a delete of one deployment leaves a limit alone that another shares.
package state

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// limited makes deployments that share a limit of 5, which someone made by hand; own gives each one of its own before.
type limited struct {
	t      *testing.T
	s      *State
	c      *prefect.Client
	names  []Name
	shared string
}

func newLimited(t *testing.T, name string, own bool) *limited {
	t.Helper()
	s, c, _ := realState(t)
	l := &limited{t: t, s: s, c: c, shared: "shared by " + name}
	post(t, plainServer.URL+"/v2/concurrency_limits/", fmt.Sprintf(`{"name":%q,"limit":5}`, l.shared))
	id, err := c.SetLimit(context.Background(), l.shared, value.Of(5))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"one", "two"} {
		fields := `{` + pool + `}`
		if own {
			fields = `{` + pool + `,"concurrency_limit":2}`
		}
		n := Name{"limits " + name, n}
		live := writeOne(t, s, Write{Name: n, Fields: parsed(t, fields)})
		if err := c.UpdateDeployment(context.Background(), live.ID, parsed(t, fmt.Sprintf(`{"global_concurrency_limit_id":%q}`, id))); err != nil {
			t.Fatal(err)
		}
		l.names = append(l.names, n)
	}
	l.expect("attached", 0, "5 "+l.shared)
	l.expect("attached", 1, "5 "+l.shared)
	return l
}

// limit is the number of a deployment, and the name of its limit where it is not its own.
func (l *limited) expect(when string, i int, want string) {
	l.t.Helper()
	live := readOne(l.t, l.s, l.names[i])
	v, _ := live.Fields.Get("concurrency_limit")
	got := string(v.AppendJSON(nil))
	if live.ForeignLimit != "" {
		got += " " + live.ForeignLimit
	}
	if got != want {
		l.t.Errorf("%s: %s has the limit %s, want %s", when, l.names[i], got, want)
	}
}

func (l *limited) write(fields, want string) {
	l.t.Helper()
	written := writeOne(l.t, l.s, Write{Name: l.names[0], Live: readOne(l.t, l.s, l.names[0]), Fields: parsed(l.t, fields)})
	l.expect(fields, 0, want)
	l.expect(fields, 1, "5 "+l.shared)
	if now := readOne(l.t, l.s, l.names[0]); written.ForeignLimit != now.ForeignLimit || !value.Equal(written.Fields, now.Fields) {
		l.t.Errorf("%s: Write returned\n%s %q\nthe server has\n%s %q", fields, written.Fields.AppendJSON(nil), written.ForeignLimit, now.Fields.AppendJSON(nil), now.ForeignLimit)
	}
}

// TestRealClaimsAboutLimits is what Prefect's own requests do.
func TestRealClaimsAboutLimits(t *testing.T) {
	for i, c := range []struct {
		name   string
		do     func(*prefect.Client, *Live) error
		others string
	}{
		{"a number", func(c *prefect.Client, l *Live) error {
			return c.UpdateDeployment(context.Background(), l.ID, parsed(t, `{"concurrency_limit":3}`))
		}, "3 shared by claims 0"},
		{"null", func(c *prefect.Client, l *Live) error {
			return c.UpdateDeployment(context.Background(), l.ID, parsed(t, `{"concurrency_limit":null}`))
		}, "null"},
		{"a delete", func(c *prefect.Client, l *Live) error { return c.DeleteDeployment(context.Background(), l.ID) }, "null"},
	} {
		l := newLimited(t, fmt.Sprint("claims ", i), false)
		if err := c.do(l.c, readOne(t, l.s, l.names[0])); err != nil {
			t.Fatal(err)
		}
		l.expect(c.name+" of one deployment, seen from the other", 1, c.others)
	}
	l := newLimited(t, "claims of its own", true)
	live := readOne(t, l.s, l.names[0])
	if err := l.c.UpdateDeployment(context.Background(), live.ID, parsed(t, `{"global_concurrency_limit_id":null,"concurrency_limit":3}`)); prefect.StatusOf(err) != http.StatusConflict {
		t.Errorf("its own limit stayed behind, and to make it anew: %v", err)
	}
}

// TestRealSharedLimits: ours leave the other deployment's limit as it is.
func TestRealSharedLimits(t *testing.T) {
	for _, own := range []bool{false, true} {
		l := newLimited(t, fmt.Sprint("writes ", own), own)
		l.write(`{"concurrency_limit":5,"concurrency_options":{"collision_strategy":"CANCEL_NEW","grace_period_seconds":null}}`, "5 "+l.shared)
		l.write(`{"concurrency_limit":3,"tags":["a"]}`, "3")
		l.write(`{"concurrency_limit":4}`, "4")
		l.write(`{"concurrency_limit":null}`, "null")
		l.write(`{"concurrency_limit":2}`, "2")
		gone := newLimited(t, fmt.Sprint("null ", own), own)
		gone.write(`{"concurrency_limit":null}`, "null")
		gone.write(`{"concurrency_limit":7}`, "7")
		deleted := newLimited(t, fmt.Sprint("deletes ", own), own)
		if err := deleted.s.Delete(context.Background(), readOne(t, deleted.s, deleted.names[0])); err != nil {
			t.Fatal(err)
		}
		deleted.expect("a delete", 1, "5 "+deleted.shared)
	}
}
