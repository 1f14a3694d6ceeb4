// The board: which deployment is the last of ours, and when we make one.
package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

var board = Board{Repo: repo, Environment: "production", Key: key, RunID: 500}

func deployed(id int, commit, environment string, p any) object {
	return object{"id": id, "sha": commit, "environment": environment, "payload": p}
}

func status(state string, run int) object {
	return object{"state": state, "log_url": fmt.Sprintf("https://github.com/acme/flows/actions/runs/%d/job/77", run)}
}

// done is the status that a deploy of a commit ends with.
func done(b Board, commit string) object {
	s := status("success", 400)
	s["description"] = "3 created" + b.sign(commit)
	return s
}

func TestLastDeployed(t *testing.T) {
	text, _ := json.Marshal(payload{toolName, key, 400})
	mine, others := payload{toolName, key, 400}, payload{toolName, Key("", []string{"other.yaml"}, "production"), 401}
	signed, staging, other, elsewhere := board, board, board, board
	signed.PlanKey, staging.Environment, other.Key, elsewhere.Repo = "k", "staging", Key("", []string{"other.yaml"}, "production"), Repo{"acme", "other"}
	cases := []struct {
		name    string
		prepare func(f *fake)
		want    string
		board   *Board
	}{
		{"none", func(*fake) {}, "", nil},
		{"the newest success; a later failure and a run in progress do not count", func(f *fake) {
			f.board.Deployments = []object{deployed(4, sha(4), "production", mine), deployed(3, sha(3), "production", mine), deployed(2, sha(2), "production", mine), deployed(1, sha(1), "production", mine)}
			f.board.Statuses = map[int][]object{4: {status("in_progress", 404)}, 3: {status("failure", 403)}, 2: {done(board, sha(2))}, 1: {done(board, sha(1))}}
		}, sha(2), nil},
		{"inactive now, success once", func(f *fake) {
			f.board.Deployments = []object{deployed(2, sha(2), "production", mine)}
			f.board.Statuses[2] = []object{status("inactive", 0), done(board, sha(2)), status("in_progress", 402)}
		}, sha(2), nil},
		{"the payload as a text", func(f *fake) {
			f.board.Deployments = []object{deployed(2, sha(2), "production", string(text))}
			f.board.Statuses[2] = []object{done(board, sha(2))}
		}, sha(2), nil},
		{"another environment and another set of files", func(f *fake) {
			f.board.Deployments = []object{deployed(3, sha(3), "staging", mine), deployed(2, sha(2), "production", others)}
			f.board.Statuses = map[int][]object{3: {done(staging, sha(3))}, 2: {done(other, sha(2))}}
		}, "", nil},
		{"a job's own environment: a deploy's counts", func(f *fake) {
			f.board.Deployments = []object{deployed(3, sha(3), "production", object{}), deployed(2, sha(2), "production", "")}
			f.board.Statuses = map[int][]object{3: {done(other, sha(3))}, 2: {status("success", 402), done(board, sha(2))}}
		}, sha(2), nil},
		{"a job's own environment: one that only planned does not, of a pull request or of a push, nor one beside a refused deploy in this very run", func(f *fake) {
			d := deployed(3, sha(3), "production", nil)
			d["ref"] = "refs/pull/7/merge"
			f.board.Deployments = []object{deployed(4, sha(4), "production", nil), d, deployed(2, sha(2), "production", nil)}
			f.board.Statuses = map[int][]object{4: {status("success", 500)}, 3: {status("success", 403)}, 2: {status("success", 402)}}
		}, "", nil},
		{"the sign of another commit, another repository, and one made without the key", func(f *fake) {
			f.board.Deployments = []object{deployed(4, sha(4), "production", mine), deployed(3, sha(3), "production", mine), deployed(2, sha(2), "production", mine), deployed(1, sha(1), "production", mine)}
			e := elsewhere
			e.PlanKey = "k"
			f.board.Statuses = map[int][]object{4: {done(signed, sha(1))}, 3: {done(e, sha(3))}, 2: {done(board, sha(2))}, 1: {done(signed, sha(1))}}
		}, sha(1), &signed},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t)
			tc.prepare(f)
			b := board
			if tc.board != nil {
				b = *tc.board
			}
			got, err := LastDeployed(context.Background(), f.client(nil), b)
			if err != nil || got != tc.want {
				t.Errorf("%q %v, want %q", got, err, tc.want)
			}
		})
	}
}

