package spec

// knownDifferences are the recorded documents that this package does not read as PyYAML does, each with the reason why it stays so. Nothing of
// the kind occurs in the collected files of real projects.
var knownDifferences = map[string]string{
	"a: !!timestamp 2024-1-2\n":      "a date of such a form needs a tag to be one; here it is an error that names the line",
	"a: !!binary =\n":                "Python's base64 skips what is not base64; here it is an error",
	"a: !!binary '!'\n":              "as above",
	"a: !!binary a*Gk=\n":            "as above",
	"a: !!binary aGk=aGk=\n":         "as above: what stands after the end is dropped",
	"!!binary aGk=: a":               "a key of bytes has no form in JSON; here it is text",
	"a: !!omap [a: 1]\n":             "lists of pairs have no use in a prefect.yaml; here the tag is an error",
	"a: !!pairs [a: 1, a: 2]\n":      "as above",
	"a: !!omap\n  - b: 1\n  - c: 2":  "as above",
	"a: !!pairs\n  - b: 1\n  - b: 2": "as above",
	"a: !!str {=: x}\n":              "a mapping's default value, which PyYAML takes from YAML 1.1's drafts; here it is an error",
	"a: !!int {=: 5}\n":              "as above",
	"!!int {=: 5}: 1\n":              "as above",
	"a: \"\\/\"\n":                   "yaml.v3 does not know this escape of JSON; it is an error with its line",
	"a: \"\\ud83d\"\n":               "half a surrogate pair is no text; yaml.v3 refuses it",
	"1: a\n\"1\": b":                 "keys become text at once, as in JSON: a number and a text of the same digits are one key, and the second is reported",
	"true: a\n\"true\": b":           "as above",
	"1.0: a\n1: b":                   "Python's 1 and 1.0 are one key, here they are two texts",
	"a: &x {<<: *x}":                 "a mapping that merges itself is empty in PyYAML, and an error here",
	"a: |\n  \tx\n":                  "yaml.v3 wants the first line of a block text to begin with something else than a tab; it is an error that says so",
	"x: &x {a: x, e: 5}\ny: &y\n  <<: *x\n  a: y\n  f: 6\nz:\n  yes: b\n  1: one\n  a: 1\n  <<: {a: 9, d: 4}\n": "Python's True and 1 are one key, here they are two texts",
}
