// The keys under x-ci, which only this project reads: their names, and the shape of what stands there. What is wrong is found here, at its line, and not when a platform refuses the emitted pipeline; what gets through can be put
// into a pipeline as it is.
package spec

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// ciKey is a key and the check of its value, which is never null: that counts as unsaid.
type ciKey struct {
	name  string
	check func(c *checker, v value.Value, path string)
}

// ciTop are the keys of x-ci itself, ciGitHub and ciGitLab those of a platform.
func ciTop() []ciKey {
	return []ciKey{
		{"root", oneWord("file")}, {"version", oneWord("always")}, {"pull-directory", oneWord("always")}, {"owner", (*checker).ciText}, {"vars", (*checker).ciNames},
		{"steps", (*checker).ciSteps}, {"renamed-from", (*checker).ciRenames},
		{"github", func(c *checker, v value.Value, path string) {
			c.ciKeys(v, path, ciGitHub())
			c.ciHosted(v)
			c.ciBound(v)
		}},
		{"gitlab", func(c *checker, v value.Value, path string) { c.ciKeys(v, path, ciGitLab()) }},
	}
}

func ciGitHub() []ciKey {
	return []ciKey{{"runs-on", (*checker).ciRunsOn}, {"environment", (*checker).ciNamed}, {"branches", (*checker).ciBranches}, {"secrets", (*checker).ciPassed}, {"vars", (*checker).ciPassed},
		{"timeout-minutes", (*checker).ciMinutes}, {"plan-policy", (*checker).ciPolicy}, {"plan-key", (*checker).ciKey}, {"setup", (*checker).ciSetup}, {"patches", (*checker).ciPatches}}
}

func ciGitLab() []ciKey {
	return []ciKey{{"image", (*checker).ciNamed}, {"docker", oneWord("socket")}, {"environment", (*checker).ciNamed}, {"tags", (*checker).ciTexts}, {"branches", (*checker).ciBranches}, {"secrets", (*checker).ciPassed},
		{"vars", (*checker).ciPassed}, {"timeout", (*checker).ciTimeout}, {"before_script", (*checker).ciScript}, {"patches", (*checker).ciPatches}}
}

// ciKeys checks a mapping against a table.
func (c *checker) ciKeys(v value.Value, path string, table []ciKey) {
	if v.IsNull() || !c.ciMapping(v, path) {
		return
	}
	var names []string
	for _, k := range table {
		names = append(names, k.name)
	}
next:
	for _, e := range v.Map {
		for _, k := range table {
			if k.name == e.Key {
				if !e.Value.IsNull() {
					k.check(c, e.Value, path+"."+e.Key)
				}
				continue next
			}
		}
		help := diag.DidYouMean(e.Key, names)
		if help == "" {
			help = "it has " + strings.Join(names, ", ")
		}
		c.fault(diag.Warning, "unknown-key", value.Value{Pos: e.KeyPos, Ext: e.Value.Ext}, fmt.Sprintf("%s has no key %s: it means nothing", path, diag.Quote(e.Key)), help)
	}
}

func (c *checker) ciMapping(v value.Value, path string) bool {
	if v.Kind != value.Map {
		c.wrong(v, path, "a mapping", "write its keys below it, indented")
	}
	return v.Kind == value.Map
}

// ciFault is about what a value of the right type says.
func (c *checker) ciFault(v value.Value, message, help string) {
	c.fault(diag.Error, "invalid-ci-setting", v, message, help)
}

// oneWord is the check of a key that knows one word.
func oneWord(known string) func(*checker, value.Value, string) {
	return func(c *checker, v value.Value, path string) {
		if v.Kind != value.Text || v.Text != known {
			c.ciFault(v, fmt.Sprintf("%s is %s or is not written", path, known), "write "+known+", or remove the line")
		}
	}
}

