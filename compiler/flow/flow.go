// Package flow reads what a deployment's entrypoint declares - the flow's name, description, version and parameter schema - from the
// source, without running Python.
//
// Prefect learns these by importing the file and letting pydantic look at the function. Here the same answers are derived from the
// text, and the rule above all others is: never a guess. Python can rebind any name and compute any default, so each step that leads
// to an answer must be certain (a name bound once, an annotation of a type whose schema is known, a default that is a constant);
// where one is not, the answer is "unknown" with the reason, and a Python worker settles it at deploy.
//
// The way of an entrypoint through the package: loader.go finds and reads files, names.go says what a name in them means, find.go
// follows the entrypoint to a function behind @flow, types.go (with generics.go, classes.go and records.go) turns annotations into JSON
// schemas, values.go evaluates defaults,
// docstring.go reads descriptions, schema.go puts Prefect's parameter schema together.
//
// What is derived holds for Python 3.10 or later with Prefect 3.8 (pydantic 2.14), and for a module whose imports succeed. Where the
// file imports packages of which the source cannot tell whether they are installed, Prefect may fall back to reading the source
// itself (facts, "When a flow's module cannot be imported"); a parameter for which the fallback gives another answer is unknown.
package flow

// Flow is what an entrypoint declares.
type Flow struct {
	// Name is @flow(name=…), else the function's name with - for _.
	Name string
	// NameUnknown says why Name cannot be told; "" when it can.
	NameUnknown string
	// Function is the function's own name, File the slash path of the file that defines it, Line and Column the place of its name.
	Function     string
	File         string
	Line, Column int
	// Description is @flow(description=…), else the docstring as inspect.getdoc cleans it, "" when there is none.
	Description        string
	DescriptionUnknown string
	// Version is @flow(version=…). Without one (HasVersion false) Prefect derives it: a commit, else the MD5 of File's bytes.
	Version        string
	VersionUnknown string
	HasVersion     bool
	MD5            string // hexadecimal, of the bytes of File
	// Schema is Prefect's parameter_openapi_schema: title, type, properties, required, definitions (the last two absent if empty).
	// A parameter in Unknown has a property with just title and position. Numbers are int64 or float64.
	Schema map[string]any
	// Unknown lists the parameters whose part of the schema cannot be derived; an entry without a name stands for the whole schema.
	Unknown    []Unknown
	Parameters []Parameter
	// Unsure says why the entrypoint may be no flow at all, or another one: a decorator of the project, a computed object. All else
	// that is known is then only likely.
	Unsure string
	// Packages lists packages that importing the file needs and that come neither with Python, nor with Prefect, nor with the project.
	Packages []string
}

// Unknown is one parameter, or the whole schema, that cannot be derived, and why.
type Unknown struct {
	Parameter string // "" is the whole schema
	Reason    string
}

// Parameter is one parameter with its place, for checking the values a deployment gives it.
type Parameter struct {
	Name         string
	Line, Column int
	Kind         string // as in Python's inspect: positional-only, positional-or-keyword, var-positional, keyword-only, var-keyword
	Annotation   string // its source, "" when there is none
	Required     bool
	Schema       map[string]any // the property; nil when unknown
}

// Problem is a fault that makes the entrypoint unusable for Prefect too. Codes that begin with "missing-" are caused by the absence
// of a file, those with "flow-" by what a Python file holds.
type Problem struct {
	Code, Message, Help string
	File                string // the Python file, "" when there is none
	Line, Column        int    // 0 when the fault has no place in File
	Near                string // the name that was probably meant, or ""
}

// The codes of problems.
const (
	MissingFile      = "missing-entrypoint-file"
	MissingFunction  = "flow-missing-function"
	NotAFlow         = "flow-not-a-flow"
	Syntax           = "flow-syntax"
	InvalidName      = "flow-invalid-name"
	InvalidParameter = "flow-invalid-parameter"
	BadEntrypoint    = "flow-bad-entrypoint"
)

// Error makes a Problem an error.
func (p *Problem) Error() string {
	if p.Help == "" {
		return p.Message
	}
	return p.Message + "; " + p.Help
}
