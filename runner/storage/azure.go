// Azure Blob Storage. A connection string counts before an account's URL; with the URL come either a service principal or whatever Azure's libraries find on the machine, as in prefect-azure.
//
// gocloud gives no way to an exact key here (it writes `#` and `%` in another way), so blobs are written and read through the container's own client, the one that gocloud was given.
package storage

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func openAzure(ctx context.Context, c Call) (*bucket, error) {
	client, err := azureClient(c)
	if err != nil {
		return nil, err
	}
	opened, err := azureblob.OpenBucket(ctx, client, nil)
	if err != nil {
		return nil, fmt.Errorf("the container cannot be used: %w", err)
	}
	return &bucket{name: "the container " + text(c.Inputs, "container") + " at " + shownURL(client.URL()), blob: opened, explain: explainAzure, inPlace: true,
		mayNot: func(err error) bool { return bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) },
		list: func(ctx context.Context, prefix string, each func(object) error) error {
			return listAzure(ctx, opened, prefix, each)
		},
		put: func(ctx context.Context, key string, file *os.File, size int64) error {
			return putAzure(ctx, client.NewBlockBlobClient(key), file, size)
		},
		get: func(ctx context.Context, o object, from, length int64) (io.ReadCloser, error) {
			return getAzure(ctx, client.NewBlobClient(o.key), o, from, length)
		},
	}, nil
}

func azureClient(c Call) (*container.Client, error) {
	who, _ := c.Inputs.Get("credentials")
	if who.Kind != value.Map {
		return nil, fmt.Errorf("the argument \"credentials\" must be a mapping, not %s", who.Kind)
	}
	for _, e := range who.Map {
		switch e.Key {
		case "connection_string", "account_url", "tenant_id", "client_id", "client_secret":
			if e.Value.Kind != value.Text && !e.Value.IsNull() {
				return nil, fmt.Errorf("%s of the credentials must be text, not %s", e.Key, e.Value.Kind)
			}
		}
	}
	name := text(c.Inputs, "container")
	transport := c.transport()
	again := func(r *http.Response, err error) bool {
		return err != nil && !distrusted(err) || err == nil && runtime.HasStatusCode(r, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	}
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: 4, RetryDelay: longest / 16, MaxRetryDelay: longest, ShouldRetry: again}}}
	connection, _ := who.Get("connection_string")
	account, _ := who.Get("account_url")
	switch {
	case !connection.IsNull():
		client, err := container.NewClientFromConnectionString(canonical(connection.Text), name, options)
		if err != nil {
			return nil, errors.New("the connection string cannot be read: it is one line of the form DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…")
		}
		return client, nil
	case account.IsNull():
		return nil, errors.New("the credentials must hold connection_string or account_url")
	}
	return azureAccount(account.Text, name, who, options)
}

// azureAccount is the client of an account's URL, which may bring a signature of its own.
func azureAccount(account, name string, who value.Value, options *container.ClientOptions) (*container.Client, error) {
	u, err := url.Parse(account)
	if err != nil || u.Host == "" {
		return nil, errors.New("account_url is no URL: write https://ACCOUNT.blob.core.windows.net/")
	}
	where := u.JoinPath(name).String()
	if u.Query().Get("sig") != "" {
		return container.NewClientWithNoCredential(where, options)
	}
	login, err := azureLogin(who, policy.ClientOptions{Transport: options.Transport})
	if err != nil {
		return nil, err
	}
	return container.NewClient(where, login, options)
}

func azureLogin(who value.Value, options policy.ClientOptions) (azcore.TokenCredential, error) {
	tenant, _ := who.Get("tenant_id")
	id, _ := who.Get("client_id")
	secret, _ := who.Get("client_secret")
	if !tenant.IsNull() && !id.IsNull() && !secret.IsNull() {
		login, err := azidentity.NewClientSecretCredential(tenant.Text, id.Text, secret.Text, &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
		if err != nil {
			return nil, errors.New("the service principal of the credentials cannot be used: tenant_id, client_id and client_secret are texts as Azure shows them")
		}
		return login, nil
	}
	login, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options})
	if err != nil {
		return nil, errors.New("there are no credentials: give the step a connection_string, or log in as Azure's libraries expect it (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET)")
	}
	return login, nil
}