// What can't be read is not known: never an older commit in its place.
func TestLastDeployedRefused(t *testing.T) {
	for _, path := range []string{"/deployments", "/deployments/3/statuses"} {
		f := newFake(t)
		f.board.Deployments = []object{deployed(3, sha(3), "production", nil), deployed(2, sha(2), "production", payload{toolName, key, 1})}
		f.board.Statuses = map[int][]object{3: {status("success", 403)}, 2: {done(board, sha(2))}}
		f.hook = func(r *http.Request, _ string) *reply {
			if strings.HasSuffix(r.URL.Path, path) {
				return &reply{403, nil, `{"message":"Resource not accessible by integration"}`}
			}
			return nil
		}
		got, err := LastDeployed(context.Background(), f.client(nil), board)
		if u := unavailable(t, err); got != "" || !strings.Contains(u.Hint, "permissions:\n      deployments: read") {
			t.Errorf("%s: %q %v", path, got, u)
		}
	}
}

const runPage = "https://github.com/acme/flows/actions/runs/500"

func TestSetStatus(t *testing.T) {
	f := newFake(t)
	set := func(state string, want Action) {
		t.Helper()
		got, err := SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: state, Description: strings.Repeat("ü", 200), LogURL: runPage})
		if err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", state, got, err, want)
		}
	}
	f.board.Deployments = []object{deployed(1, headA, "production", payload{toolName, key, 499}), deployed(2, headA, "docs", nil)}
	f.board.Statuses = map[int][]object{1: {status("success", 499)}, 2: {status("success", 5001)}}
	set("in_progress", Created)
	set("success", Updated)
	if len(f.board.Deployments) != 3 {
		t.Fatalf("%d deployments", len(f.board.Deployments))
	}
	made := f.board.Deployments[0]
	request := made["request"].(object)
	if request["auto_merge"] != false || fmt.Sprint(request["required_contexts"]) != "[]" || request["ref"] != headA {
		t.Errorf("%v", request)
	}
	s := f.board.Statuses[made["id"].(int)]
	if len(s) != 2 || s[0]["state"] != "success" || s[0]["log_url"] != runPage || len([]rune(s[0]["description"].(string))) != 140 {
		t.Errorf("%v", s)
	}
	if got, err := LastDeployed(context.Background(), f.client(nil), board); err != nil || got != headA {
		t.Errorf("%q %v", got, err)
	}
}

// A job with an `environment:` has its deployment from GitHub already.
func TestSetStatusLeavesTheJobsOwn(t *testing.T) {
	f := newFake(t)
	f.board.Deployments = []object{deployed(2, headA, "prod-eu", nil)}
	f.board.Statuses[2] = []object{status("in_progress", 500)}
	for _, state := range []string{"in_progress", "failure"} {
		got, err := SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: state, LogURL: runPage})
		if err != nil || got != None || f.writes != 0 {
			t.Errorf("%s: %s %v, %d writes", state, got, err, f.writes)
		}
	}
	// The success is added to it: that the job deployed, and did not only plan, is in no word of GitHub's.
	f.board.Deployments[0]["environment"] = "production"
	got, err := SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: "success", LogURL: runPage})
	if err != nil || got != Updated || len(f.board.Deployments) != 1 {
		t.Errorf("%s %v, %d deployments", got, err, len(f.board.Deployments))
	}
	if last, err := LastDeployed(context.Background(), f.client(nil), board); err != nil || last != headA {
		t.Errorf("%q %v", last, err)
	}
}

// A deployment whose making was answered badly is found again, not made twice.
func TestSetStatusAnsweredBadly(t *testing.T) {
	f := newFake(t)
	failed := false
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method != http.MethodPost || failed || !strings.HasSuffix(r.URL.Path, "/deployments") {
			return nil
		}
		failed = true
		f.mu.Lock()
		f.board.Deployments = []object{deployed(1, headA, "production", payload{toolName, key, 500})}
		f.mu.Unlock()
		return &reply{status: 502}
	}
	got, err := SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: "success", LogURL: runPage})
	if err != nil || got != Updated || len(f.board.Deployments) != 1 {
		t.Errorf("%s %v %v", got, err, f.board.Deployments)
	}
}

func TestSetStatusRefused(t *testing.T) {
	f := newFake(t)
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method == http.MethodPost {
			return &reply{403, nil, `{"message":"Resource not accessible by integration"}`}
		}
		return nil
	}
	_, err := SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: "success", LogURL: runPage})
	if u := unavailable(t, err); !strings.Contains(u.Hint, "permissions:\n      deployments: write") {
		t.Errorf("%v", u)
	}
	_, err = SetStatus(context.Background(), f.client(nil), board, Status{SHA: headA, State: "success", LogURL: "https://github.com/acme/flows/actions/runs/501"})
	unavailable(t, err)
}
