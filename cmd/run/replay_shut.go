// What a replay that is not live keeps shut: git's pushes and transports, the container engines' logins and pushes, ssh. Scripts of steps are a user's own and do run, so this is on PATH and in the environment, and is no sandbox.
package main

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// nowhereToPush is the transport that pushes are sent to; git's message names it.
const nowhereToPush = "push-without-live://"

// gitShut lets git read local repositories only, and push to none. A remote's pushurl is not subject to pushInsteadOf, so each is named.
func gitShut(ctx context.Context, root string) []string {
	settings := [][2]string{{"credential.helper", ""}, {"url." + nowhereToPush + ".pushInsteadOf", ""}}
	out, _ := osexec.CommandContext(ctx, "git", "-C", root, "config", "--get-regexp", `^remote\..*\.pushurl$`).Output() // an error is that there is none
	for line := range strings.Lines(string(out)) {
		if _, url, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			settings = append(settings, [2]string{"url." + nowhereToPush + ".insteadOf", url})
		}
	}
	env := []string{"GIT_ALLOW_PROTOCOL=file", "GIT_SSH_COMMAND=false", "GIT_TERMINAL_PROMPT=0", fmt.Sprint("GIT_CONFIG_COUNT=", len(settings))}
	for i, s := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, s[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, s[1]))
	}
	return env
}

// shutPrograms writes the programs that stand before the real ones on PATH.
func (r *replay) shutPrograms(w cli.World, p paths) error {
	scripts := map[string]string{}
	for _, name := range []string{"ssh", "scp", "sftp", "skopeo", "crane", "oras", "regctl"} {
		scripts[name] = "echo " + name + ": a replay reaches nothing outside >&2\nexit 255\n"
	}
	path, _ := w.Env("PATH")
	for _, name := range []string{"docker", "podman", "nerdctl", "buildah", "docker-compose", "docker-buildx"} {
		real := onPath(path, name)
		if real == "" && (name != "docker" || r.docker) {
			continue
		}
		scripts[name] = engineScript(name, real, r.docker)
	}
	for name, text := range scripts {
		if err := p.write("bin/"+name, []byte("#!/bin/sh\n"+text)); err != nil {
			return err
		}
		if err := os.Chmod(p.at("bin/"+name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// engineScript is the program that stands for a container engine; the plugins that are programs of their own (docker-compose) are judged as if docker had been called.
func engineScript(name, real string, builds bool) string {
	text, call := "name="+name+"\n", "exec "+shellQuote(real)+` "$@"`+"\n"
	if plugin, ok := strings.CutPrefix(name, "docker-"); ok {
		text, call = text+"set -- "+plugin+` "$@"`+"\n", "shift\n"+call
	}
	if builds {
		return text + enginePushes + engineBuilds + call
	}
	return text + enginePushes + engineAbsent
}

// onPath finds a program on the PATH that was given.
func onPath(path, name string) string {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// enginePushes takes note of what goes to a registry. Only words of the command are shown: a password may be among the others.
const enginePushes = `first= second= skip=
for word; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case $word in
    --config | --context | -c | --host | -H | --log-level | -l | --tlscacert | --tlscert | --tlskey | --file | -f | --project-directory | -p | --project-name | --profile | --env-file | --builder) skip=yes ;;
    --parallel | --ansi | --progress | --url | --connection | --identity | --root | --runroot | --storage-driver | --storage-opt | --address | -a | --namespace | -n | --data-root | --snapshotter) skip=yes ;;
    -*) ;;
    *) if [ -z "$first" ]; then first=$word; else second=$word; break; fi ;;
  esac
done
case "$first $second" in
  push\ * | login\ * | logout\ * | trust\ * | buildx\ imagetools | compose\ publish | compose\ alpha | farm\ build | image\ scp | image\ trust | \
    image\ push | manifest\ push | plugin\ push | compose\ push | model\ push | artifact\ push | scout\ push)
    for word; do if [ "$word" = --password-stdin ]; then cat >/dev/null; fi; done
    echo "not carried out without --live: $name $first" >&2
    exit 0 ;;
esac
case "$first $*" in
  commit\ *docker://*)
    echo "not carried out without --live: $name $first" >&2
    exit 0 ;;
esac
`

// engineAbsent takes note of builds, and refuses to run anything.
const engineAbsent = `case $first in
  run | exec | create | start | compose)
    echo "$name $first: a replay without --docker has no engine" >&2
    exit 1 ;;
esac
while [ $# -gt 0 ]; do
  if [ "$1" = --metadata-file ]; then printf '{"containerimage.digest":"sha256:%064d"}' 0 > "$2"; fi
  shift
done
`

// engineBuilds makes a build that would push one that loads. What a bake file says of its outputs is overridden: it may push without a word on the command line.
const engineBuilds = `case "$first $second" in
  buildx\ bake | buildx\ f)
    n=$#
    while [ "$n" -gt 0 ]; do
      word=$1
      shift
      n=$((n - 1))
      case $word in
        --push | --push=* | --load | --load=* | --set=*.output* | --set=*.push* | --set=*.cache-to*) continue ;;
        --set)
          case $1 in
            *.output* | *.push* | *.cache-to*) shift; n=$((n - 1)); continue ;;
          esac ;;
      esac
      set -- "$@" "$word"
    done
    set -- "$@" --set '*.output=type=docker' --set '*.cache-to='
    first=bake ;;
  compose\ build)
    for word; do
      shift
      case $word in --push | --push=*) continue ;; esac
      set -- "$@" "$word"
    done ;;
esac
case $first in
  build | buildx | builder | image)
    n=$#
    while [ "$n" -gt 0 ]; do
      word=$1
      shift
      n=$((n - 1))
      case $word in
        --push | --push=* | --output=*push=* | --output=*registry* | -o*push=* | -o*registry*) word=--load ;;
        --cache-to=*type=local* | --cache-to=*type=inline*) ;;
        --cache-to=*) continue ;;
        --output | -o | --cache-to)
          case $word$1 in
            --cache-to*type=local* | --cache-to*type=inline*) ;;
            --cache-to*) shift; n=$((n - 1)); continue ;;
            *push=* | *registry*) shift; n=$((n - 1)); word=--load ;;
          esac ;;
      esac
      set -- "$@" "$word"
    done ;;
esac
`
