// What tells that the network failed, so that another moment may mend it: words, since programs that steps run say it in no other way.
package step

// NetworkFailed reports whether a text is that of such a failure, as curl, git, docker, pip, Python's libraries and the steps for buckets write it.
func NetworkFailed(text string) bool {
	return holdsAny(text, "connection refused", "connection reset", "connection timed out", "connection aborted", "timed out", "failed to connect", "i/o timeout", "tls handshake timeout",
		"temporary failure", "could not resolve host", "no such host", "name or service not known", "network is unreachable", "broken pipe", "unexpected eof", "early eof", "rpc failed",
		"503 service unavailable", "502 bad gateway", "504 gateway timeout", "429 too many requests", "remote end closed connection", "remote end hung up",
		"did not answer in time", "the server answers 503", "slowdown:", "serviceunavailable:", "requested url returned error: 5", "requested url returned error: 429")
}
