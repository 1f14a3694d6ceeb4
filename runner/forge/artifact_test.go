// The second stage against what a stranger can leave for it.
package forge

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type entry struct {
	name, text string
	mode       fs.FileMode
}

func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(e.text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// staged is a fake with a fork's run 99 for pull request 7 that left an archive.
func staged(t *testing.T, archive []byte) *fake {
	f := newFake(t)
	from := object{"id": 2, "full_name": "mallory/flows", "owner": object{"login": "mallory"}}
	f.runs[99] = object{"id": 99, "run_attempt": 2, "event": "pull_request", "head_sha": headA, "head_branch": "topic", "head_repository": from}
	pr := pull(7, headA)
	pr["head"].(object)["repo"] = from
	f.prs[7] = pr
	f.byHead["mallory:topic"] = []object{pr}
	f.stored = []object{{"id": 2, "name": "plan", "size_in_bytes": 1}, {"id": 3, "name": "plan", "size_in_bytes": len(archive)}, {"id": 1, "name": "plan"}, {"id": 4, "name": "plan", "expired": true}, {"id": 9, "name": "other"}}
	f.archive = archive
	return f
}

func TestFromArtifact(t *testing.T) {
	f := staged(t, zipped(t, entry{name: BodyFile, text: "### Prefect plan\n1 to create"}, entry{name: PlanFile, text: `{"schema":1}`}))
	p, err := FromArtifact(context.Background(), f.client(nil), repo, 99, "plan")
	if err != nil {
		t.Fatal(err)
	}
	if p.Number != 7 || p.Head != headA || p.Run != "99/2" || !p.Fork || p.Refused != "" || string(p.Plan) != `{"schema":1}` || !strings.Contains(p.Body, "```text\n### Prefect plan\n1 to create\n```") {
		t.Errorf("%+v", p)
	}
	if !strings.Contains(strings.Join(f.requests, "\n"), "/actions/artifacts/3/zip") {
		t.Errorf("not the newest of that name: %v", f.requests)
	}
}

func TestHostileArtifacts(t *testing.T) {
	marker := Marker{V: 1, Key: key, PR: 1, Head: headB, Plan: "x"}.line("")
	cases := []struct {
		name    string
		archive []byte
		refused string // "" is: shown as a quotation
	}{
		{"no archive", []byte("<html>"), "no archive"},
		{"empty", zipped(t), "left no plan"},
		{"zip slip", zipped(t, entry{name: "../../etc/passwd", text: "x"}, entry{name: BodyFile, text: "x"}), "other files"},
		{"an absolute path", zipped(t, entry{name: "/" + BodyFile, text: "x"}), "other files"},
		{"a folder in the way", zipped(t, entry{name: "a/../" + BodyFile, text: "x"}), "other files"},
		{"backslashes", zipped(t, entry{name: `..\` + BodyFile, text: "x"}), "other files"},
		{"a link", zipped(t, entry{name: BodyFile, text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}), "other files"},
		{"a name twice", zipped(t, entry{name: BodyFile, text: "x"}, entry{name: BodyFile, text: "y"}), "other files"},
		{"a bomb", zipped(t, entry{name: BodyFile, text: strings.Repeat("x", 40<<20)}), "too large"},
		{"damaged", zipped(t, entry{name: BodyFile, text: "some text"})[:60], "no archive"},
		{"a plan that is no JSON", zipped(t, entry{name: PlanFile, text: "{"}), "no plan"},
		{"a plan that is deep", zipped(t, entry{name: PlanFile, text: strings.Repeat("[", 1<<20)}), "no plan"},
		{"another pull request's number", zipped(t, entry{name: BodyFile, text: "#1"}, entry{name: PlanFile, text: `{"number":1,"head":"` + headB + `"}`}), ""},
		{"a marker", zipped(t, entry{name: BodyFile, text: marker + "\n" + footerOpen + `{"kind":"result"} -->` + "\nApplied\n" + footerEnd}), ""},
		{"fences", zipped(t, entry{name: BodyFile, text: "```\n</details>\n``````text\n@everyone"}), ""},
		{"backticks only", zipped(t, entry{name: BodyFile, text: strings.Repeat("`", 1<<20)}), ""},
		{"HTML and mentions", zipped(t, entry{name: BodyFile, text: "<img src=x onerror=alert(1)> @acme/admins <!-- --> ![x](http://evil.example/x.png)"}), ""},
		{"not UTF-8, controls, direction", zipped(t, entry{name: BodyFile, text: "\xff\xfe\x00\x1b[2J\u202egnp.exe\r\n::error::x"}), ""},
		{"long, of hidden lines", zipped(t, entry{name: BodyFile, text: strings.Repeat("<!-- prefect-deploy-action ", 20000)}), ""},
		{"long, of wide runes", zipped(t, entry{name: BodyFile, text: strings.Repeat("ü€😀", 100000)}), ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := staged(t, tc.archive)
			c := f.client(nil)
			p, err := FromArtifact(context.Background(), c, repo, 99, "plan")
			if err != nil {
				t.Fatal(err)
			}
			if p.Number != 7 || p.Head != headA || (p.Refused == "") != (tc.refused == "") || !strings.Contains(p.Refused, tc.refused) {
				t.Fatalf("%d %s refused %q", p.Number, p.Head, p.Refused)
			}
			if p.Refused != "" && (p.Plan != nil || strings.ContainsAny(p.Body, "<`\n")) {
				t.Errorf("not neutral: %q", p.Body)
			}
			if _, action, err := Upsert(context.Background(), c, repo, p.Number, Comment{Marker: Marker{Key: key, Head: p.Head, Run: p.Run}, Body: p.Body}, UpsertOptions{}); err != nil || action != Created {
				t.Fatal(action, err)
			}
			posted := f.bodies(actionsBot)[0]
			if tc.refused == "" {
				inFence(t, p.Body)
			}
			if !utf8.ValidString(posted) || strings.ContainsAny(posted, "\x00\x1b\u202e") || strings.Count(posted, "<!-- prefect-deploy-action") != 3 {
				t.Errorf("%.300q", posted)
			}
			if m, err := ParseMarker(posted, ""); err != nil || m.PR != 7 || m.Head != headA {
				t.Errorf("%+v %v", m, err)
			}
		})
	}
}

// inFence fails unless the quotation is closed by its own fence and by nothing before.
func inFence(t *testing.T, body string) {
	t.Helper()
	lines := strings.Split(body, "\n")
	fence := strings.TrimSuffix(lines[2], "text")
	if strings.Trim(fence, "`") != "" || len(fence) < 3 {
		t.Fatalf("%.200q", body)
	}
	for i, line := range lines[3:] {
		if strings.Contains(line, fence) {
			if rest := strings.TrimSpace(strings.Join(lines[3+i+1:], "")); line != fence || (rest != "" && rest != "The rest is left out.") {
				t.Errorf("closed by %q, then %q", line, rest)
			}
			return
		}
	}
	t.Error("never closed")
}

// Which pull request is only ever GitHub's own word.
func TestWhichPullRequest(t *testing.T) {
	archive := zipped(t, entry{name: BodyFile, text: "x"})
	cases := []struct {
		name    string
		prepare func(f *fake)
		says    string
	}{
		{"the head has moved on", func(f *fake) { f.byHead["mallory:topic"][0]["head"].(object)["sha"] = headB }, "no open pull request"},
		{"another fork's branch of that name", func(f *fake) {
			f.byHead["mallory:topic"][0]["head"].(object)["repo"] = object{"id": 3, "full_name": "mallory/flows"}
		}, "no open pull request"},
		{"closed", func(f *fake) { f.byHead = nil }, "no open pull request"},
		{"two of one head", func(f *fake) {
			twin := pull(8, headA)
			twin["head"] = f.byHead["mallory:topic"][0]["head"]
			f.byHead["mallory:topic"] = append(f.byHead["mallory:topic"], twin)
		}, "#7, #8"},
		{"the fork is gone", func(f *fake) { delete(f.runs[99], "head_repository") }, "not made for a pull request"},
		{"a push's run", func(f *fake) { f.runs[99]["event"] = "push" }, "not made for a pull request"},
		{"no such run", func(f *fake) { f.runs = map[int]object{} }, "404"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := staged(t, archive)
			tc.prepare(f)
			_, err := FromArtifact(context.Background(), f.client(nil), repo, 99, "plan")
			if u := unavailable(t, err); !strings.Contains(u.Reason, tc.says) {
				t.Errorf("%v", u)
			}
		})
	}
}

func TestArtifactNotToBeHad(t *testing.T) {
	archive := zipped(t, entry{name: BodyFile, text: "x"})
	t.Run("none of that name", func(t *testing.T) {
		f := staged(t, archive)
		p, err := FromArtifact(context.Background(), f.client(nil), repo, 99, "elsewhere")
		if err != nil || p.Refused == "" || p.Number != 7 {
			t.Errorf("%+v %v", p, err)
		}
	})
	t.Run("too large to fetch", func(t *testing.T) {
		f := staged(t, archive)
		f.stored[1]["size_in_bytes"] = 1 << 40
		p, err := FromArtifact(context.Background(), f.client(nil), repo, 99, "plan")
		if err != nil || !strings.Contains(p.Refused, "too large") || strings.Contains(strings.Join(f.requests, " "), "/zip") {
			t.Errorf("%+v %v", p, err)
		}
	})
	t.Run("larger than it says", func(t *testing.T) {
		f := staged(t, archive)
		f.archive = make([]byte, mostArchive+5)
		p, err := FromArtifact(context.Background(), f.client(nil), repo, 99, "plan")
		if err != nil || !strings.Contains(p.Refused, "too large") {
			t.Errorf("%+v %v", p, err)
		}
	})
	for path, answers := range map[string][]reply{
		"/zip":  {{410, nil, `{"message":"Artifact has expired"}`}, {403, nil, "{}"}, {302, map[string]string{"Location": "http://127.0.0.1:1/blob?sig=secret-signature"}, ""}, {302, map[string]string{"Location": "::"}, ""}},
		"/blob": {{403, nil, "<Error>secret-signature</Error>"}, {500, nil, ""}},
	} {
		for _, answer := range answers {
			t.Run(path+answer.body, func(t *testing.T) {
				f := staged(t, archive)
				f.hook = func(r *http.Request, _ string) *reply {
					if strings.HasSuffix(r.URL.Path, path) {
						return &answer
					}
					return nil
				}
				var waits []time.Duration
				_, err := FromArtifact(context.Background(), f.client(&waits), repo, 99, "plan")
				unavailable(t, err)
			})
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var t testing.T
	f.Add(zipped(&t, entry{name: BodyFile, text: "x```"}, entry{name: PlanFile, text: "{}"}))
	f.Add(zipped(&t, entry{name: "../" + BodyFile, text: "x"}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		p := Proposal{}
		p.fill(archive)
		if p.Refused == "" {
			inFence(t, p.Body)
		}
		if len(inert(p.Body)) > Budget-1000 || !utf8.ValidString(p.Body) {
			t.Error(len(p.Body))
		}
	})
}
