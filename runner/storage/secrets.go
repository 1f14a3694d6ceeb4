// What must not be seen: every text in a step's credentials. The libraries' errors quote URLs, and a URL may hold a signature, so errors are searched for all of them before they leave.
package storage

import (
	"errors"
	"net/url"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const hidden = "(sensitive)"

// shortest is the length from which on a text counts as a secret: hiding "a" or "true" would hide half of every sentence.
const shortest = 6

type secretTexts struct{ replace *strings.Replacer }

// secrets are the texts of the inputs' credentials, and what they look like inside a URL.
func secrets(inputs value.Value) secretTexts {
	found := map[string]bool{}
	credentials, _ := inputs.Get("credentials")
	collect(credentials, "", found)
	var list []string
	for s := range found {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { // the longer first, since it may hold the shorter
		if len(list[i]) != len(list[j]) {
			return len(list[i]) > len(list[j])
		}
		return list[i] < list[j]
	})
	var pairs []string
	for _, s := range list {
		pairs = append(pairs, s, hidden)
	}
	return secretTexts{strings.NewReplacer(pairs...)}
}

// saysWhere reports whether a key of credentials says where, and not who.
func saysWhere(key string) bool {
	switch key {
	case "region_name", "endpoint_url", "account_url", "use_ssl", "verify", "verify_cert_path", "signature_version", "addressing_style", "type", "universe_domain", "token_uri", "auth_uri":
		return true
	}
	return false
}

func collect(v value.Value, key string, found map[string]bool) {
	switch v.Kind {
	case value.Map:
		for _, e := range v.Map {
			collect(e.Value, e.Key, found)
		}
	case value.List:
		for _, item := range v.List {
			collect(item, key, found)
		}
	case value.Text:
		if saysWhere(key) {
			secretOfURL(v.Text, found)
			return
		}
		add(v.Text, found)
		for _, part := range strings.Split(v.Text, ";") { // a connection string
			if name, secret, ok := strings.Cut(part, "="); ok && (strings.EqualFold(name, "AccountKey") || strings.EqualFold(name, "SharedAccessSignature")) {
				add(secret, found)
				signature(secret, found)
			}
		}
	}
}

// secretOfURL adds a URL's password and the signature among its parameters.
func secretOfURL(text string, found map[string]bool) {
	u, err := url.Parse(text)
	if err != nil {
		add(text, found)
		return
	}
	if password, ok := u.User.Password(); ok {
		add(password, found)
	}
	signature(u.RawQuery, found)
}

func signature(query string, found map[string]bool) {
	add(query, found)
	if values, err := url.ParseQuery(query); err == nil {
		add(values.Get("sig"), found)
	}
}

func add(s string, found map[string]bool) {
	for _, form := range []string{s, strings.TrimSpace(s), url.QueryEscape(s), url.PathEscape(s)} {
		if len(form) >= shortest {
			found[form] = true
		}
	}
	if strings.Contains(s, "\n") { // a key in several lines: each of them
		for _, line := range strings.Split(s, "\n") {
			if len(strings.TrimSpace(line)) >= shortest && !strings.HasPrefix(line, "-----") {
				found[strings.TrimSpace(line)] = true
			}
		}
	}
}

// from gives an error with nothing of them in it.
func (s secretTexts) from(err error) error {
	var u *Unsupported
	if errors.As(err, &u) {
		return &Unsupported{s.replace.Replace(u.Why)}
	}
	return errors.New(s.replace.Replace(err.Error()))
}
