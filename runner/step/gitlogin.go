// How git gets at a token. Prefect puts it into the URL; git then shows it in its messages, keeps it in .git/config and passes it to its children as an argument. Here git is told, through its
// configuration in the environment (GIT_CONFIG_COUNT, as `git -c` would in argv), of a credential helper that is good for the one server alone, and the helper prints two variables of its environment:
//
//	credential.https://github.com.helper = !f() { … printf … "$PREFECT_DEPLOY_GIT_USERNAME" … }; f
//
// git asks it when the server wants a login, as it would use what stands in the URL, and for no other server, also after a redirect. Of a public repository nothing is sent.
package step

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// login is a user and a password for a server, with what Prefect makes of tokens: which of the two a token is.
type login struct {
	// base is the server: "https://github.com".
	base, user, password string
	// alone: the URL names only a user, who may be a token, or somebody whose password the machine's own helpers know.
	alone bool
}

// loginOf is the login of a call, nil for none: of its arguments, else of what stands in the URL. Prefect uses the arguments with https alone; with submodules it rewrites the server's URLs, of whatever
// scheme they are.
func loginOf(c Call, u pyURL, submodules bool) (*login, error) {
	token, _ := c.Inputs.Get("access_token")
	credentials, _ := c.Inputs.Get("credentials")
	if token.Truthy() && credentials.Truthy() {
		return nil, errors.New("git_clone takes an access_token or credentials, not both: leave one of them out")
	}
	if token.Truthy() {
		credentials = value.Of([]value.Entry{{Key: "access_token", Value: token}})
	}
	base := u.scheme + "://" + u.netloc[strings.LastIndexByte(u.netloc, '@')+1:]
	if credentials.Truthy() {
		l, err := format(u.netloc, credentials)
		if err != nil {
			return nil, err
		}
		if l.base = base; u.scheme == "https" || u.scheme == "http" && submodules {
			return l, l.check()
		}
	}
	at := strings.LastIndexByte(u.netloc, '@')
	if at < 0 || !withLogin(u.scheme) {
		return nil, nil
	}
	user, password, both := strings.Cut(u.netloc[:at], ":")
	l := &login{base: base, user: unquoted(user), password: unquoted(password), alone: !both}
	return l, l.check()
}

// withLogin are the schemes whose URLs may hold a password.
func withLogin(scheme string) bool {
	return scheme == "https" || scheme == "http" || scheme == "ftp" || scheme == "ftps"
}

func unquoted(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// check refuses what git's protocol of credentials can't carry, and Prefect's URL neither.
func (l *login) check() error {
	if strings.ContainsAny(l.user+l.password, "\n\r\x00") {
		return errors.New("the token or password of git_clone holds the end of a line, which no login can: take it out of the secret (a file that was read with its last line's end, say)")
	}
	return nil
}

// format makes of credentials what each provider wants, as Prefect 3.8.8 does of the data of a block (GitHubCredentials, GitLabCredentials, BitBucketCredentials, or any other with a token).
func format(netloc string, credentials value.Value) (*login, error) {
	if credentials.Kind != value.Map {
		return nil, fmt.Errorf("the argument \"credentials\" of git_clone must be a mapping, such as a block of credentials, not %s; a token goes under \"access_token\"", credentials.Kind)
	}
	var token, user string
	for _, key := range []string{"password", "token", "access_token"} { // the later wins
		text, err := secretOf(credentials, key)
		if err != nil {
			return nil, err
		}
		if text != "" {
			token = text
		}
	}
	user, err := secretOf(credentials, "username")
	switch {
	case err != nil:
		return nil, err
	case token == "":
		return nil, errors.New("the credentials of git_clone hold no token: give access_token, token or password")
	case user != "" && !truthy(credentials, "access_token") && !truthy(credentials, "password"):
		return nil, errors.New("in the credentials of git_clone a username goes with a token under access_token or password only, as in Prefect: rename it, or leave username out")
	case user != "":
		return &login{user: user, password: token}, nil
	}
	before, after, both := strings.Cut(token, ":")
	pair := &login{user: before, password: after}
	switch {
	case strings.Contains(netloc, "bitbucketserver") && !both:
		return nil, errors.New("a Bitbucket server wants a user: give username beside the token, or write the token as user:token")
	case strings.Contains(netloc, "bitbucket") && both, strings.Contains(netloc, "gitlab") && both:
		return pair, nil
	case strings.Contains(netloc, "bitbucket"):
		return &login{user: "x-token-auth", password: token}, nil
	case strings.Contains(netloc, "gitlab"):
		return &login{user: "oauth2", password: token}, nil
	}
	return &login{user: token}, nil
}

func truthy(m value.Value, key string) bool {
	v, _ := m.Get(key)
	return v.Truthy()
}

func secretOf(credentials value.Value, key string) (string, error) {
	v, _ := credentials.Get(key)
	if v.Truthy() && v.Kind != value.Text {
		return "", fmt.Errorf("%s of git_clone must be text, not %s", key, v.Kind)
	}
	return v.Text, nil
}

// helper prints the login when git asks for one. It holds nothing of it.
const helper = `!f() { if test "$1" = get; then printf 'username=%s\npassword=%s\n' "$PREFECT_DEPLOY_GIT_USERNAME" "$PREFECT_DEPLOY_GIT_PASSWORD"; fi; }; f`

// ownPassword is the environment in which git asks the machine's own helpers for the password of a user that a URL names.
func ownPassword(env []string, l *login) []string {
	out, _ := gitEnvironment(env, nil)
	count := configured(env)
	return append(out, fmt.Sprintf("GIT_CONFIG_KEY_%d=credential.%s.username", count, l.base), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", count, l.user), fmt.Sprintf("GIT_CONFIG_COUNT=%d", count+1))
}

// configured is how much of git's configuration an environment holds already.
func configured(env []string) (count int) {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "GIT_CONFIG_COUNT="); ok {
			n, err := strconv.Atoi(v)
			if count = n; err != nil || n < 0 {
				count = 0
			}
		}
	}
	return count
}