// ciText is a text in one line, with every expression of the platform closed.
func (c *checker) ciText(v value.Value, path string) {
	if v.Kind != value.Text {
		c.wrong(v, path, "text", "")
		return
	}
	switch {
	case v.Text == "" || strings.TrimSpace(v.Text) != v.Text || strings.ContainsFunc(v.Text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }):
		c.ciFault(v, path+" is a text in one line, without spaces at its ends", "")
	case strings.Count(v.Text, "${{") != strings.Count(v.Text, "}}"):
		c.ciFault(v, path+" opens an expression and does not close it", "write ${{ … }}")
	}
}

func (c *checker) ciList(v value.Value, path string, each func(v value.Value, path string)) {
	if v.Kind != value.List {
		c.wrong(v, path, "a list", "begin each item with a dash, or write [a, b]")
		return
	}
	for _, item := range v.List {
		each(item, "each of "+path)
	}
}

func (c *checker) ciTexts(v value.Value, path string) { c.ciList(v, path, c.ciText) }

// ciNames are names of environment variables.
func (c *checker) ciNames(v value.Value, path string) {
	c.ciList(v, path, func(v value.Value, each string) { c.ciName(v, each) })
}

func (c *checker) ciName(v value.Value, path string) bool {
	if v.Kind != value.Text {
		c.wrong(v, path, "the name of a variable", "")
		return false
	}
	if !variableName(v.Text) {
		c.ciFault(v, fmt.Sprintf("%s is the name of a variable, and %s is none", path, diag.Quote(v.Text)), "letters, digits and _ make a name, and no digit begins it; its value stands at the platform, never here")
		return false
	}
	return true
}

// ciPassed are names under which a platform keeps something.
func (c *checker) ciPassed(v value.Value, path string) {
	c.ciList(v, path, func(v value.Value, each string) {
		if c.ciName(v, each) && strings.HasPrefix(path, "x-ci.github") && strings.HasPrefix(strings.ToUpper(v.Text), "GITHUB_") {
			c.ciFault(v, fmt.Sprintf("GitHub keeps nothing under %s: names that begin with GITHUB_ are its own", diag.Quote(v.Text)), "give it another name there and here")
		}
	})
}

