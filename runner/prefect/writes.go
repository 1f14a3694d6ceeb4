// The writes, one request each. Whether a repeat is safe stands with each: it decides what happens when the connection breaks after
// a request was sent.
package prefect

import (
	"context"
	"fmt"
	"net/http"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Flow returns the id of the flow of that name, which is created if it does not exist (POST /flows/ is an upsert: repeat is safe).
func (c *Client) Flow(ctx context.Context, name string) (id string, err error) {
	body := value.Of([]value.Entry{{Key: "name", Value: value.Of(name)}})
	v, err := c.do(ctx, request{method: http.MethodPost, path: "/flows/", body: body.AppendJSON(nil)})
	if err != nil {
		return "", err
	}
	if id = text(v, "id"); id == "" {
		return "", fmt.Errorf("POST /flows/: the answer has no id; is %s a Prefect API?", c.Source())
	}
	return id, nil
}

// CreateDeployment sends a whole deployment ("name" and "flow_id" included) and returns what the server made of it. An existing one of
// that name is replaced, its schedules too, so a repeat is safe.
func (c *Client) CreateDeployment(ctx context.Context, fields value.Value) (Deployment, error) {
	v, err := c.do(ctx, request{method: http.MethodPost, path: "/deployments/", body: fields.AppendJSON(nil)})
	if err != nil {
		return Deployment{}, err
	}
	return Deployment{ID: text(v, "id"), FlowID: text(v, "flow_id"), Name: DeploymentName{Deployment: text(v, "name")}, Raw: v}, nil
}

// UpdateDeployment changes the given fields and leaves the others. Each call deletes the deployment's future scheduled runs. A
// repeat is safe unless a schedule `replaces` another: the second time there is nothing left to replace, and the server says 422.
func (c *Client) UpdateDeployment(ctx context.Context, id string, fields value.Value) error {
	_, err := c.do(ctx, request{method: http.MethodPatch, path: path("deployments", id), body: fields.AppendJSON(nil), once: replaces(fields)})
	return err
}

func replaces(fields value.Value) bool {
	schedules, _ := fields.Get("schedules")
	for _, s := range schedules.List {
		if r, ok := s.Get("replaces"); ok && !r.IsNull() {
			return true
		}
	}
	return false
}

// DeleteDeployment removes a deployment and its schedules.
func (c *Client) DeleteDeployment(ctx context.Context, id string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: path("deployments", id)})
	return err
}

// CreateSchedules adds schedules to a deployment. Sent twice they would be there twice, so it is not repeated when it may have arrived.
func (c *Client) CreateSchedules(ctx context.Context, deployment string, schedules []value.Value) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: path("deployments", deployment, "schedules"), body: value.Of(schedules).AppendJSON(nil), once: true})
	return err
}

// UpdateSchedule changes one schedule and keeps its id. 3.8.8 ignores nulls, and empties "parameters" when they are not sent.
func (c *Client) UpdateSchedule(ctx context.Context, deployment, schedule string, fields value.Value) error {
	_, err := c.do(ctx, request{method: http.MethodPatch, path: path("deployments", deployment, "schedules", schedule), body: fields.AppendJSON(nil)})
	return err
}

// DeleteSchedule removes one schedule. That it is gone already is no error: gone is what was asked for.
func (c *Client) DeleteSchedule(ctx context.Context, deployment, schedule string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: path("deployments", deployment, "schedules", schedule)})
	if StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// SetLimit sets the number of the concurrency limit of that name and returns its id.
func (c *Client) SetLimit(ctx context.Context, name string, limit value.Value) (id string, err error) {
	at := path("v2", "concurrency_limits", name)
	v, err := c.do(ctx, request{method: http.MethodGet, path: at})
	if err != nil {
		return "", err
	}
	body := value.Of([]value.Entry{{Key: "limit", Value: limit}})
	_, err = c.do(ctx, request{method: http.MethodPatch, path: at, body: body.AppendJSON(nil)})
	return text(v, "id"), err
}
