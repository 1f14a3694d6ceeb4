// Which proxy a request goes through, as Prefect's client (httpx) decides it. Go's own rules differ: they know no ALL_PROXY, prefer the names in capitals, never use a proxy
// for this machine, and take a network such as 10.0.0.0/8 in NO_PROXY for what it says.
package prefect

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// pattern is an address, or a family of them, with the proxy for it; "" is none.
type pattern struct {
	scheme, host, port string
	// below says that names below the host match, itself that the host does.
	below, itself bool
	proxy         string
}

// proxyFor returns the proxy for an address, nil for none. env is the environment.
func proxyFor(u *url.URL, env func(string) (string, bool)) (*url.URL, error) {
	for _, p := range patterns(env) {
		if !p.matches(u) {
			continue
		}
		if p.proxy == "" {
			return nil, nil
		}
		return url.Parse(p.proxy)
	}
	return nil, nil
}

// patterns are what the environment says, the most exact first.
func patterns(env func(string) (string, bool)) []pattern {
	_, cgi := env("REQUEST_METHOD")
	get := func(name string) string {
		if v, set := env(name + "_proxy"); set {
			return v // also when it is empty
		}
		if cgi && name == "http" {
			return "" // a header of the request may stand there
		}
		v, _ := env(strings.ToUpper(name + "_proxy"))
		return v
	}
	var all []pattern
	for _, scheme := range []string{"http", "https", "all"} {
		if proxy := get(scheme); proxy != "" {
			if !strings.Contains(proxy, "://") {
				proxy = "http://" + proxy
			}
			all = append(all, pattern{scheme: strings.TrimPrefix(scheme, "all"), proxy: proxy})
		}
	}
	for _, host := range strings.Split(get("no"), ",") {
		switch host = strings.ToLower(strings.TrimSpace(host)); host {
		case "":
		case "*":
			return nil
		default:
			all = append(all, without(host))
		}
	}
	slices.SortStableFunc(all, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b2i(a.port == ""), b2i(b.port == "")), cmp.Compare(len(b.host), len(a.host)), cmp.Compare(len(b.scheme), len(a.scheme)))
	})
	return all
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// without reads one entry of NO_PROXY.
func without(host string) pattern {
	p := pattern{itself: true}
	address, _, _ := strings.Cut(host, "/")
	if ip, err := netip.ParseAddr(address); err == nil {
		p.host = ip.String()
		return p
	}
	if scheme, rest, ok := strings.Cut(host, "://"); ok {
		p.scheme, host = strings.TrimPrefix(scheme, "all"), rest
	} else if host != "localhost" {
		p.below = true
	}
	if u, err := url.Parse("//" + host); err == nil {
		p.host, p.port = u.Hostname(), u.Port()
	} else {
		p.host = host
	}
	if rest, dotted := strings.CutPrefix(p.host, "."); dotted && p.below {
		p.host, p.itself = rest, false
	}
	return p
}

func (p *pattern) matches(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	port := u.Port()
	if port == "80" && u.Scheme == "http" || port == "443" && u.Scheme == "https" {
		port = ""
	}
	switch {
	case p.scheme != "" && p.scheme != u.Scheme, p.port != "" && p.port != port:
		return false
	case p.host == "":
		return true
	}
	return p.itself && host == p.host || p.below && strings.HasSuffix(host, "."+p.host)
}