func variableName(s string) bool {
	for i := range len(s) {
		if b := s[i]; b != '_' && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 200
}

// ciSteps says what can't be known of steps, by their ids.
func (c *checker) ciSteps(v value.Value, path string) {
	if !c.ciMapping(v, path) {
		return
	}
	effects := func(c *checker, v value.Value, path string) {
		c.ciKeys(v, path, []ciKey{{"reads", (*checker).ciTexts}, {"writes", (*checker).ciTexts}})
	}
	sensitive := func(c *checker, v value.Value, path string) {
		if v.Kind != value.Bool {
			c.wrong(v, path, "true or false", "")
		}
	}
	for _, e := range v.Map {
		c.ciKeys(e.Value, path+"."+e.Key, []ciKey{{"effects", effects}, {"sensitive", sensitive}, {"tag", oneWord("inputs")}, {"transfer", oneWord("always")}})
	}
}

func (c *checker) ciRenames(v value.Value, path string) {
	if !c.ciMapping(v, path) {
		return
	}
	for _, e := range v.Map {
		if e.Value.Kind != value.Text || strings.Count(e.Value.Text, "/") != 1 || strings.Count(e.Key, "/") != 1 {
			c.ciFault(e.Value.At(e.KeyPos), path+" names deployments in full", "write flow/new-name: flow/old-name")
		}
	}
}

// ciRunsOn is a label, a list of labels, or a group with labels.
func (c *checker) ciRunsOn(v value.Value, path string) {
	switch v.Kind {
	case value.List:
		if len(v.List) == 0 {
			c.ciFault(v, path+" names no runner", "write ubuntu-latest, or remove the line")
		}
		c.ciTexts(v, path)
	case value.Map:
		c.ciKeys(v, path, []ciKey{{"group", (*checker).ciText}, {"labels", func(c *checker, v value.Value, path string) {
			if v.Kind == value.List {
				c.ciTexts(v, path)
				return
			}
			c.ciText(v, path)
		}}})
	default:
		c.ciText(v, path)
	}
}

// ciNamed is a name, or a mapping that has one beside what else the platform takes there.
func (c *checker) ciNamed(v value.Value, path string) {
	if v.Kind != value.Map {
		c.ciText(v, path)
		return
	}
	name, ok := v.Get("name")
	if !ok {
		c.ciFault(v, path+" has no name", "write name:, or the name itself in place of the mapping")
		return
	}
	c.ciText(name, path+".name")
}

// ciBranches are patterns of branches, out of what git takes for a name.
func (c *checker) ciBranches(v value.Value, path string) {
	c.ciList(v, path, func(v value.Value, each string) {
		if v.Kind != value.Text {
			c.wrong(v, each, "text", "")
			return
		}
		s := v.Text
		bad := s == "" || strings.ContainsAny(s, " ~^:\\") || strings.Contains(s, "..") || strings.Contains(s, "@{") || strings.Contains(s, "//") || strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") ||
			strings.HasPrefix(s, "-") || strings.HasSuffix(s, ".") || strings.HasSuffix(s, ".lock") || strings.Contains(s, "${{") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
		if bad {
			c.ciFault(v, fmt.Sprintf("no branch can have the name %s", diag.Quote(s)), "write a branch or a pattern: main, release/**")
		}
	})
}

// ciSetup are steps of a job, in the platform's own words.
func (c *checker) ciSetup(v value.Value, path string) {
	c.ciList(v, path, func(v value.Value, each string) {
		if !c.ciMapping(v, each) {
			return
		}
		uses, used := v.Get("uses")
		script, run := v.Get("run")
		switch {
		case used == run:
			c.ciFault(v, "a step of "+path+" has either uses or run", "write {uses: owner/action@COMMIT, with: {…}} or {run: …}")
		case used:
			c.ciText(uses, "uses")
			c.ciPinned(uses, path)
		case script.Kind != value.Text:
			c.wrong(script, "run", "text", "")
		}
	})
}

// ciScript is a text or a list of texts, each a line of a script.
func (c *checker) ciScript(v value.Value, path string) {
	if v.Kind == value.Text {
		return
	}
	c.ciList(v, path, func(v value.Value, each string) {
		if v.Kind != value.Text {
			c.wrong(v, each, "text", "")
		}
	})
}

// ciPatches are a JSON Patch; whether it fits the emitted file is seen there.
func (c *checker) ciPatches(v value.Value, path string) {
	c.ciList(v, path, func(v value.Value, each string) {
		if !c.ciMapping(v, each) {
			return
		}
		op, _ := v.Get("op")
		switch op.Text {
		case "add", "replace", "test", "remove", "move", "copy":
		default:
			c.ciFault(op.At(v.Pos), "a patch's op is add, replace, test, remove, move or copy", "write {op: replace, path: /jobs/check/timeout-minutes, value: 20}")
			return
		}
		if given, _ := v.Get("value"); !given.IsNull() {
			c.ciUses(given, path)
			if to, _ := v.Get("path"); strings.HasSuffix(to.Text, "/uses") {
				c.ciPinned(given, path)
			}
		}
		for _, key := range patchPaths(op.Text) {
			if p, _ := v.Get(key); p.Kind != value.Text || p.Text != "" && p.Text[0] != '/' {
				c.ciFault(p.At(v.Pos), fmt.Sprintf("a patch's %s is a JSON Pointer, and begins with /", key), "write /jobs/check/timeout-minutes; ~1 stands for a slash within a name")
			}
		}
	})
}

func patchPaths(op string) []string {
	if op == "move" || op == "copy" {
		return []string{"path", "from"}
	}
	return []string{"path"}
}
