// What a name in a module means at a certain place. Python binds names when it executes statements, so the answer is found by
// walking the module's statements that bind the name, from the place backwards: a statement that surely ran settles it, one that
// surely did not run is passed over, and one that may have run must agree with all others, else nothing is known.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

type bindKind uint8

const (
	bindImport bindKind = iota
	bindDef
	bindAssign
	bindOther // bound by something not looked into: a loop, an augmented assignment, del, …
)

// binding is one statement that binds a name.
type binding struct {
	kind   bindKind
	at     uint32
	run    certainty
	frail  bool // Prefect's fallback for modules that cannot be imported does not see it
	tried  bool // it stands in a try
	def    int32
	imp    pysource.Imported
	assign pysource.Assignment
}

// certainty says whether a statement is executed on import.
type certainty uint8

const (
	surely certainty = iota
	maybe
	never
)

// objectKind says what a name or attribute stands for.
type objectKind uint8

const (
	unknownObject objectKind = iota
	unbound                  // Python raises NameError (or AttributeError)
	builtin                  // name: its name
	external                 // name: dotted, of something that is not in the project
	projectModule            // mod
	definition               // mod, def
	assigned                 // mod, span: the value's source; at: where it was evaluated
)

type object struct {
	kind   objectKind
	name   string // of builtin and external; of the others the name that was looked up
	reason string // of unknownObject
	mod    *module
	def    int32
	span   pysource.Span
	at     uint32
}

func unknownf(reason string) object { return object{kind: unknownObject, reason: reason} }

// same reports whether two objects are certainly the same thing.
func (o object) same(p object) bool {
	if o.kind == external && p.kind == external {
		return canonical(o) == canonical(p)
	}
	return o.kind == p.kind && o.kind != unknownObject && o.name == p.name && o.mod == p.mod && o.def == p.def && o.span == p.span
}

// loading is the loading of one entrypoint: the folders that its imports are looked up in, and what was noticed on the way.
type loading struct {
	loader *Loader
	paths  []string
	entry  *module
	depth  int
	frail  bool // a binding was used that Prefect's fallback does not see
	needs  map[*module][]string
}

const maxDepth = 30

// bound lists a module's bindings, once.
func (m *module) bound() map[string][]binding {
	m.bind.Do(func() {
		m.bindings = map[string][]binding{}
		f := m.file
		for _, s := range f.Statements {
			if s.In >= 0 {
				continue
			}
			b := binding{at: s.Span.Start, run: m.certainty(s.Block), frail: s.Block >= 0, tried: m.guarded(s.Block)}
			switch s.Kind {
			case pysource.Import:
				m.bindImports(s.Span, b)
			case pysource.Definition:
				b.kind, b.def = bindDef, s.Def
				m.add(f.Of(f.Defs[s.Def].Name), b)
			default:
				m.bindSimple(s.Span, b)
			}
		}
		for i, k := range f.Blocks {
			if k.In < 0 {
				m.bindHeader(f.Of(k.Header), k.Keyword, binding{kind: bindOther, at: k.Header.Start, run: m.certainty(int32(i)), frail: true})
			}
		}
	})
	return m.bindings
}

func (m *module) add(name string, b binding) {
	list := append(m.bindings[name], b)
	for i := len(list) - 1; i > 0 && list[i].at < list[i-1].at; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	m.bindings[name] = list
}

func (m *module) bindImports(s pysource.Span, b binding) {
	b.kind = bindImport
	for _, imp := range m.file.Imports(s) {
		b.imp = imp
		if imp.Module == "__future__" && imp.Name == "annotations" {
			m.future = true
		}
		one := b
		one.frail = b.frail || imp.Level > 0 || imp.Whole && strings.Contains(imp.Module, ".") || imp.Name == "*"
		if imp.Name == "*" {
			m.stars = append(m.stars, one)
			continue
		}
		m.add(imp.As, one)
	}
}

// bindSimple notes what a simple statement binds. Whatever is not one plain assignment is bindOther for every name that it may bind,
// which includes names whose value it may change.
func (m *module) bindSimple(s pysource.Span, b binding) {
	text := m.file.Of(s)
	walrus, del := strings.Contains(text, ":="), strings.HasPrefix(text, "del ")
	if !strings.Contains(text, "=") && !del {
		return
	}
	if a, ok := m.file.Assigns(s); ok && !walrus {
		if a.Value.Empty() {
			return // an annotation alone binds nothing
		}
		b.kind, b.assign = bindAssign, a
		b.frail = b.frail || !a.Annotation.Empty()
		m.add(a.Name, b)
		return
	}
	b.kind = bindOther
	if !walrus && !del {
		targets, ok := m.file.Targets(s)
		if !ok {
			return
		}
		text = m.file.Of(targets)
	}
	m.addAll(text, b)
}

