// What bash offers after Tab, by bash itself: with the script that the program prints, and without the package that such scripts usually lean on.
//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBashCompletes(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "compile"), []byte("#!/bin/sh\n"+asMain+"=1 exec '"+self+"' -test.run='^TestAsMain$' -- \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := `source <(compile completion bash)
while read -r line; do
  COMP_LINE=${line%|} COMP_TYPE=9; read -ra COMP_WORDS <<< "$COMP_LINE"; [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE} COMPREPLY=()
  __start_compile 2>/dev/null; printf '%s\n' "${COMPREPLY[*]}"
done`
	want := [][2]string{{"compile ini", "init"}, {"compile init --recipe docker-", "docker-git docker-s3 docker-gcs docker-azure"}, {"compile init --recipe s3 --field buc", "bucket="}, {"compile check --format ", "text json github sarif"},
		{"compile explain same-i", "same-image"}, {"compile init --disc", "--discover"}}
	var lines strings.Builder
	for _, w := range want {
		lines.WriteString(w[0] + "|\n")
	}
	c := exec.Command("bash", "--norc", "-c", script)
	c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	c.Stdin = strings.NewReader(lines.String())
	out, err := c.CombinedOutput()
	got := strings.Split(string(out), "\n")
	for i, w := range want {
		if i >= len(got) || strings.TrimSpace(got[i]) != w[1] {
			t.Fatalf("%s: wanted %q of (%v)\n%s", w[0], w[1], err, out)
		}
	}
}
