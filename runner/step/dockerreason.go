// Why a docker command failed. Docker says it in many lines, of which one is the reason; that line becomes the error, behind a word or two where the line only tells it to those who know it:
//
//	ERROR: failed to solve: process "/bin/sh -c pip install nothing-such" did not complete successfully: exit code: 1
//	Error response from daemon: Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host
//	denied: requested access to the resource is denied
//
// Of a command in a Dockerfile that failed Docker gives the code alone; what the command itself said last stands in the lines before, and goes behind it. Where what to do is known, it ends the sentence.
package step

import (
	"fmt"
	"strings"
)

// dockerError is a docker command that failed, with the line that says why.
type dockerError struct {
	what, reason string
	exit         *ExitError
}

// dockerFailed is the error of a command that ended with a code other than 0.
func dockerFailed(what string, code int, stderr string) *dockerError {
	e := &dockerError{what, dockerReason(stderr), &ExitError{What: what, Code: code, Stderr: stderr}}
	if said := lastSaid(stderr); said != "" && ofCommand(e.reason) {
		e.reason += ", after it said: " + said
	}
	return e
}

// lastSaid is what the failed command of a Dockerfile said last, or of its last lines the last that tells of an error: some end with counts or hints. The builder repeats its last lines between rulers, each behind the time:
//
//	------
//	 > [2/2] RUN pip install -r requirements.txt:
//	2.104 ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device
//	------
func lastSaid(stderr string) (said string) {
	inside, telling := false, 0
	for _, line := range strings.Split(stderr, "\n") {
		line = strip(line)
		switch {
		case strings.HasPrefix(line, "> ["):
			inside, telling, said = true, 0, ""
		case strings.HasPrefix(line, "------"):
			inside = false
		case inside && line != "":
			if at, rest, _ := strings.Cut(line, " "); strings.Contains(at, ".") && strings.Trim(at, "0123456789.") == "" {
				line = strip(rest)
			}
			if tells := tellsOfError(line); line != "" && tells >= telling {
				said, telling = line, tells
			}
		}
	}
	return said
}

func (e *dockerError) Error() string {
	if e.reason == "" {
		return e.exit.Error()
	}
	return e.what + " failed: " + plainly(e.what, e.reason)
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

const refuses = "the registry refuses it"

// tellsOfError is 2 for a line about a full disk, 1 for one about another error.
func tellsOfError(line string) int {
	low := strings.ToLower(line)
	for _, words := range fullDisk {
		if strings.Contains(low, words) {
			return 2
		}
	}
	if strings.Contains(low, "error") {
		return 1
	}
	return 0
}

var fullDisk = []string{"no space left on device", "disk quota exceeded", "not enough space on the disk"}

// causes are what a reason comes down to, and what to do then: the first whose words it holds.
var causes = []struct {
	plain, help string
	words       []string
}{
	{"the disk is full", "make room where the engine keeps its data: docker system df says what takes it", fullDisk},
	{"the registry can't be reached", "is its name right, and does it run?", []string{"no such host", "connection refused", "i/o timeout", "network is unreachable", "no route to host", "server misbehaving", "tls handshake timeout",
		"context deadline exceeded", "temporary failure in name resolution", "name or service not known", "request canceled while waiting for connection"}},
	{"a file of the build can't be read", "is it there, and may this user read it? .dockerignore leaves out what the build does not need", []string{"failed to read dockerfile", "error from sender"}},
	{refuses, "is the name right, and may that user? credentials or docker login say who asks", []string{"unauthorized", "denied", "authentication required", "no basic auth credentials", "authorization failed",
		"incorrect username or password", "403 forbidden", "401 unauthorized"}},
	{"the registry has an error of its own", "its log says which: a full disk, for one", []string{"received unexpected http status: 5", "500 internal server error", "502 bad gateway", "503 service unavailable", "507 insufficient storage", "unknown: unknown error"}},
}

// plainly puts before a reason what it comes down to, and what to do behind it. A command of the image's own that failed says its own words, and so does an engine that is not there.
func plainly(what, reason string) string {
	low := strings.ToLower(reason)
	if ofCommand(reason) || strings.Contains(low, "docker daemon") || strings.Contains(low, "error during connect") {
		return reason
	}
	for _, c := range causes {
		for _, words := range c.words {
			if strings.Contains(low, words) {
				help := c.help
				if c.plain == refuses && strings.HasPrefix(what, "the login ") {
					help = "are the user and the password right?"
				}
				return c.plain + ": " + reason + "; " + help
			}
		}
	}
	return reason
}

// ofCommand reports whether a command of the image's own failed.
func ofCommand(reason string) bool {
	return strings.Contains(reason, "did not complete successfully") || strings.Contains(reason, "executor failed running")
}

// noScratch is the error of a file or folder for the time of a step that can't be made.
func noScratch(what string, err error) error {
	text := err.Error()
	if tellsOfError(text) == 2 {
		return fmt.Errorf("%s failed: the disk is full: %w; make room there, or let TMPDIR name another folder", what, err)
	}
	return fmt.Errorf("%s failed: there can be no folder for its files: %w", what, err)
}
