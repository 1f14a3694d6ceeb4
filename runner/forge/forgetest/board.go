// Package forgetest is what tests of different rooms need of a GitHub, and is linked by nothing but tests: the emulator that others wrote, and beside it the few
// things which that one does not know. Its answers follow GitHub's REST reference in status, shape and paging.
package forgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Object is a JSON object.
type Object = map[string]any

// Board is a repository's deployments and their statuses, both newest first. The lock is its owner's.
type Board struct {
	Deployments []Object
	Statuses    map[int][]Object

	made int
}

// NewBoard is one on which nothing was deployed.
func NewBoard() *Board { return &Board{Statuses: map[int][]Object{}} }

// Serve answers a request below …/repos/OWNER/NAME/, of which path is the rest; false is a request that is not the board's. base begins the addresses of further pages.
func (b *Board) Serve(w http.ResponseWriter, r *http.Request, base, path string, in Object) bool {
	part := strings.Split(path, "/")
	if part[0] != "deployments" {
		return false
	}
	number := 0
	if len(part) > 1 {
		number, _ = strconv.Atoi(part[1])
	}
	switch call := r.Method + fmt.Sprint(len(part)); {
	case call == "GET1":
		b.list(w, r, base)
	case call == "POST1":
		b.made++
		d := Object{"id": 1000 + b.made, "sha": in["ref"], "environment": in["environment"], "payload": in["payload"], "request": in}
		b.Deployments = append([]Object{d}, b.Deployments...)
		Say(w, http.StatusCreated, d)
	case call == "GET3" && part[2] == "statuses":
		list := b.Statuses[number]
		Page(w, r, base, len(list), func(i int) any { return list[i] })
	case call == "POST3" && part[2] == "statuses":
		b.Statuses[number] = append([]Object{in}, b.Statuses[number]...)
		Say(w, http.StatusCreated, in)
	default:
		return false
	}
	return true
}

func (b *Board) list(w http.ResponseWriter, r *http.Request, base string) {
	asked := func(d Object, key string) bool { v := r.URL.Query().Get(key); return v == "" || d[key] == v }
	var list []Object
	for _, d := range b.Deployments {
		if asked(d, "environment") && asked(d, "sha") {
			list = append(list, d)
		}
	}
	Page(w, r, base, len(list), func(i int) any { return list[i] })
}

// Say answers with JSON.
func Say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Page answers with one page of a list of n.
func Page(w http.ResponseWriter, r *http.Request, base string, n int, item func(int) any) {
	start, end, next := Bounds(r, n)
	Link(w, r, base, next)
	out := []any{}
	for i := start; i < end; i++ {
		out = append(out, item(i))
	}
	Say(w, http.StatusOK, out)
}

// Bounds cuts a list into pages of at most 30; next is 0 after the last.
func Bounds(r *http.Request, n int) (start, end, next int) {
	at, _ := strconv.Atoi(r.URL.Query().Get("page"))
	at = max(at, 1)
	start = min((at-1)*30, n)
	end = min(start+30, n)
	if end < n {
		next = at + 1
	}
	return start, end, next
}

// Link names the next page, if there is one.
func Link(w http.ResponseWriter, r *http.Request, base string, next int) {
	if next > 0 {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(next))
		at := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
		w.Header().Set("Link", fmt.Sprintf(`<%s%s>; rel="next"`, base, at.String()))
	}
}
