// The concurrency limit of a deployment, and how not to harm another's.
//
// A limit is a thing of its own on the server. The one that a deployment's concurrency_limit makes is called "deployment:ID"; a person can attach any other in its place, also
// one limit to several deployments. What 3.8.8 was seen to do then (limits_real_test.go asks it again):
//
//   - PATCH {concurrency_limit: 3} sets whichever limit is attached to 3: with a shared one, for all who share it;
//   - PATCH {concurrency_limit: null}, and DELETE of the deployment, delete whichever is attached: then the others have none. `prefect deploy` sends that null with each
//     deploy of a file without a limit;
//   - PATCH {global_concurrency_limit_id: null} detaches and leaves the limit there; with concurrency_limit: 3 in the same request the deployment gets its own;
//   - that own one stays behind when another is attached, and to make it anew is then 409, as its name is taken. It can be set and attached again.
//
// So a limit that is not the deployment's own is only ever detached. One whose number is what the file says stays attached: nothing tells it from what the file wants.
package state

import (
	"context"
	"net/http"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

const (
	limitField  = "concurrency_limit"
	limitsID    = "global_concurrency_limit_id"
	ownedPrefix = "deployment:"
)

// foreignLimit is the name of the attached limit where that is not the deployment's own.
func foreignLimit(d prefect.Deployment) string {
	limit, _ := d.Raw.Get("global_concurrency_limit")
	if name := textOf(limit, "name"); !strings.Contains(name, d.ID) {
		return name
	}
	return ""
}

// sparingLimit is the body of an update that leaves an attached limit of others alone.
func sparingLimit(body value.Value, live *Live) value.Value {
	wanted, there := body.Get(limitField)
	if !there || live.ForeignLimit == "" {
		return body
	}
	was, _ := live.Fields.Get(limitField)
	switch {
	case value.Equal(was, wanted):
		return without(body, limitField)
	case wanted.IsNull():
		body = without(body, limitField)
	}
	return body.Set(limitsID, value.Value{})
}

// sendUpdate sends the body. Where the server can't make the deployment's own limit because one of that name stayed behind, that one is set and attached.
func (b *server) sendUpdate(ctx context.Context, id string, body value.Value) error {
	err := b.client.UpdateDeployment(ctx, id, body)
	wanted, _ := body.Get(limitField)
	if prefect.StatusOf(err) != http.StatusConflict || wanted.IsNull() {
		return err
	}
	own, failed := b.client.SetLimit(ctx, ownedPrefix+id, wanted)
	if failed != nil {
		return err // the conflict was another
	}
	return b.client.UpdateDeployment(ctx, id, without(body, limitField).Set(limitsID, value.Of(own)))
}

// detachLimit takes a limit of others off a deployment that is to be deleted.
func (b *server) detachLimit(ctx context.Context, l *Live) error {
	if l.ForeignLimit == "" {
		return nil
	}
	err := b.client.UpdateDeployment(ctx, l.ID, value.Value{Kind: value.Map}.Set(limitsID, value.Value{}))
	if prefect.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}
