// Small objects of S3. For a file of some kilobytes most of what the SDK does is not the transfer: it works out the endpoint twice and leads each request through fifty layers. So the SDK is asked once where the bucket is and how requests
// to it are signed, and small files go there in one bare request each, signed by the SDK's signer, with the checksum that the SDK would send. Whatever is not plainly a success is left to the SDK: it tries again, and knows what refusals mean.
package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// bareSize is the size up to which an object goes by a bare request; a transfer holds all of it in memory.
const bareSize = 1 << 20

// emptyHash is SHA-256 of nothing, which requests without a body are signed with.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// bare sends requests for objects of one bucket.
type bare struct {
	do     func(*http.Request) (*http.Response, error)
	login  aws.CredentialsProvider
	signer *v4.Signer
	region string
	// base is the bucket's URL, its path ends before the key and is escaped.
	base url.URL
	path string
	// sums and reads say whether checksums are sent with objects, and asked for.
	sums, reads bool
}

// newBare asks the SDK where a bucket is; nil where only the SDK can sign.
func newBare(ctx context.Context, client *s3.Client, name string) *bare {
	o := client.Options()
	if o.Credentials == nil || aws.IsCredentialsProvider(o.Credentials, aws.AnonymousCredentials{}) {
		return nil
	}
	key := "k"
	signed, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &name, Key: &key})
	if err != nil {
		return nil // whoever sends the first request says why
	}
	u, err := url.Parse(signed.URL)
	if err != nil || u.Query().Get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
		return nil
	}
	scope := strings.Split(u.Query().Get("X-Amz-Credential"), "/")
	path, ok := strings.CutSuffix(u.EscapedPath(), "/k")
	if n := len(scope); !ok || n < 5 || scope[n-2] != "s3" {
		return nil
	}
	return &bare{do: o.HTTPClient.Do, login: o.Credentials, region: scope[len(scope)-3], path: path + "/", base: url.URL{Scheme: u.Scheme, Host: u.Host},
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		sums:   o.RequestChecksumCalculation != aws.RequestChecksumCalculationWhenRequired, reads: o.ResponseChecksumValidation != aws.ResponseChecksumValidationWhenRequired}
}

// send signs a request and sends it.
func (b *bare) send(ctx context.Context, method, key string, header http.Header, sum string, body io.Reader) (*http.Response, error) {
	u := b.base
	u.RawPath = b.path + httpbinding.EscapePath(key, false)
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "", body)
	if err != nil {
		return nil, err
	}
	login, err := b.login.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	r.URL, r.Host, r.Header = &u, u.Host, header
	header["X-Amz-Content-Sha256"] = []string{sum}
	if err := b.signer.SignHTTP(ctx, login, r, sum, "s3", b.region, time.Now()); err != nil {
		return nil, err
	}
	r.Header["Accept-Encoding"] = []string{"identity"} // after it was signed: see unsignedEncoding
	return b.do(r)
}

// put sends a file, and reports whether the server took it.
func (b *bare) put(ctx context.Context, key string, file *os.File, size int64) bool {
	data := make([]byte, size+1)
	n, err := io.ReadFull(file, data)
	if !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return false // it grows, or cannot be read
	}
	data = data[:n]
	hash := sha256.Sum256(data)
	header := http.Header{"Content-Type": {"binary/octet-stream"}}
	if b.sums {
		header["X-Amz-Sdk-Checksum-Algorithm"], header["X-Amz-Checksum-Crc32"] = []string{"CRC32"}, []string{crc(crc32.ChecksumIEEE(data))}
	}
	got, err := b.send(ctx, http.MethodPut, key, header, hex.EncodeToString(hash[:]), bytes.NewReader(data))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(got.Body, bareSize)) // read to its end, a connection can be used again
	got.Body.Close()
	return err == nil && got.StatusCode == http.StatusOK
}

// get opens an object; nil when the server does not simply give it.
func (b *bare) get(ctx context.Context, o object) io.ReadCloser {
	header := http.Header{}
	if o.version != "" {
		header["If-Match"] = []string{o.version}
	}
	if b.reads {
		header["X-Amz-Checksum-Mode"] = []string{"ENABLED"}
	}
	got, err := b.send(ctx, http.MethodGet, o.key, header, emptyHash, nil)
	if err != nil {
		return nil
	}
	if got.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(got.Body, bareSize))
		got.Body.Close()
		return nil
	}
	want := got.Header.Get("X-Amz-Checksum-Crc32")
	if want == "" || strings.Contains(want, "-") { // "-": of the parts' checksums
		return got.Body
	}
	return &checked{body: got.Body, sum: crc32.NewIEEE(), want: want}
}

// checked is a body whose end is an error when it is not the one that the server has a checksum of.
type checked struct {
	body io.ReadCloser
	sum  hash.Hash32
	want string
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.sum.Write(p[:n])
	if err == io.EOF && crc(c.sum.Sum32()) != c.want {
		return n, errDamaged
	}
	return n, err
}

func (c *checked) Close() error { return c.body.Close() }

// crc is a checksum as S3 writes it.
func crc(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
