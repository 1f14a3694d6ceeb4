// How requests travel: through which proxy, and which certificates are believed. As in Prefect's client, a file of certificates takes the place of those of the system, and
// not looking at certificates at all is only done when that is asked for.
package prefect

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
)

// Transport is what a configuration's requests go through.
func (c Config) Transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if c.env != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) { return proxyFor(r.URL, c.env) }
	}
	switch {
	case c.Insecure:
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // PREFECT_API_TLS_INSECURE_SKIP_VERIFY asks for it
	case c.certificates != nil:
		t.TLSClientConfig = &tls.Config{RootCAs: c.certificates}
	}
	return t
}

// pool reads a file of certificates; ok is false where there are none in it.
func pool(pem []byte) (*x509.CertPool, bool) {
	p := x509.NewCertPool()
	return p, p.AppendCertsFromPEM(pem)
}