// bindHeader notes the names that the header of a compound statement binds.
func (m *module) bindHeader(text, keyword string, b binding) {
	walrus := strings.Contains(text, ":=")
	switch {
	case walrus || keyword == "case" || keyword == "match":
	case keyword == "for" || strings.HasPrefix(text, "async for"):
		before, _, _ := strings.Cut(text, " in ")
		text = before
	case keyword == "with" || keyword == "except" || keyword == "async":
		_, after, ok := strings.Cut(text, " as ")
		if !ok {
			return
		}
		text = after
	default:
		return
	}
	if b.run == never {
		return
	}
	b.run = maybe
	m.addAll(text, b)
}

func (m *module) addAll(text string, b binding) {
	for i := 0; i < len(text); {
		n := i
		for n < len(text) && (text[n] == '_' || text[n] >= '0' && text[n] <= '9' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || text[n] >= 0x80) {
			n++
		}
		if n > i {
			m.add(text[i:n], b)
		}
		i = n + 1
	}
}

// certainty says whether the statements of a block are executed on import.
func (m *module) certainty(block int32) certainty {
	f, run := m.file, surely
	for ; block >= 0; block = f.Blocks[block].Parent {
		switch c := m.blockRuns(block); {
		case c == never:
			return never
		case c == maybe:
			run = maybe
		}
	}
	return run
}

func (m *module) blockRuns(block int32) certainty {
	b := m.file.Blocks[block]
	header := strings.TrimSpace(strings.TrimPrefix(m.file.Of(b.Header), b.Keyword))
	switch b.Keyword {
	case "with", "finally":
		return surely
	case "if", "elif":
		c := maybe
		switch {
		case header == "TYPE_CHECKING" || strings.HasSuffix(header, ".TYPE_CHECKING") && strings.Count(header, ".") == 1:
			c = never
		case strings.HasPrefix(header, "__name__") && strings.Contains(header, "__main__") && !strings.Contains(header, "!="):
			c = never
		}
		return c
	case "else":
		if b.Before >= 0 {
			before := m.file.Blocks[b.Before]
			if before.Keyword == "if" && m.blockRuns(b.Before) == never {
				return surely
			}
		}
	}
	return maybe
}

// lookup says what a name means in a module's own scope at an offset.
func (s *loading) lookup(m *module, name string, at uint32) object {
	if s.depth++; s.depth > maxDepth {
		s.depth--
		return unknownf(name + " is defined in too many steps")
	}
	defer func() { s.depth-- }()
	var open []object // what bindings that may have run say
	tried := false    // one of them stands in a try, which has another way out
	list := m.bound()[name]
	if len(list) > 0 && strings.Contains(m.file.Text, "global ") && declaredGlobal(m.file.Text, name) {
		return unknownf(name + " is assigned inside a function (global)")
	}
	settled, floor := object{}, uint32(0)
	for i := len(list) - 1; i >= 0 && settled.kind == unknownObject && settled.reason == ""; i-- {
		b := list[i]
		if b.at >= at || b.run == never {
			continue
		}
		o := s.objectOf(m, name, b)
		s.frail = s.frail || b.frail
		if b.run == maybe {
			open = append(open, o)
			tried = tried || b.tried
			continue
		}
		settled, floor = o, b.at
		if o.kind == unknownObject && o.reason == "" {
			settled.reason = name + " cannot be followed"
		}
	}
	if settled.kind == unknownObject && settled.reason == "" {
		settled = builtinOrUnbound(name)
	}
	if star, ok := s.fromStars(m, name, floor, at, settled); ok {
		settled = star
	}
	if settled.kind == unbound && len(open) > 0 {
		if len(open) == 1 && !tried {
			return unknownf(name + " is bound under a condition")
		}
		settled = open[0] // those must agree
	}
	for _, o := range open {
		if !o.same(settled) {
			return unknownf(name + " is bound under a condition")
		}
	}
	return settled
}

// declaredGlobal reports whether a `global` statement names name.
func declaredGlobal(text, name string) bool {
	for {
		i := strings.Index(text, "global ")
		if i < 0 {
			return false
		}
		line, rest, _ := strings.Cut(text[i+len("global "):], "\n")
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\t' }) {
			if part == name {
				return true
			}
		}
		text = rest
	}
}

func builtinOrUnbound(name string) object {
	if isBuiltin(name) {
		return object{kind: builtin, name: name}
	}
	return object{kind: unbound, name: name}
}

