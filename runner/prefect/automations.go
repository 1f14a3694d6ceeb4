// Automations, and SLAs beside them: what a deployment's triggers and `sla` become.
//
// Who owns an automation is kept by the server and answered nowhere (3.8.8): a list can't be filtered by it, and /automations/related-to/… gives those that run a
// deployment as well. Only DELETE /automations/owned-by/… knows. So all are listed, by pages, and whoever asks picks those that run a deployment.
package prefect

import (
	"context"
	"net/http"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Automations lists every automation of the server, the newest first.
func (c *Client) Automations(ctx context.Context) ([]value.Value, error) {
	var out []value.Value
	seen := map[string]bool{}
	err := c.pages(ctx, "automations", []value.Entry{{Key: "sort", Value: value.Of("CREATED_DESC")}}, func(item value.Value) bool {
		if id := text(item, "id"); !seen[id] {
			seen[id] = true
			out = append(out, item)
		}
		return true
	})
	return out, err
}

// AutomationsRunning lists the automations that run a deployment, or that its deploys made.
func (c *Client) AutomationsRunning(ctx context.Context, deployment string) ([]value.Value, error) {
	v, err := c.do(ctx, request{method: http.MethodGet, path: path("automations", "related-to", "prefect.deployment."+deployment)})
	return v.List, err
}

// CreateAutomation adds an automation and returns its id. Sent twice it would be there twice, so it is not repeated when it may have arrived.
func (c *Client) CreateAutomation(ctx context.Context, fields value.Value) (id string, err error) {
	v, err := c.do(ctx, request{method: http.MethodPost, path: "/automations/", body: fields.AppendJSON(nil), once: true})
	return text(v, "id"), err
}

// UpdateAutomation changes an automation in place: its id, its owner and, where they are not said, its tags stay.
func (c *Client) UpdateAutomation(ctx context.Context, id string, fields value.Value) error {
	_, err := c.do(ctx, request{method: http.MethodPut, path: path("automations", id), body: fields.AppendJSON(nil)})
	return err
}

// DeleteAutomation removes one automation. That it is gone already is no error.
func (c *Client) DeleteAutomation(ctx context.Context, id string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: path("automations", id)})
	if StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// DeleteOwnedAutomations removes the automations that deploys of a deployment made, and no others. On a server without automations it does nothing.
func (c *Client) DeleteOwnedAutomations(ctx context.Context, deployment string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: path("automations", "owned-by", "prefect.deployment."+deployment)})
	if StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// ApplySLAs makes a deployment's SLAs these and no others; they are matched by name, so a repeat is safe. Only Prefect Cloud has the route.
func (c *Client) ApplySLAs(ctx context.Context, deployment string, slas []value.Value) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: path("slas", "apply-resource-slas", "prefect.deployment."+deployment), body: value.Of(slas).AppendJSON(nil)})
	return err
}
