// The hidden first line of a comment: whose it is and what it shows.
//
//	<!-- prefect-deploy-action {"v":1,"key":"prefect.yaml#production","pr":12,"head":"9f31c2e…","plan":"k1:5f0c…","run":"123/1","sig":"…"} -->
//
// All workflows of a repository write as github-actions[bot], and whoever may write to the repository may edit what it wrote. So with a plan-key the marker is
// signed, repository and number of the pull request included: a marker that was copied from another pull request, from that of another repository whose
// workflows have the same key, or made up is not ours. In an HTML comment `--` and `>` end
// it early; in JSON both have another spelling, which is used.
package forge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
)

const (
	markerOpen  = "<!-- prefect-deploy-action "
	markerClose = " -->"
	// mostMarker bounds the line that is read as a marker: 300 digests of what was reviewed fit in.
	mostMarker = 24 << 10
	// signed separates this use of the plan-key from all others.
	signed = "prefect-deploy-action marker 1\x00"
)

// ErrNoMarker: the text does not begin with a marker. ErrSignature: it does, but nobody with the plan-key wrote it.
var (
	ErrNoMarker  = errors.New("no marker of ours in the first line")
	ErrSignature = errors.New("the marker is not signed with this plan-key")
)

// Marker tells which comment this is (Key, PR) and what it shows (Head, Plan, Run).
type Marker struct {
	// V is the marker's version, 1.
	V int `json:"v"`
	// Key is the set of files and the environment (Key).
	Key string `json:"key"`
	// Repo is the repository, in small letters, or GitLab's number of the project; PR is the pull request's number. Upsert sets both.
	Repo string `json:"repo,omitempty"`
	PR   int    `json:"pr,omitempty"`
	// Head is the full SHA of the pull request's head that was planned. (On pull_request GITHUB_SHA is a merge commit, not the head.)
	Head string `json:"head"`
	// Plan is the plan's hash.
	Plan string `json:"plan"`
	// Run is GITHUB_RUN_ID/GITHUB_RUN_ATTEMPT.
	Run string `json:"run,omitempty"`
	// Reviewed binds a deploy to what was shown: a keyed digest for each deployment that the plan changes. The room does not look into it.
	Reviewed map[string]string `json:"reviewed,omitempty"`
	// Sig is the signature in hex, "" without a plan-key.
	Sig string `json:"sig,omitempty"`
}

// Key is the comment's identity: the files from the repository's root, in order of their names, and the environment ("prefect.yaml#production"). prefix is the working
// directory's path within the repository, with a slash at its end: two directories of one repository have two comments, however their files are written. Long lists are
// shortened to their digest.
func Key(prefix string, files []string, environment string) string {
	escape := strings.NewReplacer("%", "%25", ",", "%2C", "#", "%23")
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = escape.Replace(strings.ToValidUTF8(path.Clean(prefix+f), "�"))
	}
	slices.Sort(names)
	key := strings.Join(slices.Compact(names), ",") + "#" + escape.Replace(strings.ToValidUTF8(environment, "�"))
	if len(key) > 300 {
		sum := sha256.Sum256([]byte(key))
		key = "sha256:" + hex.EncodeToString(sum[:])
	}
	return key
}

// of tells whether a marker is of this pull request of this repository. Without a plan-key one that does not say is taken for it.
func (m Marker) of(repo string, pr int, planKey string) bool {
	unsaid := planKey == ""
	return (m.PR == pr || m.PR == 0 && unsaid) && (m.Repo == strings.ToLower(repo) || m.Repo == "" && unsaid)
}

// line is the marker as a line, signed when there is a plan-key.
func (m Marker) line(planKey string) string {
	m.V, m.Sig = 1, ""
	for _, text := range []*string{&m.Repo, &m.Key, &m.Head, &m.Plan, &m.Run} { // JSON holds nothing else, and what is signed must be what is read
		*text = strings.ToValidUTF8(*text, "�")
	}
	if planKey != "" {
		m.Sig = m.sign(planKey)
	}
	return markerOpen + m.json() + markerClose
}

// json is compact and always the same for the same marker. Go writes > as \u003e by itself.
func (m Marker) json() string {
	b, _ := json.Marshal(m) // numbers and strings: it can't fail
	return strings.ReplaceAll(string(b), "--", `\u002d\u002d`)
}

func (m Marker) sign(planKey string) string {
	m.Sig = ""
	h := hmac.New(sha256.New, []byte(planKey))
	h.Write([]byte(signed + m.json()))
	return hex.EncodeToString(h.Sum(nil))
}

// ParseMarker reads the marker of a comment's text. With a plan-key only one that was signed with it passes: else the marker comes with ErrSignature.
// Without one, signatures are not looked at.
func ParseMarker(body, planKey string) (Marker, error) {
	line, _, _ := strings.Cut(body, "\n")
	line = strings.TrimRight(line, "\r ")
	text, ok := strings.CutPrefix(line, markerOpen)
	if !ok || len(line) > mostMarker || !strings.HasSuffix(text, markerClose) {
		return Marker{}, ErrNoMarker
	}
	var m Marker
	if err := json.Unmarshal([]byte(strings.TrimSuffix(text, markerClose)), &m); err != nil || m.V != 1 {
		return Marker{}, ErrNoMarker
	}
	if planKey != "" && !hmac.Equal([]byte(m.Sig), []byte(m.sign(planKey))) {
		return m, ErrSignature
	}
	return m, nil
}