func listAzure(ctx context.Context, b *blob.Bucket, prefix string, each func(object) error) error {
	exact := func(as func(any) bool) error {
		var options *container.ListBlobsHierarchyOptions
		if as(&options) {
			options.Prefix, options.Include.Metadata = &prefix, true
		}
		return nil
	}
	return listBlob(ctx, b, exact, func(o *blob.ListObject) object {
		out := object{key: o.Key, size: o.Size, md5: o.MD5}
		var own container.BlobItem
		if !o.As(&own) {
			return out
		}
		if own.Name != nil {
			out.key = *own.Name
		}
		if p := own.Properties; p != nil && p.ETag != nil {
			out.version = quoted(string(*p.ETag))
		}
		if p := own.Properties; p != nil && p.ContentEncoding != nil && strings.EqualFold(*p.ContentEncoding, "gzip") { // it is unpacked on its way, as by Azure's library for Python: neither its size nor its hash is that of the file
			out.size, out.md5 = unknown, nil
		}
		if mark := own.Metadata["hdi_isfolder"]; mark != nil && *mark == "true" {
			out.folder = true
		}
		return out
	}, each)
}

// quoted is an ETag as a request names it; Azure's lists have it without its quotes.
func quoted(tag string) string {
	if tag == "" || strings.HasSuffix(tag, `"`) {
		return tag
	}
	return `"` + tag + `"`
}

// putAzure writes a blob with the hash of its bytes, which the server only works out itself for one that comes in one piece.
func putAzure(ctx context.Context, client *blockblob.Client, file *os.File, size int64) error {
	kind := "application/octet-stream"
	sum := make([]byte, md5.Size)
	options := &blockblob.UploadStreamOptions{BlockSize: max(min(partSize, size+1), 1<<20), Concurrency: 4, HTTPHeaders: &azblob.HTTPHeaders{BlobContentType: &kind, BlobContentMD5: sum}}
	if size >= partSize*40_000 { // a blob has at most 50,000 parts
		options.BlockSize = size/40_000 + 1
	}
	_, err := client.UploadStream(ctx, &hashing{from: file, hash: md5.New(), sum: sum}, options)
	return err
}

// hashing fills sum when all was read: before the request that names it is made.
type hashing struct {
	from io.Reader
	hash hash.Hash
	sum  []byte
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	h.hash.Write(p[:n])
	if err == io.EOF {
		copy(h.sum, h.hash.Sum(nil))
	}
	return n, err
}

func getAzure(ctx context.Context, client *azblob.Client, o object, from, length int64) (io.ReadCloser, error) {
	if length < 0 {
		length = azblob.CountToEnd
	}
	options := &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: from, Count: length}}
	if o.version != "" {
		version := azcore.ETag(o.version)
		options.AccessConditions = &azblob.AccessConditions{ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: &version}}
	}
	answer, err := client.DownloadStream(ctx, options)
	if err != nil {
		return nil, err
	}
	if o.size == unknown {
		return answer.Body, nil // where a broken download would go on can't be told of what is unpacked
	}
	return answer.NewRetryReader(ctx, nil), nil
}

// explainAzure says what a server's refusal means.
func explainAzure(err error) string {
	var login *azidentity.AuthenticationFailedError
	var answer *azcore.ResponseError
	switch {
	case bloberror.HasCode(err, bloberror.ConditionNotMet):
		return errChanged.Error()
	case bloberror.HasCode(err, bloberror.ContainerNotFound):
		return "it does not exist"
	case bloberror.HasCode(err, bloberror.AuthenticationFailed, bloberror.AuthorizationFailure, bloberror.AuthorizationPermissionMismatch, bloberror.NoAuthenticationInformation, bloberror.InvalidAuthenticationInfo):
		return "the credentials are refused"
	case errors.As(err, &login):
		return "nobody could be logged in with these credentials"
	case errors.As(err, &answer):
		return fmt.Sprintf("the server answers %d %s", answer.StatusCode, answer.ErrorCode)
	}
	return ""
}

// canonical is a connection string as Azure's library for Go reads it: the one for Python takes the names in any case, a signature with its question mark, a line end behind it, and the emulator's short form.
func canonical(text string) string {
	var parts []string
	for _, part := range strings.Split(strings.TrimSpace(text), ";") {
		name, said, ok := strings.Cut(part, "=")
		for _, known := range []string{"DefaultEndpointsProtocol", "AccountName", "AccountKey", "EndpointSuffix", "BlobEndpoint", "SharedAccessSignature"} {
			if strings.EqualFold(name, known) {
				name = known
			}
		}
		if strings.EqualFold(name, "UseDevelopmentStorage") && said == "true" {
			return "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"
		}
		if name == "SharedAccessSignature" {
			said = strings.TrimPrefix(said, "?")
		}
		if ok {
			part = name + "=" + said
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ";")
}
