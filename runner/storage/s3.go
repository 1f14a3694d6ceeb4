// S3, and what speaks like it. The credentials and parameters of a step become a client as prefect-aws makes one of boto3: what is given counts before the environment, a MinIO user and password are keys, and parameters in the
// credentials' block replace those beside it.
package storage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/blob"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// s3Settings is what the inputs of a step say of its client.
type s3Settings struct {
	id, key, token  string
	profile, region string
	endpoint        string
	plainHTTP       bool
	verify          bool
	bundle          string
	unsigned        bool
	pathStyle       *bool
}

func openS3(ctx context.Context, c Call) (*bucket, error) {
	s, err := s3SettingsOf(c.Inputs)
	if err != nil {
		return nil, err
	}
	name := text(c.Inputs, "bucket")
	first, err := s.access(ctx, c, name)
	if err != nil {
		return nil, err
	}
	where := "the bucket " + name
	if first.endpoint != "" {
		where += " at " + shownURL(first.endpoint)
	}
	r := &regional{now: first, open: func(ctx context.Context, region string) (*s3Access, error) {
		other := s
		other.region = region
		return other.access(ctx, c, name)
	}}
	return &bucket{name: where, blob: first.blob, also: r.close, explain: explainS3,
		mayNot: func(err error) bool {
			var api smithy.APIError
			return errors.As(err, &api) && (api.ErrorCode() == "AccessDenied" || api.ErrorCode() == "Forbidden")
		},
		list: func(ctx context.Context, prefix string, each func(object) error) error {
			return r.do(ctx, func(a *s3Access) error { return listS3(ctx, a.client, name, prefix, each) })
		},
		put: r.put,
		get: r.get,
	}, nil
}

// shownURL is a URL without user, password and parameters.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "its endpoint"
	}
	return u.Scheme + "://" + u.Host
}

// s3SettingsOf reads credentials and client_parameters.
func s3SettingsOf(inputs value.Value) (s3Settings, error) {
	s := s3Settings{verify: true}
	who, _ := inputs.Get("credentials")
	parameters, _ := inputs.Get("client_parameters")
	for key, v := range map[string]value.Value{"credentials": who, "client_parameters": parameters} {
		if v.Kind != value.Map && !v.IsNull() {
			return s, fmt.Errorf("the argument %q must be a mapping, not %s", key, v.Kind)
		}
	}
	if own, ok := who.Get("aws_client_parameters"); ok {
		if own.Kind != value.Map {
			return s, fmt.Errorf("aws_client_parameters of the credentials must be a mapping, not %s", own.Kind)
		}
		parameters = own
	}
	for key, into := range map[string]*string{"aws_access_key_id": &s.id, "aws_secret_access_key": &s.key, "aws_session_token": &s.token, "profile_name": &s.profile, "region_name": &s.region} {
		v, _ := who.Get(key)
		if v.Kind != value.Text && !v.IsNull() {
			return s, fmt.Errorf("%s of the credentials must be text, not %s", key, v.Kind)
		}
		*into = v.Text
	}
	if _, ok := who.Get("aws_access_key_id"); !ok {
		s.id = text(who, "minio_root_user")
	}
	if _, ok := who.Get("aws_secret_access_key"); !ok {
		s.key = text(who, "minio_root_password")
	}
	if text(who, "assume_role_arn") != "" {
		return s, &Unsupported{"credentials that assume a role"}
	}
	if (s.id == "") != (s.key == "") {
		return s, errors.New("the credentials hold only half of a key: give both aws_access_key_id and aws_secret_access_key, or neither")
	}
	return s, s.parameters(parameters)
}

