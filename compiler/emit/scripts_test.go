package emit

import (
	"slices"
	"testing"
)

func TestScriptVariables(t *testing.T) {
	for script, want := range map[string][]string{
		"script: 'echo $REGION-${STAGE}/$1 $$ ${lower} $X', shell: true":                            {"REGION", "STAGE", "X"},
		"script: 'bash -ec \"A=1; echo $A; for B in 1; do echo $B; done; read C; echo $C $D\"'":     {"D"},
		"script: 'sh -c \"echo $OWN $OTHER\"', env: {OWN: x}":                                       {"OTHER"},
		"script: 'echo $lower ${Mixed} $9', expand_env_vars: true":                                  {"lower", "Mixed"},
		"script: 'read -r A; read B_FILE; echo $A $B; while read C; do echo $C; done', shell: true": {"B"},
		"script: 'A=${A:-1} B=\"$B\" C=\"${C:?}\" D=$D:x; echo $A $E_ $F; F=1', shell: true":        {"A", "B", "C", "D", "A", "E_"},
		"script: 'echo $', shell: true":                                                             nil,
		"script: 'echo $ITSELF --exec'":                                                             nil,
		"script: 'gcc -c $CFLAGS main.c'":                                                           nil,
		"script: \"flock lock -c 'echo $A'\"":                                                       {"A"},
		"script: 'script -qc \"echo $A\" log'":                                                      {"A"},
		"script: 'tar -xc $A'":                                                                      nil,
		"script: 'bash build.sh -c $A'":                                                             nil,
		"script: 'bash -e -o pipefail --rcfile none -c \"echo $A\"'":                                {"A"},
		"script: '/usr/bin/env \"/bin/bash\" +O extglob -cx \"echo $A\"'":                           {"A"},
		"script: \"gcc -c $B\\nxargs dash -ec 'echo $A'\"":                                          {"B", "A"},
		"script: \"sh\\n-c 'echo $A'\"":                                                             nil,
		"script: 7":                                                                                 nil,
	} {
		in := input(t, "deployments:\n- name: d\n  entrypoint: f.py:f\n  work_pool: {name: p}\n  build:\n  - prefect.deployments.steps.run_shell_script: {"+script+"}\n")
		if got := scriptVariables(in.Graph.Steps[0]); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}
