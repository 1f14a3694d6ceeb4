//go:build real

// What stands in front of the emulator. It makes the token of a job of it (GITHUB_TOKEN is refused on /user, and a fork's on every write), answers what the emulator
// does not know (deployments, a commit's pull requests, the content of artifacts), and gives the emulator's commits the names that they have in a real repository of the
// test: the commits that the emulator makes are nobody's, while a job has one checked out.
package forgetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// The login under which a job's token writes, and what GitHub says to those that may not.
const (
	ActionsBot = "github-actions[bot]"
	notAllowed = "Resource not accessible by integration"
)

// Front is a GitHub with one repository for jobs to speak to.
type Front struct {
	// URL is the API's address, Repo the repository's, below it.
	URL, Repo string
	// Token is a job's; ReadOnly is the one of a fork's job.
	Token, ReadOnly string
	// Board holds the deployments; Runs the workflow runs by id, and Archives their artifacts (zip) by run and then name.
	Board    *Board
	Runs     map[int64]Object
	Archives map[int64]map[string][]byte

	t              *testing.T
	emulator, path string
	mu             sync.Mutex
	names          [][2]string // ours, the emulator's
	requests       []string
}

// NewFront stands before the emulator at the address; path is /repos/OWNER/NAME. token is known to the emulator as ActionsBot's.
func NewFront(t *testing.T, emulator, path, token string) *Front {
	f := &Front{t: t, Token: token, ReadOnly: "read-only-" + token, Board: NewBoard(), Runs: map[int64]Object{}, Archives: map[int64]map[string][]byte{}, emulator: emulator, path: path}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.URL, f.Repo = s.URL, s.URL+path
	return f
}

// Same makes a commit of the emulator's known by the name that the same one has in a repository of git.
func (f *Front) Same(ours, emulated string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = append(f.names, [2]string{ours, emulated})
}

// Take gives the jobs' requests since the last time, as METHOD PATH.
func (f *Front) Take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.requests
	f.requests = nil
	return out
}

// translate replaces the names of commits, into the emulator's or back.
func (f *Front) translate(text string, back bool) string {
	for _, n := range f.names {
		if back {
			n[0], n[1] = n[1], n[0]
		}
		text = strings.ReplaceAll(text, n[0], n[1])
	}
	return text
}

// ServeHTTP is http.Handler's.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blob(w, r) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	readOnly := token == f.ReadOnly
	if readOnly {
		token = f.Token
	}
	if token == f.Token {
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		if f.asJob(w, r, body, readOnly) {
			return
		}
	}
	f.pass(w, r, body, token)
}

// asJob answers what the emulator does not know or would allow.
func (f *Front) asJob(w http.ResponseWriter, r *http.Request, body []byte, readOnly bool) bool {
	path, inside := strings.CutPrefix(r.URL.Path, f.path+"/")
	switch {
	case r.URL.Path == "/graphql":
		Say(w, http.StatusOK, Object{"data": Object{"viewer": Object{"login": ActionsBot}}})
		return true
	case r.URL.Path == "/user", readOnly && r.Method != http.MethodGet:
		Say(w, http.StatusForbidden, Object{"message": notAllowed})
		return true
	case !inside:
		return false
	}
	if sha, ok := strings.CutPrefix(path, "commits/"); ok && strings.HasSuffix(sha, "/pulls") {
		f.pullsOf(w, r, strings.TrimSuffix(sha, "/pulls"))
		return true
	}
	var in Object
	_ = json.Unmarshal(body, &in)
	return f.Board.Serve(w, r, f.URL, path, in) || f.run(w, path)
}

// run answers for the runs that the test told of, and for their artifacts.
func (f *Front) run(w http.ResponseWriter, path string) bool {
	var id int64
	rest := ""
	if n, _ := fmt.Sscanf(path, "actions/runs/%d%s", &id, &rest); n > 0 && f.Runs[id] != nil {
		if rest == "" {
			Say(w, http.StatusOK, f.Runs[id])
			return true
		}
		list := []Object{}
		for name, data := range f.Archives[id] {
			list = append(list, Object{"id": id, "name": name, "size_in_bytes": len(data), "expired": false})
		}
		Say(w, http.StatusOK, Object{"total_count": len(list), "artifacts": list})
		return true
	}
	if n, _ := fmt.Sscanf(path, "actions/artifacts/%d/zip", &id); n == 1 && len(f.Archives[id]) > 0 {
		w.Header().Set("Location", fmt.Sprintf("%s/blob/%d", f.URL, id))
		w.WriteHeader(http.StatusFound)
		return true
	}
	return false
}

// blob gives the content of a run's artifact, to whoever knows its address, as the storage behind GitHub does.
func (f *Front) blob(w http.ResponseWriter, r *http.Request) bool {
	var id int64
	if n, _ := fmt.Sscanf(r.URL.Path, "/blob/%d", &id); n != 1 {
		return false
	}
	if r.Header.Get("Authorization") != "" {
		f.t.Error("the token went to the archive's host")
	}
	for _, data := range f.Archives[id] {
		w.Header().Set("Content-Type", "application/zip")
		_, _ = w.Write(data)
	}
	return true
}

// pullsOf are the pull requests whose merge made the commit.
func (f *Front) pullsOf(w http.ResponseWriter, r *http.Request, sha string) {
	_, answer, err := f.ask(http.MethodGet, f.path+"/pulls?state=all&per_page=100", f.Token, "", nil)
	var all, of []Object
	if err == nil {
		err = json.Unmarshal(answer, &all)
	}
	if err != nil {
		Say(w, http.StatusBadGateway, Object{"message": err.Error()})
		return
	}
	for _, pr := range all {
		if pr["merge_commit_sha"] == sha {
			of = append(of, pr)
		}
	}
	Page(w, r, f.URL, len(of), func(i int) any { return of[i] })
}

func (f *Front) pass(w http.ResponseWriter, r *http.Request, body []byte, token string) {
	resp, answer, err := f.ask(r.Method, r.URL.RequestURI(), token, r.Header.Get("Content-Type"), body)
	if err != nil {
		Say(w, http.StatusBadGateway, Object{"message": err.Error()})
		return
	}
	for _, name := range []string{"Content-Type", "Link"} {
		if v := resp.Header.Get(name); v != "" {
			w.Header().Set(name, strings.ReplaceAll(v, f.emulator, f.URL))
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// ask asks the emulator in its own names and gives the answer in ours.
func (f *Front) ask(method, uri, token, kind string, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequest(method, f.emulator+f.translate(uri, false), bytes.NewReader([]byte(f.translate(string(body), false))))
	if err != nil {
		return nil, nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, []byte(f.translate(string(answer), true)), err
}
