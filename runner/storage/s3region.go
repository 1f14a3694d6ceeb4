// The region of a bucket that nobody named, or named wrongly. S3 answers a request for a bucket of another region with that region's name, and boto3 goes there; Go's library does not. So the first such answer makes a client of that region,
// which is used from then on, by the transfers that run beside it too.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

// s3Access is a way to a bucket.
type s3Access struct {
	client   *s3.Client
	blob     *blob.Bucket
	endpoint string
	direct   *bare
}

func (s s3Settings) access(ctx context.Context, c Call, name string) (*s3Access, error) {
	client, endpoint, err := s.client(ctx, c)
	if err != nil {
		return nil, err
	}
	opened, err := s3blob.OpenBucket(ctx, client, name, nil)
	if err != nil {
		return nil, fmt.Errorf("the bucket %q cannot be used: %w", name, err)
	}
	return &s3Access{client, opened, endpoint, newBare(ctx, client, name)}, nil
}

// regional is the way that is used now.
type regional struct {
	mu  sync.Mutex
	now *s3Access
	// open makes one to another region; left is the first one, once that was done.
	open func(ctx context.Context, region string) (*s3Access, error)
	left *s3Access
}

// do asks, and asks again in the bucket's own region where the answer names one.
func (r *regional) do(ctx context.Context, ask func(*s3Access) error) error {
	r.mu.Lock()
	way := r.now
	r.mu.Unlock()
	err := ask(way)
	region := regionOf(err)
	if region == "" {
		return err
	}
	if other := r.move(ctx, way, region); other != nil {
		return ask(other)
	}
	return err
}

// move gives the way to the bucket's region, nil where that was tried already.
func (r *regional) move(ctx context.Context, from *s3Access, region string) *s3Access {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != from { // another transfer was told as well
		return r.now
	}
	if r.left != nil {
		return nil
	}
	way, err := r.open(ctx, region)
	if err != nil {
		return nil
	}
	r.left, r.now = r.now, way
	return way
}

// close ends the way that is not the bucket's first, whose end is the bucket's.
func (r *regional) close() {
	if r.left != nil {
		_ = r.now.blob.Close()
	}
}

func (r *regional) put(ctx context.Context, key string, file *os.File, size int64) error {
	return r.do(ctx, func(a *s3Access) error {
		if a.direct != nil && size <= bareSize && a.direct.put(ctx, key, file, size) {
			return nil
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return putS3(ctx, a.blob, key, file)
	})
}

func (r *regional) get(ctx context.Context, o object, from, length int64) (body io.ReadCloser, err error) {
	err = r.do(ctx, func(a *s3Access) error {
		if a.direct != nil && o.size >= 0 && o.size <= bareSize && from == 0 && length < 0 {
			if body = a.direct.get(ctx, o); body != nil {
				return nil
			}
		}
		body, err = getS3(ctx, a.blob, o, from, length)
		return err
	})
	return body, err
}

// regionOf is the region that a refusal names, "" for any other answer.
func regionOf(err error) string {
	var api smithy.APIError
	var answer *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) || answer.Response == nil {
		return ""
	}
	switch code := api.ErrorCode(); {
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException", answer.HTTPStatusCode() == 301, answer.HTTPStatusCode() == 307:
	default:
		return ""
	}
	region := answer.Response.Header.Get("X-Amz-Bucket-Region")
	if _, told, ok := strings.Cut(api.ErrorMessage(), "expecting "); ok && region == "" { // versitygw says it in words only
		region = strings.Trim(told, `'". `)
	}
	if strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" { // it becomes part of a host's name
		return ""
	}
	return region
}
