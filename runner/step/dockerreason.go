// Why a docker command failed. Docker says it in many lines, of which one is the reason; that line becomes the error, behind a word or two where the line only tells it to those who know it:
//
//	ERROR: failed to solve: process "/bin/sh -c pip install nothing-such" did not complete successfully: exit code: 1
//	Error response from daemon: Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host
//	denied: requested access to the resource is denied
package step

import "strings"

// dockerError is a docker command that failed, with the line that says why.
type dockerError struct {
	what, reason string
	exit         *ExitError
}

func (e *dockerError) Error() string {
	if e.reason == "" {
		return e.exit.Error()
	}
	return e.what + " failed: " + plainly(e.reason)
}

func (e *dockerError) Unwrap() error { return e.exit }

// beginnings are those of the lines that are a reason. Of those that are marked the beginning belongs to it.
var beginnings = []struct {
	text string
	kept bool
}{
	{"ERROR: ", false}, {"error: ", false}, {"Error: ", false}, {"Error response from daemon: ", false}, {"denied: ", true}, {"unauthorized: ", true}, {"no basic auth credentials", true}, {"unknown: ", true}, {"failed to ", true}, {`Get "`, true}, {`Head "`, true}, {`Post "`, true}, {`Put "`, true},
	{"Cannot connect to the Docker daemon", true}, {"error during connect: ", true},
}

// dockerReason finds the line that is the reason: the last that begins as errors of docker, its builder or a registry do.
func dockerReason(stderr string) string {
	found := ""
	for _, line := range strings.Split(stderr, "\n") {
		line = strip(line)
		for _, b := range beginnings {
			if rest, ok := strings.CutPrefix(line, b.text); ok {
				found = rest
				if b.kept {
					found = line
				}
				break
			}
		}
	}
	if only := strip(stderr); found == "" && !strings.Contains(only, "\n") {
		return only
	}
	return found
}

// causes are what a reason comes down to: the first whose words it holds.
var causes = []struct {
	plain string
	words []string
}{
	{"the disk is full", []string{"no space left on device", "disk quota exceeded", "not enough space on the disk"}},
	{"the registry can't be reached", []string{"no such host", "connection refused", "i/o timeout", "network is unreachable", "no route to host", "server misbehaving", "tls handshake timeout", "context deadline exceeded",
		"temporary failure in name resolution", "name or service not known", "request canceled while waiting for connection"}},
	{"the registry refuses it", []string{"unauthorized", "denied", "authentication required", "no basic auth credentials", "authorization failed", "incorrect username or password", "403 forbidden", "401 unauthorized"}},
}

// plainly puts before a reason what it comes down to. A command of the image's own that failed says its own words, and so does an engine that is not there.
func plainly(reason string) string {
	low := strings.ToLower(reason)
	if strings.Contains(low, "did not complete successfully") || strings.Contains(low, "executor failed running") || strings.Contains(low, "docker daemon") || strings.Contains(low, "error during connect") {
		return reason
	}
	for _, c := range causes {
		for _, words := range c.words {
			if strings.Contains(low, words) {
				return c.plain + ": " + reason
			}
		}
	}
	return reason
}
