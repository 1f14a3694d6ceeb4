// Keys and paths. A push names a file as Python's Path(folder)/path does; a pull takes a key apart as Prefect does, and then lets through only what stays inside the directory:
//
//	folder app, file a/b    →  app/a/b            folder ./x//y/, file a  →  x/y/a            folder /app, file a  →  /app/a
//	key app/a\b             →  a/b                key app/../x            →  refused          key app/a//b        →  a/b
package storage

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// clean is a path as Python's PurePosixPath writes it: no empty and no "." parts, and `..` stays. Two slashes at its beginning stay two, more become one.
func clean(path string) string {
	root := ""
	switch trimmed := strings.TrimLeft(path, "/"); len(path) - len(trimmed) {
	case 0:
	case 2:
		root = "//"
	default:
		root = "/"
	}
	var parts []string
	for _, part := range strings.Split(path, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return root + strings.Join(parts, "/")
}

// keyOf is the key of a file, whose path has slashes, in a folder.
func keyOf(folder, file string) string {
	folder = clean(folder)
	switch {
	case folder == "" || folder == ".":
		return file
	case strings.HasSuffix(folder, "/"):
		return folder + file
	}
	return folder + "/" + file
}

// within is what a folder's keys begin with: `app` and `app2/` are different folders.
func within(folder string) string {
	if folder == "" || strings.HasSuffix(folder, "/") {
		return folder
	}
	return folder + "/"
}

// fileOf is where a key that begins with the folder's prefix is written, with slashes; an error for one that may not be.
func fileOf(prefix, key string) (string, error) {
	return fileOn(runtime.GOOS == "windows", prefix, key)
}

func fileOn(windows bool, prefix, key string) (string, error) {
	rest := strings.ReplaceAll(strings.TrimPrefix(key, prefix), `\`, "/")
	var parts []string
	for _, part := range strings.Split(rest, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case part == "..":
			return "", fmt.Errorf("the object %q would be written outside of the directory: remove it from the bucket, or give it another name", key)
		case strings.IndexByte(part, 0) >= 0, windows && !windowsName(part):
			return "", fmt.Errorf("the object %q has a name that no file here can have: remove it from the bucket, or give it another name", key)
		}
		parts = append(parts, part)
	}
	name := strings.Join(parts, "/")
	if name == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("the object %q has a name that no file here can have: remove it from the bucket, or give it another name", key)
	}
	return name, nil
}

// windowsName reports whether Windows takes a name as it is: it knows devices, drives and streams by names, and drops dots and spaces at their ends.
func windowsName(part string) bool {
	if strings.ContainsAny(part, `<>:"|?*`) || strings.TrimRight(part, ". ") != part || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' }) {
		return false
	}
	base, _, _ := strings.Cut(strings.ToUpper(part), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return false
	}
	port, ok := strings.CutPrefix(base, "COM")
	if !ok {
		port, ok = strings.CutPrefix(base, "LPT")
	}
	return !ok || len([]rune(port)) != 1 || !strings.ContainsAny(port, "0123456789¹²³")
}