// parameters reads client_parameters; what only botocore knows is left to it.
func (s *s3Settings) parameters(p value.Value) error {
	for _, e := range p.Map {
		v := e.Value
		switch {
		case v.IsNull():
		case e.Key == "endpoint_url" && v.Kind == value.Text:
			s.endpoint = v.Text
		case e.Key == "use_ssl" && v.Kind == value.Bool:
			s.plainHTTP = !v.Bool
		case e.Key == "verify" && v.Kind == value.Bool:
			s.verify = v.Bool
		case (e.Key == "verify" || e.Key == "verify_cert_path") && v.Kind == value.Text:
			if e.Key == "verify_cert_path" || s.bundle == "" {
				s.bundle = v.Text
			}
		case e.Key == "config" && v.Kind == value.Map:
			if err := s.botocore(v); err != nil {
				return err
			}
		case e.Key == "api_version" || e.Key == "use_ssl" || e.Key == "verify" || e.Key == "verify_cert_path" || e.Key == "endpoint_url" || e.Key == "config":
			return &Unsupported{"the client parameter " + e.Key + " as it is written here"}
		}
	}
	if v, ok := p.Get("verify"); ok && (v.IsNull() || !s.verify) { // null beside a path counts as false does: prefect-aws drops the path
		s.bundle = ""
	}
	return nil
}

// botocore reads the few settings of botocore's Config that stand in people's files.
func (s *s3Settings) botocore(c value.Value) error {
	for _, e := range c.Map {
		switch {
		case e.Value.IsNull():
		case e.Key == "region_name" && e.Value.Kind == value.Text:
			if s.region == "" {
				s.region = e.Value.Text
			}
		case e.Key == "signature_version" && e.Value.Text == "s3v4":
		case e.Key == "signature_version" && e.Value.Text == "unsigned":
			s.unsigned = true
		case e.Key == "s3" && e.Value.Kind == value.Map && len(e.Value.Map) == 1 && e.Value.Map[0].Key == "addressing_style":
			path := e.Value.Map[0].Value.Text == "path"
			if style := e.Value.Map[0].Value.Text; style != "path" && style != "virtual" && style != "auto" {
				return &Unsupported{"the addressing style " + style}
			} else if style != "auto" {
				s.pathStyle = &path
			}
		case e.Key == "max_pool_connections", e.Key == "retries", e.Key == "connect_timeout", e.Key == "read_timeout", e.Key == "tcp_keepalive", e.Key == "user_agent_extra", e.Key == "user_agent":
			// how fast and how often is this program's own business
		default:
			return &Unsupported{"the client parameter config." + e.Key}
		}
	}
	return nil
}

// client makes the client, and says at which endpoint where it is not AWS's own.
func (s s3Settings) client(ctx context.Context, c Call) (*s3.Client, string, error) {
	transport, err := s.transport(c)
	if err != nil {
		return nil, "", err
	}
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(transport), config.WithLogger(logging.Nop{}), config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 5, longest
			o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				if distrusted(err) {
					return aws.FalseTernary
				}
				return aws.UnknownTernary
			})}, o.Retryables...)
		})
	})}
	if s.id != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(s.id, s.key, s.token)))
	}
	if s.unsigned {
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if s.profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.profile))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, "", fmt.Errorf("AWS's settings cannot be read: %w", err)
	}
	switch {
	case s.region != "":
		loaded.Region = s.region
	case c.Env("AWS_DEFAULT_REGION") != "": // the one that boto3 reads
		loaded.Region = c.Env("AWS_DEFAULT_REGION")
	case loaded.Region == "":
		loaded.Region = "us-east-1"
	}
	endpoint := ""
	if s.endpoint != "" {
		if u, err := url.Parse(s.endpoint); err != nil || u.Scheme == "" || u.Host == "" {
			return nil, "", errors.New("endpoint_url is no URL: write https://HOST or http://HOST:PORT")
		}
	}
	client := s3.NewFromConfig(loaded, func(o *s3.Options) {
		if s.endpoint != "" {
			o.BaseEndpoint = &s.endpoint
		}
		endpoint = aws.ToString(o.BaseEndpoint)                        // of the environment or a profile, for S3 alone or for all of AWS
		o.EndpointOptions.DisableHTTPS = s.plainHTTP && endpoint == "" // an endpoint brings a scheme of its own
		o.UsePathStyle = endpoint != ""
		if s.pathStyle != nil {
			o.UsePathStyle = *s.pathStyle
		}
		o.DisableLogOutputChecksumValidationSkipped = true
		o.APIOptions = append(o.APIOptions, unsignedEncoding)
	})
	return client, endpoint, nil
}

