// A bucket as this package needs it: gocloud's, and beside it the doors to the cloud's own requests. They are needed for exact keys: gocloud writes a key with a line end or `../` in it in another way (`__0xa__`), and Prefect as it is.
package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"gocloud.dev/blob"
)

// partSize is boto3's: what an object that was put in parts answers when asked for its hash depends on the size of the parts.
const partSize = 8 << 20

// unknown is the size of an object that is unpacked on its way.
const unknown = -1

// object is one that is there.
type object struct {
	key  string
	size int64
	// md5 is the hash of its bytes, nil where the server does not know it; parts is the hash of the hashes of its parts, and their number.
	md5   []byte
	parts string
	// version is what a read can insist on, so that it never mixes two contents; "" where the cloud's library sees to that.
	version string
	// folder marks what stands for a directory and has no bytes.
	folder bool
}

// bucket is an open one.
type bucket struct {
	// name is what messages call it: "the bucket b at http://127.0.0.1:9000".
	name string
	blob *blob.Bucket
	// list gives all objects whose keys begin with a prefix, put writes one, get reads one, each with the key as it is.
	list func(ctx context.Context, prefix string, each func(object) error) error
	put  func(ctx context.Context, key string, file *os.File, size int64) error
	get  func(ctx context.Context, o object, from, length int64) (io.ReadCloser, error) // length -1: to its end
	// explain turns an error of the cloud's library into the rest of a sentence, "" when it knows nothing better.
	explain func(error) string
	// inPlace: the cloud's own library writes into a file that is there, which so stays as executable as it is; boto3 puts a new one in its place.
	inPlace bool
	// mayNot reports whether a server refuses a request to somebody whom it knows.
	mayNot func(error) bool
	// also is what is to be closed beside blob, nil for nothing.
	also func()
}

func (b *bucket) close() {
	if b.also != nil {
		b.also()
	}
	_ = b.blob.Close()
}

// listBlob walks a listing of gocloud's. prefix sets the exact prefix in the cloud's own request; of reads an object out of the cloud's own answer.
func listBlob(ctx context.Context, b *blob.Bucket, prefix func(as func(any) bool) error, of func(*blob.ListObject) object, each func(object) error) error {
	it := b.List(&blob.ListOptions{BeforeList: prefix})
	for {
		o, err := it.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(of(o)); err != nil {
			return err
		}
	}
}

// fault is an error that says which bucket and, where that matters, which object.
func (b *bucket) fault(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var here *os.PathError
	if errors.Is(err, errLink) || errors.As(err, &here) {
		return fmt.Errorf("%s: %w", what, err)
	}
	why := b.explain(err)
	var network net.Error
	var operation *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		why = "its certificate is not trusted (" + certificate.Err.Error() + "): name the authority's certificate as verify in client_parameters or in AWS_CA_BUNDLE where this is S3, else in SSL_CERT_FILE"
	case why != "":
	case errors.As(err, &operation):
		why = operation.Error()
	case errors.As(err, &network) && network.Timeout():
		why = "it did not answer in time"
	default:
		why = oneLine(err.Error())
	}
	return fmt.Errorf("%s: %s: %s", what, b.name, why)
}

// oneLine makes a library's text one sentence, in which a URL is no more than its host: a path and parameters may say too much.
func oneLine(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		at := strings.Index(word, "http://")
		if at < 0 {
			at = strings.Index(word, "https://")
		}
		if at >= 0 {
			words[i] = word[:at] + shownURL(strings.TrimRight(word[at:], `"':;,.)`))
		}
	}
	s = strings.Join(words, " ")
	if len(s) > 600 {
		s = strings.ToValidUTF8(s[:600], "") + "…"
	}
	return s
}
