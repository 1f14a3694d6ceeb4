// The output `steps` stays within what a job may hand on; the file of outputs has all of it.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

func TestOutputStepsIsBounded(t *testing.T) {
	p := &plan.Plan{}
	for i, length := range append([]int{3 << 20, 10}, make([]int, 20)...) {
		if i > 1 {
			length = mostShown - 10
		}
		p.Steps = append(p.Steps, plan.Step{Key: fmt.Sprint("s", i), Outputs: value.Of([]value.Entry{{Key: "stdout", Value: value.Of(strings.Repeat("x", length))}, {Key: "tag", Value: value.Of("v1")}})})
	}
	data := stepsJSON(p)
	var got map[string]map[string]string
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if _, long := got["s0"]["stdout"]; long || got["s0"]["tag"] != "v1" || len(got["s1"]["stdout"]) != 10 || len(got) != len(p.Steps) || len(data) > mostSteps+(4<<10) {
		t.Errorf("%d bytes, %d steps", len(data), len(got))
	}
}
