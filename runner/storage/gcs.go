// Google Cloud Storage. As in prefect-gcp a service account comes from the credentials, as a mapping or as a file, and else from where Google's libraries look for one; the argument `project` is taken and means nothing there either.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const gcsScope = "https://www.googleapis.com/auth/cloud-platform"

// chunk is what the sizes of Google's requests are multiples of.
const chunk = 256 << 10

func openGCS(ctx context.Context, c Call) (*bucket, error) {
	client, err := gcsClient(ctx, c)
	if err != nil {
		return nil, err
	}
	name := text(c.Inputs, "bucket")
	own, err := storage.NewClient(ctx, option.WithHTTPClient(&client.Client)) // gocloud's own way takes an emulator's address only without its scheme
	if err != nil {
		return nil, fmt.Errorf("the bucket %q cannot be used: %w", name, err)
	}
	opened, err := gcsblob.OpenBucket(ctx, nil, name, &gcsblob.Options{Client: own})
	if err != nil {
		return nil, fmt.Errorf("the bucket %q cannot be used: %w", name, err)
	}
	own.SetRetry(storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(5), storage.WithBackoff(gax.Backoff{Initial: longest / 16, Max: longest, Multiplier: 2})) // what is written is the same each time
	where := "the bucket " + name
	if host := c.Env("STORAGE_EMULATOR_HOST"); host != "" {
		where += " at " + strings.TrimPrefix(shownURL("http://"+strings.TrimPrefix(host, "http://")), "http://")
	}
	exact := func(key, version string) func(as func(any) bool) error {
		return func(as func(any) bool) error {
			var handle **storage.ObjectHandle
			if as(&handle) {
				*handle = own.Bucket(name).Object(key)
				if generation, err := strconv.ParseInt(version, 10, 64); err == nil && generation > 0 {
					*handle = (*handle).If(storage.Conditions{GenerationMatch: generation})
				}
			}
			return nil
		}
	}
	return &bucket{name: where, blob: opened, explain: explainGCS, inPlace: true,
		mayNot: func(err error) bool {
			var api *googleapi.Error
			return errors.As(err, &api) && api.Code == http.StatusForbidden
		},
		list: func(ctx context.Context, prefix string, each func(object) error) error {
			return listGCS(ctx, opened, prefix, each)
		},
		put: func(ctx context.Context, key string, file *os.File, size int64) error {
			buffer := int(min(partSize, (size/chunk+1)*chunk))
			return opened.Upload(ctx, "k", file, &blob.WriterOptions{ContentType: contentType(key), BufferSize: buffer, BeforeWrite: exact(key, "")})
		},
		get: func(ctx context.Context, o object, from, length int64) (io.ReadCloser, error) {
			return opened.NewRangeReader(ctx, "k", from, length, &blob.ReaderOptions{BeforeRead: exact(o.key, o.version)})
		},
	}, nil
}

// gcsClient is an HTTP client that logs in.
func gcsClient(ctx context.Context, c Call) (*gcp.HTTPClient, error) {
	who, _ := c.Inputs.Get("credentials")
	if who.Kind != value.Map && !who.IsNull() {
		return nil, fmt.Errorf("the argument \"credentials\" must be a mapping, not %s", who.Kind)
	}
	account, err := serviceAccount(c, who)
	if err != nil {
		return nil, err
	}
	transport := c.transport()
	login := context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, &http.Client{Transport: transport}) // who gives tokens may stand still, too
	switch {
	case account != nil:
		config, err := google.JWTConfigFromJSON(account, gcsScope)
		if err != nil {
			return nil, fmt.Errorf("the credentials hold no service account: %w", err)
		}
		return gcp.NewHTTPClient(transport, config.TokenSource(login))
	case c.Env("STORAGE_EMULATOR_HOST") != "":
		return gcp.NewAnonymousHTTPClient(transport), nil
	}
	found, err := google.FindDefaultCredentials(login, gcsScope)
	if err != nil {
		return nil, errors.New("there are no credentials: give the step some, or set GOOGLE_APPLICATION_CREDENTIALS to the path of a service account's file")
	}
	return gcp.NewHTTPClient(transport, oauth2.TokenSource(found.TokenSource))
}

// serviceAccount is the JSON of the account that the credentials hold, nil when they hold none.
func serviceAccount(c Call, who value.Value) ([]byte, error) {
	info, _ := who.Get("service_account_info")
	file, _ := who.Get("service_account_file")
	switch {
	case info.Kind == value.Map:
		if _, ok := info.Get("type"); !ok { // which Google's library for Python does not want
			info = info.Set("type", value.Of("service_account"))
		}
		return info.AppendJSON(nil), nil
	case info.Kind == value.Text:
		return []byte(info.Text), nil
	case !info.IsNull():
		return nil, fmt.Errorf("service_account_info of the credentials must be a mapping, not %s", info.Kind)
	case file.IsNull():
		return nil, nil
	case file.Kind != value.Text:
		return nil, fmt.Errorf("service_account_file of the credentials must be text, not %s", file.Kind)
	}
	path := file.Text
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the service account's file cannot be read: %w", err)
	}
	return data, nil
}

func listGCS(ctx context.Context, b *blob.Bucket, prefix string, each func(object) error) error {
	exact := func(as func(any) bool) error {
		var query *storage.Query
		if as(&query) {
			query.Prefix = prefix
		}
		return nil
	}
	return listBlob(ctx, b, exact, func(o *blob.ListObject) object {
		out := object{key: o.Key, size: o.Size, md5: o.MD5}
		var own storage.ObjectAttrs
		if o.As(&own) {
			out.key, out.version = own.Name, strconv.FormatInt(own.Generation, 10)
			if own.ContentEncoding == "gzip" { // it is unpacked on its way, so neither its size nor its hash is that of the file
				out.size, out.md5 = unknown, nil
			}
		}
		return out
	}, each)
}

// explainGCS says what a server's refusal means.
func explainGCS(err error) string {
	var api *googleapi.Error
	var login *oauth2.RetrieveError
	switch {
	case errors.As(err, &login):
		return "the credentials are refused by the server that gives tokens"
	case errors.Is(err, storage.ErrBucketNotExist):
		return "it does not exist"
	case !errors.As(err, &api):
		return ""
	case api.Code == http.StatusPreconditionFailed:
		return errChanged.Error()
	case api.Code == http.StatusNotFound:
		return "it does not exist"
	case api.Code == http.StatusUnauthorized || api.Code == http.StatusForbidden:
		return fmt.Sprintf("the credentials are refused (%d: %s)", api.Code, oneLine(api.Message))
	}
	return fmt.Sprintf("%d: %s", api.Code, oneLine(api.Message))
}
