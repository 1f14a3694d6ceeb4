package state

import (
	"context"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const plainTrigger = `"trigger":{"type":"event","expect":["x"]},"parameters":null,"job_variables":null,"schedule_after":0.0`

func automation(t *testing.T, name string) value.Value {
	return parsed(t, `{"name":"`+name+`","description":"","enabled":true,`+plainTrigger+`}`)
}

// TestAutomationsOfADeployment: only those of the shape that a deploy makes are a deployment's, without the ids that the server gives their triggers.
func TestAutomationsOfADeployment(t *testing.T) {
	action := `{"type":"run-deployment","source":"selected","deployment_id":"D","parameters":{"a":1},"job_variables":null}`
	one := func(id, actions, more string) string {
		return `{"id":"` + id + `","name":"n` + id + `","description":"","enabled":true,"trigger":{"type":"sequence","id":"t","triggers":[{"type":"event","id":"u","expect":["x"]}],"within":null},"actions":[` + actions + `]` + more + `}`
	}
	s, _ := scripted(t, map[string]string{
		"GET /admin/version":       `"3.8.8"`,
		"POST /deployments/filter": `[{"id":"D","flow_id":"F","name":"` + dep.Deployment + `"}]`,
		"POST /automations/filter": `[` + strings.Join([]string{one("5", action, `,"actions_on_trigger":[],"actions_on_resolve":[]`), one("4", action+","+action, ""), one("3", action, `,"actions_on_resolve":[{"type":"do-nothing"}]`),
			one("2", `{"type":"run-deployment","source":"inferred"}`, ""), one("1", strings.Replace(action, `"D"`, `"E"`, 1), ""), one("5", action, "")}, ",") + `]`,
	})
	snapshot, err := s.Read(context.Background(), Query{Deployments: []Name{dep}, Automations: true})
	if err != nil {
		t.Fatal(err)
	}
	list := snapshot.Deployments[dep].Automations
	want := `{"name":"n5","description":"","enabled":true,"trigger":{"type":"sequence","triggers":[{"type":"event","expect":["x"]}],"within":null},"parameters":{"a":1},"job_variables":null,"schedule_after":0.0}`
	if len(list) != 1 || list[0].ID != "5" || string(list[0].Fields.AppendJSON(nil)) != want {
		t.Errorf("got %+v", list)
	}
}

// TestServersWithoutAutomations: 404 is a server that has none; it is told, and is no error.
func TestServersWithoutAutomations(t *testing.T) {
	s, _ := scripted(t, map[string]string{"GET /admin/version": `"2.20.26"`, "POST /deployments/filter": `[{"id":"D","flow_id":"F","name":"` + dep.Deployment + `"}]`,
		"POST /automations/filter": `404 {"detail":"Not Found"}`})
	snapshot, err := s.Read(context.Background(), Query{Deployments: []Name{dep}, Automations: true})
	if err != nil || snapshot.NoAutomations == "" || snapshot.Deployments[dep].Automations != nil {
		t.Errorf("%v %+v", err, snapshot)
	}
}

// TestRequestsOfAutomations: what was made by hand is asked for by no other request than those that go by id or by owner, and a write of automations alone writes no deployment.
func TestRequestsOfAutomations(t *testing.T) {
	body := func(name string) string {
		return `{"name":"` + name + `","description":"","enabled":true,"trigger":{"type":"event","expect":["x"]},"actions":[{"type":"run-deployment","source":"selected","deployment_id":"D","parameters":null,"job_variables":null}],"actions_on_trigger":[],"actions_on_resolve":[]`
	}
	for _, c := range []struct {
		name  string
		write AutomationWrite
		want  string
		left  string
	}{
		{"delete, update, create", AutomationWrite{Delete: []string{"1"}, Update: []Automation{{"2", automation(t, "changed")}}, Create: []value.Value{automation(t, "new")}},
			"DELETE /automations/1\nPUT /automations/2 " + body("changed") + "}\nPOST /automations/ " + body("new") + `,"owner_resource":"prefect.deployment.D"}`, "2 changed, N new"},
		{"by owner", AutomationWrite{Owned: true, Create: []value.Value{automation(t, "")}},
			"DELETE /automations/owned-by/prefect.deployment.D\nGET /automations/related-to/prefect.deployment.D\nPOST /automations/ " + body("Automation for deployment D") + `,"owner_resource":"prefect.deployment.D"}`,
			"3 by hand, N Automation for deployment D"},
		{"nothing", AutomationWrite{}, "", "1 a, 2 b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, sent := scripted(t, map[string]string{"GET /admin/version": `"3.8.8"`, "POST /automations/": `{"id":"N"}`,
				"GET /automations/related-to/prefect.deployment.D": `[{"id":"3","name":"by hand","trigger":{},"actions":[{"type":"run-deployment","source":"selected","deployment_id":"D"}]}]`})
			live := &Live{ID: "D", Name: dep, Automations: []Automation{{"1", automation(t, "a")}, {"2", automation(t, "b")}}}
			after, err := s.Write(context.Background(), Write{Name: dep, Live: live, Automations: &c.write})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(strings.TrimPrefix(sent(), "GET /admin/version"), "\n"); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
			var left []string
			for _, a := range after.Automations {
				left = append(left, a.ID+" "+a.Name())
			}
			if got := strings.Join(left, ", "); got != c.left {
				t.Errorf("left are %s, want %s", got, c.left)
			}
		})
	}
}

// TestRequestsOfSLAs against a stand-in of Prefect Cloud's route: the list that its own deploy sends (3.8.8), which replaces what was there; none is an empty list.
func TestRequestsOfSLAs(t *testing.T) {
	for sent, want := range map[string]string{
		`[{"name":"slow","severity":"high","duration":60},{"name":"stale","enabled":false,"stale_after":3600.0}]`: `[{"name":"slow","severity":"high","duration":60,"owner_resource":"prefect.deployment.D"},{"name":"stale","enabled":false,"stale_after":3600.0,"owner_resource":"prefect.deployment.D"}]`,
		`[]`: `[]`,
	} {
		s, requests := scripted(t, map[string]string{"GET /admin/version": `404 {}`, "POST /flows/filter": `[]`, "POST /slas/apply-resource-slas/prefect.deployment.D": `{"created":[],"updated":[],"deleted":[]}`})
		slas := parsed(t, sent).List
		if _, err := s.Write(context.Background(), Write{Name: dep, Live: &Live{ID: "D", Name: dep}, SLAs: &slas}); err != nil {
			t.Fatal(err)
		}
		if got := requests(); !strings.HasSuffix(got, "\nPOST /slas/apply-resource-slas/prefect.deployment.D "+want) || strings.Contains(got, "/deployments/") {
			t.Errorf("sent %s", got)
		}
	}
}

// TestDeletingADeploymentTakesItsAutomations: the server leaves them behind.
func TestDeletingADeploymentTakesItsAutomations(t *testing.T) {
	for _, c := range []struct {
		automations []Automation
		want        string
	}{
		{nil, "DELETE /automations/owned-by/prefect.deployment.D\nDELETE /deployments/D"},
		{[]Automation{{"1", automation(t, "a")}}, "DELETE /automations/owned-by/prefect.deployment.D\nDELETE /deployments/D"},
		{[]Automation{}, "DELETE /deployments/D"},
	} {
		s, sent := scripted(t, nil)
		if err := s.Delete(context.Background(), &Live{ID: "D", Automations: c.automations}); err != nil {
			t.Fatal(err)
		}
		if got := sent(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
