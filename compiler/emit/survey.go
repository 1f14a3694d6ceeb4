// What a document says and uses, found in one walk, as a large workflow has some hundred thousand nodes. The digest of what it says knows neither layout nor comments nor the versions that may be edited; what it uses is taken from the
// document itself, so that patches are in it too. The jobs of a workflow are walked by themselves: which secrets they read has to be known before what calls them can be written.
package emit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// surveyed is what was found in a part of a document.
type surveyed struct {
	content                             string
	secrets, vars, permissions, actions map[string]bool
}

// facts are the names in order.
func (s *surveyed) facts() facts {
	return facts{secrets: sorted(s.secrets), vars: sorted(s.vars), permissions: sorted(s.permissions), actions: sorted(s.actions)}
}

// survey looks through a part of a document.
func survey(n *yaml.Node) surveyed {
	return surveyAround(n, surveyed{secrets: map[string]bool{}, vars: map[string]bool{}, permissions: map[string]bool{}, actions: map[string]bool{}})
}

// surveyAround looks through a document whose jobs were looked through before, and adds to what was found there.
func surveyAround(root *yaml.Node, jobs surveyed) surveyed {
	digest := sha256.New()
	s := surveying{surveyed: jobs, digest: digest}
	if root != nil {
		s.top(root)
	}
	s.flush()
	s.content = hex.EncodeToString(digest.Sum(nil))[:16]
	return s.surveyed
}

// ofContent is the digest of what a document says.
func ofContent(root *yaml.Node) string {
	jobs := survey(get(root, "jobs"))
	return surveyAround(root, jobs).content
}

// surveying is a walk.
type surveying struct {
	surveyed
	digest io.Writer
	buffer []byte
}

func (s *surveying) flush() {
	_, _ = s.digest.Write(s.buffer) // a digest takes all
	s.buffer = s.buffer[:0]
}

// top takes a document in, in which the digest of its jobs stands for them.
func (s *surveying) top(root *yaml.Node) {
	jobs := get(root, "jobs")
	if s.content == "" || jobs == nil {
		s.take(root, "")
		return
	}
	around := *root
	around.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i+1] == jobs {
			s.text("jobs", s.content)
			continue
		}
		around.Content = append(around.Content, root.Content[i], root.Content[i+1])
	}
	s.take(&around, "")
}

// take takes a node in, which is the value of a key. The length before a text keeps it from looking like several.
func (s *surveying) take(n *yaml.Node, key string) {
	if len(s.buffer) > 1<<14 {
		s.flush()
	}
	switch n.Kind {
	case yaml.ScalarNode:
		s.text(kind(n), versionless(n, key))
		s.uses(n.Value, key)
	case yaml.AliasNode: // none is emitted
		s.text("*", n.Value)
	case yaml.MappingNode:
		s.open(n)
		if key == "permissions" {
			s.allows(n)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			s.key(n.Content[i])
			s.take(n.Content[i+1], n.Content[i].Value)
		}
	default:
		s.open(n)
		for _, c := range n.Content {
			s.take(c, key)
		}
	}
}

// key takes a key in, which is a text nearly always.
func (s *surveying) key(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		s.take(n, "")
		return
	}
	s.text(kind(n), n.Value)
}

func (s *surveying) open(n *yaml.Node) {
	s.text(kind(n), n.Anchor)
	s.buffer = binary.AppendUvarint(s.buffer, uint64(len(n.Content)))
}

// kind is a node's tag: of what is emitted, as it stands.
func kind(n *yaml.Node) string {
	switch n.Tag {
	case "!!str", "!!map", "!!seq", "!!bool", "!!int", "!!null":
		return n.Tag
	}
	return n.ShortTag()
}

func (s *surveying) text(kind, text string) {
	s.buffer = binary.AppendUvarint(append(s.buffer, kind...), uint64(len(text)))
	s.buffer = append(s.buffer, text...)
}

// uses notes what a text names: an action, a secret, a variable.
func (s *surveying) uses(text, key string) {
	if key == "uses" {
		name, _, _ := strings.Cut(text, "@")
		s.actions[oneLine(name)] = true
	}
	if strings.Contains(text, "s.") { // as in both contexts
		names(text, "secrets.", s.secrets)
		names(text, "vars.", s.vars)
	}
}

// allows notes permissions.
func (s *surveying) allows(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		s.permissions[oneLine(n.Content[i].Value+": "+n.Content[i+1].Value)] = true
	}
}

// names takes in the names behind a context in a text.
func names(text, context string, into map[string]bool) {
	for {
		i := strings.Index(text, context)
		if i < 0 {
			return
		}
		text = text[i+len(context):]
		end := strings.IndexFunc(text, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if end < 0 {
			end = len(text)
		}
		if end > 0 {
			into[text[:end]] = true
		}
	}
}
