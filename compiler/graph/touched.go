// Which nodes touch a resource, found without looking at every node: a file of a thousand builds would else compare each with each.
package graph

// touched is an index of nodes by resource: a resource meets itself, what it is a part of (docker:a:1 is one of docker:a), its
// parts, and everything.
type touched struct {
	exact, parts map[string][]*node
	all, any     []*node
}

func (t *touched) add(resource string, n *node) {
	if t.exact == nil {
		t.exact, t.parts = map[string][]*node{}, map[string][]*node{}
	}
	t.any = append(t.any, n)
	if resource == Everything {
		t.all = append(t.all, n)
		return
	}
	t.exact[resource] = append(t.exact[resource], n)
	wholes(resource, func(whole string) { t.parts[whole] = append(t.parts[whole], n) })
}

// meeting visits the nodes whose resource meets the given one, some perhaps twice.
func (t *touched) meeting(resource string, visit func(*node)) {
	each := func(list []*node) {
		for _, n := range list {
			visit(n)
		}
	}
	if resource == Everything {
		each(t.any)
		return
	}
	each(t.all)
	each(t.exact[resource])
	each(t.parts[resource])
	wholes(resource, func(whole string) { each(t.exact[whole]) })
}

// wholes visits what a resource is a part of: docker:a and docker of docker:a:1.
func wholes(resource string, visit func(string)) {
	for i := len(resource) - 1; i > 0; i-- {
		if resource[i] == ':' {
			visit(resource[:i])
		}
	}
}