// objectOf follows one binding.
func (s *loading) objectOf(m *module, name string, b binding) object {
	switch b.kind {
	case bindDef:
		return object{kind: definition, name: name, mod: m, def: b.def}
	case bindAssign:
		return object{kind: assigned, name: name, mod: m, span: b.assign.Value, at: b.at}
	case bindImport:
		if b.imp.Name == "" {
			path := b.imp.Module
			if b.imp.Whole {
				path, _, _ = strings.Cut(path, ".")
			}
			return s.moduleObject(m, 0, path)
		}
		return s.member(s.moduleObject(m, b.imp.Level, b.imp.Module), b.imp.Name, ^uint32(0))
	}
	return unknownf(name + " is bound in a way that is not followed")
}

// moduleObject resolves a module path as an import statement in m would.
func (s *loading) moduleObject(m *module, level int, dotted string) object {
	paths := s.paths
	if level > 0 {
		dir := parent(m.path)
		for i := 1; i < level; i++ {
			if dir == "." {
				return unknownf("a relative import leaves the project")
			}
			dir = parent(dir)
		}
		paths = []string{dir}
		if m == s.entry && level == 1 && dir != "." {
			paths = append(paths, ".")
		}
		if dotted == "" {
			file, found := "", false
			if there, _ := s.loader.has(dir, "__init__.py"); there {
				file, found = join(dir, "__init__.py"), true
			}
			return s.moduleAt(file, found, dir)
		}
	}
	file, found := s.loader.find(paths, dotted)
	first, _, _ := strings.Cut(dotted, ".")
	if level == 0 && (isStdlib(first) || isShipped(first)) {
		if _, shadowed := s.loader.find(paths, first); shadowed && file != m.path {
			return unknownf("a file of the project has the name of the module " + first)
		}
		return object{kind: external, name: dotted}
	}
	if !found && level == 0 {
		if _, partly := s.loader.find(paths, first); !partly {
			return object{kind: external, name: dotted}
		}
	}
	if !found {
		return unknownf("the module " + dotted + " is not there")
	}
	return s.moduleAt(file, true, dotted)
}

func (s *loading) moduleAt(file string, found bool, name string) object {
	if !found || file == "" {
		return unknownf(name + " is a package without __init__.py")
	}
	m := s.loader.module(file)
	if m.err != nil || m.file.Unsure != "" || len(m.file.Faults) > 0 {
		return unknownf(file + " cannot be read")
	}
	return object{kind: projectModule, name: name, mod: m}
}

func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return "."
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// member is the attribute name of an object.
func (s *loading) member(o object, name string, at uint32) object {
	switch o.kind {
	case external:
		return object{kind: external, name: o.name + "." + name}
	case projectModule:
		found := s.lookup(o.mod, name, at)
		if found.kind == builtin || found.kind == unbound {
			if strings.HasSuffix(o.mod.path, "__init__.py") {
				if file, ok := s.loader.find([]string{parent(o.mod.path)}, name); ok {
					return s.moduleAt(file, true, name)
				}
			}
			return object{kind: unbound, name: name}
		}
		return found
	case unknownObject, unbound:
		return o
	}
	return unknownf("the attribute " + name + " is not followed")
}

// fromStars looks for the name in `from … import *` statements between two offsets.
func (s *loading) fromStars(m *module, name string, from, to uint32, settled object) (object, bool) {
	for i := len(m.stars) - 1; i >= 0; i-- {
		b := m.stars[i]
		if b.at >= to || b.at < from || b.run == never {
			continue
		}
		s.frail = true
		o := s.moduleObject(m, b.imp.Level, b.imp.Module)
		if o.kind == external {
			first, _, _ := strings.Cut(o.name, ".")
			if isStdlib(first) && settled.kind == builtin && isTypeName(name) {
				continue
			}
			return unknownf(name + " may come from `from " + o.name + " import *`"), true
		}
		if o.kind != projectModule {
			return unknownf(name + " may come from a star import that cannot be followed"), true
		}
		found := s.lookup(o.mod, name, ^uint32(0))
		if found.kind == builtin || found.kind == unbound {
			continue
		}
		if strings.HasPrefix(name, "_") || len(o.mod.bound()["__all__"]) > 0 || b.run == maybe {
			return unknownf(name + " may come from a star import"), true
		}
		return found, true
	}
	return object{}, false
}

// object says what a name or dotted name in an expression means.
func (s *loading) object(m *module, e pysource.Expr, at uint32) object {
	switch e.Op {
	case pysource.Name:
		return s.lookup(m, e.Text, at)
	case pysource.Attribute:
		o := s.object(m, e.Items[0], at)
		if o.kind == projectModule || o.kind == external || o.kind == unbound || o.kind == unknownObject {
			return s.member(o, e.Text, ^uint32(0))
		}
		return unknownf("the attribute " + e.Text + " is not followed")
	}
	return unknownf("it is computed")
}
