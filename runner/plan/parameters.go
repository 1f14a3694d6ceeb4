// Whether a server takes a deployment's parameters. It holds them against the flow's schema when it registers (422 on creation, 409 on an update), which is after all
// builds; what is certain is said before. Asked of 3.8.8: a missing parameter and an unknown one are taken, null is refused beside another default than null, formats
// do not count, 1.0 is a whole number and "1" is none.
package plan

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// CheckParameters finds the parameters that a server refuses for this schema. What is not known yet, is secret or is left to the server to fill (blocks,
// __prefect_kind) is no fault.
func CheckParameters(flow string, schema, parameters value.Value) []JobVariableFault {
	if parameters.Kind != value.Map || schema.Kind != value.Map {
		return nil
	}
	blocks := strings.Contains(string(schema.AppendJSON(nil)), `"block_type_slug"`)
	schema = withoutRequired(fitSchema(schema, false))
	properties, _ := schema.Get("properties")
	var faults []JobVariableFault
	for _, e := range parameters.Map {
		property, known := properties.Get(e.Key)
		if !known || byServer(e.Value) || blocks && strings.Contains(string(property.AppendJSON(nil)), `"$ref"`) {
			continue
		}
		j := &schemaJudge{flow: flow, root: schema}
		j.judge(property, e.Value, "parameters."+e.Key, e.KeyPos, 0)
		if !j.unsure {
			faults = append(faults, j.faults...)
		}
	}
	return faults
}

// byServer reports whether the server makes something else of a value before it judges.
func byServer(v value.Value) bool {
	for i := range v.List {
		if byServer(v.List[i]) {
			return true
		}
	}
	for _, e := range v.Map {
		if e.Key == "$ref" || e.Key == "__prefect_kind" || byServer(e.Value) {
			return true
		}
	}
	return false
}
