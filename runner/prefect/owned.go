// Reads for deletes: which deployments of a server were created by us, and how many runs would be lost with one.
//
// The deployments' filter knows no labels (3.8.8), so all deployments have to be listed to find those with ours. On a server that holds far more than one project that
// costs more than it tells, so the count is asked first.
package prefect

import (
	"context"
	"net/http"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Count is the number of deployments on the server.
func (c *Client) Count(ctx context.Context) (int, error) {
	v, err := c.do(ctx, request{method: http.MethodPost, path: path("deployments", "count"), body: []byte("{}"), read: true})
	return int(v.Int), err
}

// All lists every deployment of the server with its flow's name. Pages are sorted by creation, newest first: names repeat between flows, and entries of one name may
// change places between two pages, which would lose some. One that appears meanwhile shifts the pages and repeats an entry; one that is deleted meanwhile can still hide
// another, so a caller that misses a deployment which it knows asks for it by name.
func (c *Client) All(ctx context.Context) ([]Deployment, error) {
	var list []value.Value
	seen := map[string]bool{}
	err := c.pages(ctx, "deployments", []value.Entry{{Key: "sort", Value: value.Of("CREATED_DESC")}}, func(item value.Value) bool {
		if id := text(item, "id"); !seen[id] {
			seen[id] = true
			list = append(list, item)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	names, err := c.flowsByID(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]Deployment, 0, len(list))
	for _, item := range list {
		if flow, ok := names[text(item, "flow_id")]; ok {
			out = append(out, Deployment{ID: text(item, "id"), FlowID: text(item, "flow_id"), Name: DeploymentName{flow, text(item, "name")}, Raw: item})
		}
	}
	return out, nil
}

func (c *Client) flowsByID(ctx context.Context, deployments []value.Value) (map[string]string, error) {
	var ids []string
	for _, d := range deployments {
		ids = append(ids, text(d, "flow_id"))
	}
	ids = distinct(ids)
	names := map[string]string{}
	for start := 0; start < len(ids); start += pageSize {
		chunk := ids[start:min(start+pageSize, len(ids))]
		err := c.pages(ctx, "flows", []value.Entry{{Key: "flows", Value: anyOf("id", chunk)}}, func(item value.Value) bool {
			names[text(item, "id")] = text(item, "name")
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// CountRuns counts the runs of the deployments, all in one number: those in states of these types and names (nil for any), with auto only those that a schedule made. The server
// marks these by a tag, and its filter knows no other sign of them.
func (c *Client) CountRuns(ctx context.Context, ids, types, names []string, auto bool) (int, error) {
	total := 0
	for start := 0; start < len(ids); start += pageSize {
		var state []value.Entry
		if types != nil {
			state = append(state, anyOf("type", types).Map...)
		}
		if names != nil {
			state = append(state, anyOf("name", names).Map...)
		}
		runs := []value.Entry{{Key: "state", Value: value.Of(state)}}
		if auto {
			runs = append(runs, value.Entry{Key: "tags", Value: value.Of([]value.Entry{{Key: "all_", Value: value.Of([]value.Value{value.Of("auto-scheduled")})}})})
		}
		body := value.Of([]value.Entry{{Key: "deployments", Value: anyOf("id", ids[start:min(start+pageSize, len(ids))])}, {Key: "flow_runs", Value: value.Of(runs)}})
		n, err := c.do(ctx, request{method: http.MethodPost, path: path("flow_runs", "count"), body: body.AppendJSON(nil), read: true})
		if err != nil {
			return 0, err
		}
		total += int(n.Int)
	}
	return total, nil
}