// transport is the HTTP client: connections enough for what runs at once, and the certificates that are to be trusted.
func (s s3Settings) transport(c Call) (*awshttp.BuildableClient, error) {
	pool := (*x509.CertPool)(nil)
	bundle := s.bundle
	if bundle == "" && s.verify {
		bundle = c.Env("AWS_CA_BUNDLE")
	}
	if bundle == "" && s.verify {
		bundle = c.Env("REQUESTS_CA_BUNDLE") // botocore reads it as well
	}
	if bundle != "" {
		if !filepath.IsAbs(bundle) {
			bundle = filepath.Join(c.Dir, bundle)
		}
		pem, err := os.ReadFile(bundle)
		if err != nil {
			return nil, fmt.Errorf("the certificates to trust cannot be read: %w", err)
		}
		pool = x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", bundle)
		}
	}
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = 15 * time.Second }).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost, t.MaxConnsPerHost = 64, 64
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, InsecureSkipVerify: !s.verify} // verify: false is what the user wrote
		patient(t, c.patience())
	}), nil
}

// listS3 asks for keys as in URLs, since a key may hold what XML can't; not every server does that, and gocloud does not tell which did, so the client is asked itself.
func listS3(ctx context.Context, client *s3.Client, name, prefix string, each func(object) error) error {
	in := &s3.ListObjectsV2Input{Bucket: &name, Prefix: &prefix, EncodingType: types.EncodingTypeUrl}
	for pages := s3.NewListObjectsV2Paginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			out := object{key: aws.ToString(o.Key), size: aws.ToInt64(o.Size), version: aws.ToString(o.ETag)}
			if page.EncodingType == types.EncodingTypeUrl {
				if out.key, err = url.QueryUnescape(out.key); err != nil {
					return err
				}
			}
			tag := strings.Trim(out.version, `"`)
			if sum, err := hex.DecodeString(tag); err == nil {
				out.md5 = sum
			} else if strings.Contains(tag, "-") {
				out.parts = tag
			}
			if err := each(out); err != nil {
				return err
			}
		}
	}
	return nil
}

func getS3(ctx context.Context, b *blob.Bucket, o object, from, length int64) (io.ReadCloser, error) {
	return b.NewRangeReader(ctx, "k", from, length, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var in *s3.GetObjectInput
		if as(&in) {
			if in.Key = &o.key; o.version != "" {
				in.IfMatch = &o.version
			}
		}
		return nil
	}})
}

func putS3(ctx context.Context, b *blob.Bucket, key string, file *os.File) error {
	return b.Upload(ctx, "k", file, &blob.WriterOptions{ContentType: "binary/octet-stream", BufferSize: partSize, MaxConcurrency: 4, BeforeWrite: func(as func(any) bool) error {
		var in *transfermanager.UploadObjectInput
		if as(&in) {
			in.Key = &key
		}
		return nil
	}})
}

// explainS3 says what a server's refusal means.
func explainS3(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch code, message := api.ErrorCode(), oneLine(api.ErrorMessage()); code {
		case "PreconditionFailed":
			return errChanged.Error()
		case "NoSuchBucket", "NotFound":
			return "it does not exist"
		case "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken":
			return strings.TrimSuffix(fmt.Sprintf("the credentials are refused (%s: %s", code, message), ": ") + ")"
		default:
			return strings.TrimSuffix(code+": "+message, ": ")
		}
	}
	if s := err.Error(); strings.Contains(s, "failed to refresh cached credentials") || strings.Contains(s, "get credentials") {
		return "there are no credentials: give the step some, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	}
	return ""
}

// unsignedEncoding keeps Accept-Encoding out of the signature, as boto3 does: proxies and Google's servers write it anew. What is asked for stays the same.
func unsignedEncoding(stack *middleware.Stack) error {
	if _, ok := stack.Finalize.Get("Signing"); !ok {
		return nil
	}
	set := func(id, value string) middleware.FinalizeMiddleware {
		return middleware.FinalizeMiddlewareFunc(id, func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				if r.Header.Del("Accept-Encoding"); value != "" {
					r.Header.Set("Accept-Encoding", value)
				}
			}
			return next.HandleFinalize(ctx, in)
		})
	}
	if err := stack.Finalize.Insert(set("EncodingAside", ""), "Signing", middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(set("EncodingBack", "identity"), "Signing", middleware.After)
}
