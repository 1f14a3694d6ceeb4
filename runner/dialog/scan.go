// Finding the flows of a project: every Python file of the tree that has the word "flow" in it is read, without running Python, side by side. What nobody deploys from is
// passed over: hidden folders, environments, and what .gitignore and .prefectignore name. A tree can be a home directory by mistake, so the number of files is bounded.
package dialog

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	ignore "github.com/sabhiram/go-gitignore"

	"github.com/org/prefect-deploy-action/compiler/flow"
)

const (
	// mostFiles is how many Python files are looked at, mostFolders how many folders.
	mostFiles   = 10_000
	mostFolders = 20_000
	// largest is the size of a file from which on it is passed over: nobody wrote it by hand.
	largest = 4 << 20
)

// Flows finds the flows below a directory, sorted by file and in each by place. cut says that there were more files than are looked at. passOver are patterns as in .gitignore that count
// as if the directory had them.
func Flows(ctx context.Context, dir string, passOver ...string) (found []*flow.Flow, cut bool) {
	all := Scan(ctx, dir, passOver...)
	return all.Flows, all.Cut
}

// Found is what a tree holds.
type Found struct {
	Flows []*flow.Flow
	// Refused are flows and files of them that Prefect would refuse.
	Refused []*flow.Problem
	Cut     bool
}

// Scan is Flows, with what is wrong with others.
func Scan(ctx context.Context, dir string, passOver ...string) (found Found) {
	s := &scan{ctx: ctx, dir: dir}
	rules := above(dir)
	if len(passOver) > 0 {
		rules = append(rules, rule{".", "", ignore.CompileIgnoreLines(passOver...)})
	}
	s.walk(".", rules)
	loader := flow.NewLoader(os.DirFS(dir))
	results := make([]Found, len(s.files))
	work := make(chan int)
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0)*2, 16) {
		all.Go(func() {
			for i := range work {
				if src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.files[i]))); err == nil && bytes.Contains(src, []byte("flow")) {
					results[i].Flows, results[i].Refused = loader.List(s.files[i])
					if !bytes.Contains(src, []byte("prefect")) { // somebody else's word
						results[i].Refused = nil
					}
				}
			}
		})
	}
	for i := range s.files {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	all.Wait()
	for _, r := range results {
		found.Flows, found.Refused = append(found.Flows, r.Flows...), append(found.Refused, r.Refused...)
	}
	found.Cut = s.cut
	return found
}

type scan struct {
	ctx     context.Context
	dir     string
	files   []string
	folders int
	cut     bool
}

// rule is what an ignore file says of the paths below its folder.
type rule struct {
	folder string
	// inner is the way from its folder to the directory, "" unless it stands above that.
	inner  string
	ignore *ignore.GitIgnore
}

// above are the rules that the repository has above a directory. One that the directory itself falls under is left out: whoever works there means it.
func above(dir string) (out []rule) {
	inner := ""
	for d := dir; ; d = filepath.Dir(d) {
		if inner != "" {
			if g, err := ignore.CompileIgnoreFile(filepath.Join(d, ".gitignore")); err == nil && !g.MatchesPath(inner) {
				out = append(out, rule{".", inner, g})
			}
		}
		if _, err := os.Stat(filepath.Join(d, ".git")); err == nil {
			return out
		}
		if d == filepath.Dir(d) {
			return nil // no repository
		}
		inner = filepath.Base(d) + "/" + inner
	}
}

func (s *scan) walk(folder string, rules []rule) {
	if s.folders++; s.folders > mostFolders || len(s.files) >= mostFiles || s.ctx.Err() != nil {
		s.cut = true
		return
	}
	here := filepath.Join(s.dir, filepath.FromSlash(folder))
	entries, err := os.ReadDir(here)
	if err != nil {
		return // a folder that can't be read has nothing to offer
	}
	for _, name := range []string{".gitignore", ".prefectignore"} {
		if g, err := ignore.CompileIgnoreFile(filepath.Join(here, name)); err == nil {
			rules = append(rules[:len(rules):len(rules)], rule{folder, "", g})
		}
	}
	var inner []string
	for _, e := range entries {
		at := path.Join(folder, e.Name())
		switch {
		case (e.Name() == "pyvenv.cfg" || e.Name() == "conda-meta") && folder != ".":
			return // an environment
		case e.IsDir() && !passedOver(e.Name()) && !ignored(rules, at+"/"):
			inner = append(inner, at)
		case !e.IsDir() && strings.HasSuffix(e.Name(), ".py") && !ignored(rules, at) && s.small(e):
			if len(s.files) >= mostFiles {
				s.cut = true
				return
			}
			s.files = append(s.files, at)
		}
	}
	for _, f := range inner {
		s.walk(f, rules)
	}
}

func (s *scan) small(e os.DirEntry) bool {
	info, err := e.Info()
	return err == nil && info.Size() <= largest
}

func passedOver(folder string) bool {
	return strings.HasPrefix(folder, ".") || folder == "__pycache__" || folder == "node_modules" || folder == "site-packages"
}

func ignored(rules []rule, at string) bool {
	for _, r := range rules {
		rel := at
		if r.folder != "." {
			rel = strings.TrimPrefix(at, r.folder+"/")
		}
		if r.ignore.MatchesPath(r.inner + rel) {
			return true
		}
	}
	return false
}
