# Everything a developer types. The work is done by the scripts of .ci/, which CI calls too.
.DEFAULT_GOAL := check
.PHONY: check test setup fmt bench prove record

check: ; @.ci/test check      # seconds: format, vet, staticcheck where it is set up, hermetic tests

test: ; @.ci/test             # everything, with a real Prefect under .cache/

setup: ; @.ci/setup           # fills .cache/

fmt: ; @gofmt -w cmd compiler runner .ci

bench: ; go test -run '^$$' -bench . -benchmem ./...

prove: ; @.ci/prove           # long: more seeds, races, fuzzing

record: ; @.ci/record         # asks the real Prefect again and writes the recordings anew
