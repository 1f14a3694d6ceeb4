// Which pull requests a range brought in, for each way to merge.
package forge

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// sha makes a commit's name of a number.
func sha(n int) string { return fmt.Sprintf("%040x", n) }

func ranged(n int, parents ...int) object {
	list := []object{}
	for _, p := range parents {
		list = append(list, object{"sha": sha(p)})
	}
	return object{"sha": sha(n), "parents": list}
}

// came is a pull request that was merged by commit n, at the minute of its number.
func came(number, n int) object {
	return object{"number": number, "state": "closed", "merged_at": fmt.Sprintf("2026-11-24T10:%02d:00Z", number%60), "merge_commit_sha": sha(n),
		"head": object{"sha": sha(9000 + number)}, "base": object{"ref": "main", "repo": object{"full_name": "acme/flows"}}}
}

func numbers(m Merged) []int {
	var out []int
	for _, pr := range m.PullRequests {
		out = append(out, pr.Number)
	}
	return out
}

func TestPullRequestsOf(t *testing.T) {
	open := came(50, 0)
	delete(open, "merged_at")
	elsewhere := came(51, 0)
	elsewhere["base"].(object)["repo"].(object)["full_name"] = "other/flows"
	cases := []struct {
		name    string
		prepare func(f *fake)
		want    []int
		lookups int
	}{
		{"merge, squash and rebase, each found once", func(f *fake) {
			// 1 ← 2 ← 3 merged by 4 (#11); 5 squashed (#12); 6, 7 rebased (#13); 8 pushed by hand
			f.compare = []object{ranged(2, 1), ranged(3, 2), ranged(4, 1, 3), ranged(5, 4), ranged(6, 5), ranged(7, 6), ranged(8, 7)}
			for n, pr := range map[int]object{2: came(11, 4), 3: came(11, 4), 4: came(11, 4), 5: came(12, 5), 6: came(13, 7), 7: came(13, 7)} {
				f.of[sha(n)] = []object{pr}
			}
		}, []int{11, 12, 13}, 7},
		{"squashes are known from the list alone", func(f *fake) {
			f.compare = []object{ranged(2, 1), ranged(3, 2)}
			f.closed = []object{came(12, 3), came(11, 2), came(10, 1), open}
		}, []int{11, 12}, 0},
		{"a branch that is not the default one", func(f *fake) { // the answer for a commit is empty there
			f.compare = []object{ranged(2, 1), ranged(3, 2)}
			f.closed = []object{came(12, 3)}
		}, []int{12}, 1},
		{"open ones and those of other repositories are none", func(f *fake) {
			f.compare = []object{ranged(2, 1)}
			f.of[sha(2)] = []object{open, elsewhere, came(11, 2)}
			f.closed = []object{open, elsewhere}
		}, []int{11}, 1},
		{"in the order of their merges", func(f *fake) {
			f.compare = []object{ranged(2, 1), ranged(3, 2)}
			f.closed = []object{came(9, 3), came(30, 2)}
		}, []int{9, 30}, 0},
		{"nothing", func(f *fake) {}, nil, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t)
			tc.prepare(f)
			m, err := PullRequestsOf(context.Background(), f.client(nil), repo, sha(1), sha(len(f.compare)+1))
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(m); !slices.Equal(got, tc.want) || m.NotExamined != 0 || m.Commits != len(f.compare) {
				t.Errorf("%v of %d commits (%d not examined), want %v", got, m.Commits, m.NotExamined, tc.want)
			}
			if got := asked(f); got != tc.lookups {
				t.Errorf("%d look-ups, want %d", got, tc.lookups)
			}
		})
	}
}

func asked(f *fake) (n int) {
	for _, r := range f.requests {
		if strings.Contains(r, "/commits/") {
			n++
		}
	}
	return n
}

func TestRangeIsBounded(t *testing.T) {
	f := newFake(t)
	for n := 2; n <= 1500; n++ {
		f.compare = append(f.compare, ranged(n, n-1))
		f.of[sha(n)] = []object{came(n, n)}
	}
	m, err := PullRequestsOf(context.Background(), f.client(nil), repo, sha(1), sha(1500))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.PullRequests)+m.NotExamined != 1499 || m.Commits != 1499 || len(f.requests) > 300 {
		t.Errorf("%d found, %d not examined of %d, in %d requests", len(m.PullRequests), m.NotExamined, m.Commits, len(f.requests))
	}
}

// A slow GitHub costs commits that are not examined, and they are counted.
func TestRangeOnASlowServer(t *testing.T) {
	f := newFake(t)
	for n := 2; n <= 101; n++ {
		f.compare = append(f.compare, ranged(n, n-1))
	}
	c, now := f.client(nil), noon
	c.now = func() time.Time { now = now.Add(10 * time.Second); return now }
	m, err := PullRequestsOf(context.Background(), c, repo, sha(1), sha(101))
	if err != nil || m.Commits != 100 || m.NotExamined == 0 || m.NotExamined+asked(f) != 100 {
		t.Errorf("%+v %v after %d look-ups", m, err, asked(f))
	}
}

func TestRangeWithoutBase(t *testing.T) {
	for _, base := range []string{"", strings.Repeat("0", 40)} {
		f := newFake(t)
		f.of[sha(5)] = []object{came(11, 5)}
		m, err := PullRequestsOf(context.Background(), f.client(nil), repo, base, sha(5))
		if err != nil || !slices.Equal(numbers(m), []int{11}) {
			t.Errorf("%v %v", m, err)
		}
	}
	f := newFake(t)
	for _, bad := range [][2]string{{"main", sha(2)}, {sha(1), ""}, {sha(1), "../../x"}, {"", "HEAD"}} {
		_, err := PullRequestsOf(context.Background(), f.client(nil), repo, bad[0], bad[1])
		unavailable(t, err)
	}
	if len(f.requests) > 0 {
		t.Errorf("%v", f.requests)
	}
}

func TestRangeRefused(t *testing.T) {
	for _, path := range []string{"/compare/", "/pulls", "/commits/"} {
		f := newFake(t)
		f.compare = []object{ranged(2, 1)}
		f.hook = func(r *http.Request, _ string) *reply {
			if strings.Contains(r.URL.Path, path) {
				return &reply{403, nil, `{"message":"Resource not accessible by integration"}`}
			}
			return nil
		}
		_, err := PullRequestsOf(context.Background(), f.client(nil), repo, sha(1), sha(2))
		if u := unavailable(t, err); !strings.Contains(u.Hint, "pull-requests: read") {
			t.Errorf("%v", u)
		}
	}
}
