// A remote's address may hold a password or a token. The file is meant to be committed, so it is left out there; access_token and credentials are the places for it.
package recipe

import "strings"

// WithoutLogin takes from an address what logs in, and tells whether there was something. In addresses of http that is all before the @, as tokens stand in the place of names.
func WithoutLogin(address string) (string, bool) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address, false
	}
	host, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(host, '@')
	if at < 0 {
		return address, false
	}
	user, _, secret := strings.Cut(host[:at], ":")
	after := rest[at:]
	switch {
	case strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"):
		return scheme + "://" + strings.TrimPrefix(after, "@"), true
	case secret:
		return scheme + "://" + user + after, true
	}
	return address, false
}
