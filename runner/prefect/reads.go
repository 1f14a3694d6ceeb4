// Reading many things with few requests. Prefect's lists take filters by name, at most 200 entries a page, so a thousand
// deployments cost about five requests where asking one by one costs a thousand.
//
// A deployment's answer names its flow by id only. With one flow asked for, that is the flow; else the flows are listed too, 200 names
// at a time. Asked for flows {A, B} and names {x, y}, the filter answers every existing pair of them; what was not wanted is
// dropped here.
//
// Pages are sorted by creation, newest first: names repeat between flows, and entries of equal rank may change places between two
// pages. A deployment that appears meanwhile shifts the later pages by one, which repeats an entry and loses none.
package prefect

import (
	"context"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// pageSize is the most that a server gives at once unless PREFECT_SERVER_API_DEFAULT_LIMIT says less.
const pageSize = 200

// DeploymentName names a deployment as people do: flow/deployment.
type DeploymentName struct{ Flow, Deployment string }

// Deployment is one deployment as the server answers it (schemas of 3.8.8's DeploymentResponse).
type Deployment struct {
	ID, FlowID string
	Name       DeploymentName
	Raw        value.Value
}

// BlockName names a block document by its type's slug and its own name ("secret", "my-token"), or by its ID alone.
type BlockName struct{ Type, Name, ID string }

// Deployments reads those of the named deployments that exist, in the order of names.
func (c *Client) Deployments(ctx context.Context, names []DeploymentName) ([]Deployment, error) {
	flows, byFlow := groupByFlow(names)
	found := map[DeploymentName]Deployment{}
	for start := 0; start < len(flows); start += pageSize {
		chunk := flows[start:min(start+pageSize, len(flows))]
		if err := c.deploymentsOf(ctx, chunk, byFlow, found); err != nil {
			return nil, err
		}
	}
	var out []Deployment
	for _, n := range names {
		if d, ok := found[n]; ok {
			out = append(out, d)
			delete(found, n)
		}
	}
	return out, nil
}

// groupByFlow returns the flows in sorted order and the wanted deployments of each.
func groupByFlow(names []DeploymentName) (flows []string, byFlow map[string]map[string]bool) {
	byFlow = map[string]map[string]bool{}
	for _, n := range names {
		if byFlow[n.Flow] == nil {
			byFlow[n.Flow] = map[string]bool{}
			flows = append(flows, n.Flow)
		}
		byFlow[n.Flow][n.Deployment] = true
	}
	sort.Strings(flows)
	return flows, byFlow
}

func (c *Client) deploymentsOf(ctx context.Context, flows []string, byFlow map[string]map[string]bool, found map[DeploymentName]Deployment) error {
	var names []string
	wanted := 0
	seen := map[string]bool{}
	for _, f := range flows {
		for n := range byFlow[f] {
			wanted++
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	sort.Strings(names)
	flowOf := func(string) string { return flows[0] }
	if len(flows) > 1 {
		byID, err := c.flowNames(ctx, flows)
		if err != nil || len(byID) == 0 {
			return err
		}
		flowOf = func(id string) string { return byID[id] }
	}
	filter := []value.Entry{
		{Key: "flows", Value: anyOf("name", flows)},
		{Key: "deployments", Value: anyOf("name", names)},
		{Key: "sort", Value: value.Of("CREATED_DESC")},
	}
	got := 0
	return c.pages(ctx, "deployments", filter, func(item value.Value) bool {
		name := DeploymentName{flowOf(text(item, "flow_id")), text(item, "name")}
		if _, twice := found[name]; !twice && byFlow[name.Flow][name.Deployment] {
			found[name] = Deployment{ID: text(item, "id"), FlowID: text(item, "flow_id"), Name: name, Raw: item}
			got++
		}
		return got < wanted
	})
}

// flowNames maps the ids of the named flows to their names.
func (c *Client) flowNames(ctx context.Context, names []string) (map[string]string, error) {
	byID := map[string]string{}
	err := c.pages(ctx, "flows", []value.Entry{{Key: "flows", Value: anyOf("name", names)}}, func(item value.Value) bool {
		byID[text(item, "id")] = text(item, "name")
		return len(byID) < len(names)
	})
	return byID, err
}

// WorkPools reads those of the named work pools that exist, sorted by name.
func (c *Client) WorkPools(ctx context.Context, names []string) ([]value.Value, error) {
	return c.named(ctx, "work_pools", nil, "work_pools", names)
}

// AllWorkPools reads all work pools, sorted by name.
func (c *Client) AllWorkPools(ctx context.Context) (out []value.Value, err error) {
	err = c.pages(ctx, "work_pools", nil, func(item value.Value) bool {
		out = append(out, item)
		return true
	})
	sort.SliceStable(out, func(i, j int) bool { return text(out[i], "name") < text(out[j], "name") })
	return out, err
}

// Variables reads those of the named variables that exist, sorted by name: mappings with "name" and "value" (any JSON).
func (c *Client) Variables(ctx context.Context, names []string) ([]value.Value, error) {
	return c.named(ctx, "variables", nil, "variables", names)
}

// named reads the entries of a list by their names, which are unique.
func (c *Client) named(ctx context.Context, list string, filter []value.Entry, key string, names []string) ([]value.Value, error) {
	names = distinct(names)
	var out []value.Value
	for start := 0; start < len(names); start += pageSize {
		chunk := names[start:min(start+pageSize, len(names))]
		left := len(chunk)
		err := c.pages(ctx, list, append(filter[:len(filter):len(filter)], value.Entry{Key: key, Value: anyOf("name", chunk)}), func(item value.Value) bool {
			out = append(out, item)
			left--
			return left > 0
		})
		if err != nil {
			return nil, err
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return text(out[i], "name") < text(out[j], "name") })
	return out, nil
}

// pages asks for one page after the other and hands out the entries, until there are no more or each says that it was enough.
func (c *Client) pages(ctx context.Context, list string, filter []value.Entry, each func(value.Value) bool) error {
	limit := pageSize
	for offset := 0; ; {
		body := append(filter[:len(filter):len(filter)], value.Entry{Key: "offset", Value: value.Of(offset)})
		v, err := c.filter(ctx, list, body, limit)
		if smaller, ok := smallerLimit(err, limit); ok {
			limit = smaller
			continue
		}
		if err != nil {
			return err
		}
		for _, item := range v.List {
			if !each(item) {
				return nil
			}
		}
		if len(v.List) < limit {
			return nil
		}
		offset += len(v.List)
	}
}

func (c *Client) filter(ctx context.Context, list string, filter []value.Entry, limit int) (value.Value, error) {
	body := value.Of(append(filter[:len(filter):len(filter)], value.Entry{Key: "limit", Value: value.Of(limit)}))
	return c.do(ctx, request{method: http.MethodPost, path: path(list, "filter"), body: body.AppendJSON(nil), read: true})
}

// smallerLimit reads the limit out of a server's refusal: "Invalid limit: must be less than or equal to 50." (3.8.8).
func smallerLimit(err error, limit int) (int, bool) {
	if StatusOf(err) != http.StatusUnprocessableEntity {
		return 0, false
	}
	_, after, ok := strings.Cut(err.Error(), "less than or equal to ")
	if !ok {
		return 0, false
	}
	digits := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
	n, convErr := strconv.Atoi(digits)
	return n, convErr == nil && n > 0 && n < limit
}

// Blocks reads the named block documents with their secrets; references to other blocks are filled in, as a server fills them
// itself. The result has the block's data by name; a block that does not exist is absent.
func (c *Client) Blocks(ctx context.Context, names []BlockName) (map[BlockName]value.Value, error) {
	out := map[BlockName]value.Value{}
	if len(names) == 0 {
		return out, nil
	}
	wanted := map[BlockName]bool{}
	var types, documents []string
	for _, n := range names {
		if n.ID != "" {
			if err := c.blockByID(ctx, n, out); err != nil {
				return nil, err
			}
			continue
		}
		wanted[n] = true
		types, documents = append(types, n.Type), append(documents, n.Name)
	}
	if err := c.blocksByName(ctx, wanted, distinct(types), distinct(documents), out); err != nil {
		return nil, err
	}
	var err error
	for _, n := range names {
		data, ok := out[n]
		if !ok {
			continue
		}
		if out[n], err = c.fillReferences(ctx, data, 0); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// blocksByName adds the data of those that exist.
func (c *Client) blocksByName(ctx context.Context, wanted map[BlockName]bool, types, documents []string, out map[BlockName]value.Value) error {
	if len(wanted) == 0 {
		return nil
	}
	filter := []value.Entry{
		{Key: "block_documents", Value: anyOf("name", documents)},
		{Key: "block_types", Value: anyOf("slug", types)},
		{Key: "include_secrets", Value: value.Of(true)},
	}
	found := 0
	return c.pages(ctx, "block_documents", filter, func(item value.Value) bool {
		blockType, _ := item.Get("block_type")
		name := BlockName{Type: text(blockType, "slug"), Name: text(item, "name")}
		if data, ok := item.Get("data"); ok && wanted[name] {
			out[name] = data
			found++
		}
		return found < len(wanted)
	})
}

// blockByID adds the data of one, if it exists.
func (c *Client) blockByID(ctx context.Context, n BlockName, out map[BlockName]value.Value) error {
	document, err := c.do(ctx, request{method: http.MethodGet, path: path("block_documents", n.ID) + "?include_secrets=true"})
	switch StatusOf(err) {
	case http.StatusNotFound, http.StatusUnprocessableEntity: // there is none, or it is no identifier
		return nil
	}
	if err == nil {
		out[n], _ = document.Get("data")
	}
	return err
}

// fillReferences replaces what is left of {"$ref": {"block_document_id": ID}} by the data of that document.
func (c *Client) fillReferences(ctx context.Context, v value.Value, depth int) (value.Value, error) {
	const deepest = 20
	if ref, ok := v.Get("$ref"); ok && depth < deepest {
		if id := text(ref, "block_document_id"); id != "" {
			document, err := c.do(ctx, request{method: http.MethodGet, path: path("block_documents", id) + "?include_secrets=true"})
			if err != nil {
				return value.Value{}, err
			}
			data, _ := document.Get("data")
			return c.fillReferences(ctx, data, depth+1)
		}
	}
	var err error
	if len(v.List) > 0 {
		v.List = append([]value.Value(nil), v.List...)
	}
	for i := range v.List {
		if v.List[i], err = c.fillReferences(ctx, v.List[i], depth); err != nil {
			return value.Value{}, err
		}
	}
	if len(v.Map) > 0 {
		v.Map = append([]value.Entry(nil), v.Map...)
	}
	for i := range v.Map {
		if v.Map[i].Value, err = c.fillReferences(ctx, v.Map[i].Value, depth); err != nil {
			return value.Value{}, err
		}
	}
	return v, nil
}

// anyOf is {"FIELD": {"any_": [TEXTS]}}.
func anyOf(field string, texts []string) value.Value {
	list := make([]value.Value, len(texts))
	for i, t := range texts {
		list[i] = value.Of(t)
	}
	return value.Of([]value.Entry{{Key: field, Value: value.Of([]value.Entry{{Key: "any_", Value: value.Of(list)}})}})
}

func distinct(texts []string) []string {
	out := append([]string(nil), texts...)
	sort.Strings(out)
	n := 0
	for i, t := range out {
		if i == 0 || t != out[i-1] {
			out[n] = t
			n++
		}
	}
	return out[:n]
}

// text is the text under key, "" when there is none.
func text(v value.Value, key string) string {
	got, _ := v.Get(key)
	if got.Kind != value.Text {
		return ""
	}
	return got.Text
}
