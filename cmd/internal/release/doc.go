// Package release holds what installs a release (.github/install, called by action.yml) and what makes one (.ci/release, .github/workflows/release.yml) against each other. It has tests only.
//
// What is decided before anything is downloaded needs nothing but bash, and is tested always. With the tag real a release is built by .ci/release, signed by a made-up authority (.ci/attest),
// served from this machine and installed, with GitHub's own CLI verifying it; then everything that a thief or an accident could put in its place is, and must not get in.
// RELEASE_TOOLS names the folder that holds both, gh and attest.
package release