// WithoutRepository is an environment without the variables in which git tells its hooks which repository they are of (git rev-parse --local-env-vars, less the settings of `git -c`). With them a command of git
// means that repository wherever it runs: a checkout in a new clone would move the branch of the project, and throw away the commit that is being made.
func WithoutRepository(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH",
			"GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CONFIG":
			return true
		}
		return false
	})
}

// gitEnvironment is the environment for git, and its PATH. Nobody is there to be asked, so git must not: it would wait for ever.
func gitEnvironment(env []string, l *login) (out []string, path string) {
	path, count := defaultPath, configured(env)
	out = append(make([]string, 0, len(env)+12), "GIT_TERMINAL_PROMPT=0")
	for _, kv := range WithoutRepository(env) {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
		out = append(out, kv)
	}
	if l == nil {
		return out, path
	}
	configure := func(key, v string) {
		out = append(out, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", count, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", count, v))
		count++
	}
	configure("credential.helper", "") // the machine's own must not be told the login, to keep it
	configure("credential."+l.base+".helper", helper)
	return append(out, fmt.Sprintf("GIT_CONFIG_COUNT=%d", count), "PREFECT_DEPLOY_GIT_USERNAME="+l.user, "PREFECT_DEPLOY_GIT_PASSWORD="+l.password), path
}

// pyURL are the parts of a URL that matter here, as Python's urllib.parse.urlparse tells them apart.
type pyURL struct{ scheme, netloc, path, rest string }

// parseURL is urlparse. What it makes of addresses that are no URLs decides how a directory is called: of git@github.com:org/repo.git the path is all of it.
func parseURL(s string) pyURL {
	var u pyURL
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
	if i := strings.IndexByte(s, ':'); i > 0 && asciiLetter(s[0]) && strings.Trim(strings.ToLower(s[:i]), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" {
		u.scheme, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		u.netloc, s = rest[:end], rest[end:]
	}
	u.path = s
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		u.path, u.rest = s[:i], s[i:]
	}
	if i := strings.IndexByte(u.path[strings.LastIndexByte(u.path, '/')+1:], ';'); i >= 0 && withParameters(u.scheme) {
		i += strings.LastIndexByte(u.path, '/') + 1
		u.path, u.rest = u.path[:i], u.path[i:]+u.rest
	}
	return u
}

func asciiLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func withParameters(scheme string) bool {
	switch scheme {
	case "", "ftp", "hdl", "prospero", "http", "https", "shttp", "rtsp", "rtsps", "rtspu", "sip", "sips", "mms", "sftp", "tel":
		return true
	}
	return false
}

// withoutAuth is an address by which two are compared, and which may be shown: without user and password, the host in lower case.
func withoutAuth(s string) string {
	u := parseURL(s)
	host := strings.ToLower(u.netloc[strings.LastIndexByte(u.netloc, '@')+1:])
	if host == "" {
		return withoutUser(s)
	}
	if u.scheme == "" {
		return "//" + host + u.path + u.rest
	}
	return u.scheme + "://" + host + u.path + u.rest
}

// Header is what a server is shown of the login that a call of git_clone brings, "" for none: a server may repeat it.
func Header(inputs value.Value) string {
	repository, _ := inputs.Get("repository")
	l, err := loginOf(Call{Inputs: inputs}, parseURL(repository.Text), true)
	if err != nil || l == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(l.user + ":" + l.password))
}

// PublicURL is a repository's address as it may be shown, without user and password.
func PublicURL(repository string) string { return withoutAuth(repository) }

// withoutUser takes user and password out of a URL whose scheme may hold them; all else stays as written.
func withoutUser(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || !withLogin(strings.ToLower(strings.TrimSpace(scheme))) {
		return s
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest[:end], '@')+1:]
}
