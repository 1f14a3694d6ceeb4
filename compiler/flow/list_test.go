// What a list of flows offers, and what it leaves out.
package flow

import (
	"strings"
	"testing"
)

func TestFlows(t *testing.T) {
	l := NewLoader(project("a/b.py", `from prefect import flow, task
from team import team_flow, other

@flow
def one(): pass

@task
def no(): pass

@flow(name="Two words", description="2")
async def two(x: int): pass

@team_flow
def three(): pass

@other
def neither(): pass

class C:
    @flow
    def method(self): pass

    @staticmethod
    @flow(name="without an object")
    def static(x: int): pass

    @flow
    @classmethod
    def of_class(cls, x: int): pass

    @task
    def no(self): pass

    class Inner:
        @flow
        def deep(): pass

def plain():
    @flow
    def inner(): pass
`, "broken.py", "@flow\ndef f(:\n"))
	var got []string
	for _, f := range l.Flows("a/b.py") {
		got = append(got, f.File+":"+f.Function+"="+f.Name)
	}
	if want := "a/b.py:one=one a/b.py:two=Two words a/b.py:three= a/b.py:C.method=method a/b.py:C.static=without an object a/b.py:C.of_class=of-class"; strings.Join(got, " ") != want {
		t.Errorf("got %q", strings.Join(got, " "))
	}
	for _, f := range l.Flows("a/b.py") {
		if doubt := strings.Contains(f.Unsure, "no object to call it on"); doubt != (f.Function == "C.method") {
			t.Errorf("%s: unsure %q", f.Function, f.Unsure)
		}
	}
	if l.Flows("broken.py") != nil || l.Flows("none.py") != nil {
		t.Error("flows of nothing")
	}
}
