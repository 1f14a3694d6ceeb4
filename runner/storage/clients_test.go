//go:build real

// The clouds' own clients, for what tests make and look at beside the steps.
package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

func (s *servers) s3Client(t testing.TB) *s3.Client {
	t.Helper()
	c := s.call(t, &stepCase{Cloud: "aws", Way: "push"}, "b", t.TempDir())
	settings, err := s3SettingsOf(c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	client, _, err := settings.client(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *servers) gcsClient(t testing.TB) *storage.Client {
	t.Helper()
	client, err := storage.NewClient(context.Background(), option.WithEndpoint(s.gcs+"/storage/v1/"), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *servers) azureClient(t testing.TB, name string) *container.Client {
	t.Helper()
	client, err := container.NewClientFromConnectionString(s.connection(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *servers) create(t testing.TB, cloud, name string) (err error) {
	ctx := context.Background()
	switch cloud {
	case "aws":
		_, err = s.s3Client(t).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	case "gcp":
		err = s.gcsClient(t).Bucket(name).Create(ctx, "p", nil)
	default:
		_, err = s.azureClient(t, name).Create(ctx, nil)
	}
	return err
}

// readBucket gives the hash and the type of each object.
func readBucket(t testing.TB, s *servers, cloud, name string) map[string][2]string {
	t.Helper()
	ctx, out := context.Background(), map[string][2]string{}
	b := s.opened(t, cloud, name)
	defer b.close()
	kinds := s.kinds(t, cloud, name)
	err := b.list(ctx, "", func(o object) error {
		body, err := b.get(ctx, o, 0, -1)
		if err != nil {
			out[o.key] = [2]string{"listed only", ""}
			return nil
		}
		defer body.Close()
		data, err := io.ReadAll(body)
		kind := kinds[o.key]
		if cloud == "aws" {
			head, headErr := s.s3Client(t).HeadObject(ctx, &s3.HeadObjectInput{Bucket: &name, Key: &o.key})
			if headErr == nil {
				kind = aws.ToString(head.ContentType)
			}
		}
		out[o.key] = [2]string{shortHash(data), kind}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// kinds are the types that a listing tells.
func (s *servers) kinds(t testing.TB, cloud, name string) map[string]string {
	t.Helper()
	ctx, out := context.Background(), map[string]string{}
	switch cloud {
	case "gcp":
		for it := s.gcsClient(t).Bucket(name).Objects(ctx, nil); ; {
			o, err := it.Next()
			if err == iterator.Done {
				return out
			}
			if err != nil {
				t.Fatal(err)
			}
			out[o.Name] = o.ContentType
		}
	case "azure":
		for pages := s.azureClient(t, name).NewListBlobsFlatPager(nil); pages.More(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Segment.BlobItems {
				out[*o.Name] = *o.Properties.ContentType
			}
		}
	}
	return out
}

// sameAndEmpty holds the bytes of a bucket against a tree, and empties it: five of 1 GB would fill a disk.
func (s *servers) sameAndEmpty(t testing.TB, root, name string) {
	t.Helper()
	var mu sync.Mutex
	have, client := map[string]string{}, s.s3Client(t)
	each, ctx := errgroup.WithContext(context.Background())
	each.SetLimit(16)
	err := listS3(ctx, client, name, "", func(o object) error {
		each.Go(func() error {
			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &name, Key: &o.key})
			if err != nil {
				return err
			}
			defer got.Body.Close()
			sum := sha256.New()
			if _, err := io.Copy(sum, got.Body); err != nil {
				return err
			}
			mu.Lock()
			have[strings.TrimPrefix(o.key, "app/")] = hex.EncodeToString(sum.Sum(nil)[:8])
			mu.Unlock()
			return nil
		})
		return nil
	})
	if err = errors.Join(err, each.Wait()); err != nil {
		t.Fatal(err)
	}
	if want := readTree(t, root); !reflect.DeepEqual(have, want) {
		t.Fatalf("the bucket holds %d objects, or other bytes; want %d", len(have), len(want))
	}
	each, ctx = errgroup.WithContext(context.Background())
	each.SetLimit(16)
	for key := range have {
		key = "app/" + key
		each.Go(func() error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: &key})
			return err
		})
	}
	if err := each.Wait(); err != nil {
		t.Fatal(err)
	}
}
