// The login to a registry for one step. `docker login` keeps what it is told: in config.json, in clear but for base64, or in the machine's keychain, over what someone put there. Prefect's function keeps it in its memory. So a step
// that has credentials gets a configuration of its own: a folder that only this user can read, with the user's contexts, plugins and builders linked in, with a copy of config.json in which the registry of the login has no helper, and
// with what `docker login` then writes. It goes when the step ends, also when it fails or is interrupted, and two steps that log in to one registry as two users don't meet.
package step

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/docker"
)

// login logs in for this step, if anything is to be logged in to. end takes the configuration away again.
func (d *dockerRun) login(ctx context.Context, l *docker.Login) (end func(), err error) {
	if l == nil {
		return func() {}, nil
	}
	from := d.configFolder()
	config := readConfig(from)
	if l.Kept && config.user(l.Registry) == l.Username {
		return func() {}, nil
	}
	own, err := os.MkdirTemp("", "prefect-deploy-login-")
	if err != nil {
		return nil, noScratch("the login to "+where(l)+" as "+l.Username, err)
	}
	end = func() { _ = os.RemoveAll(own) }
	config.forget(l)
	if err := config.write(own); err != nil {
		end()
		return nil, noScratch("the login to "+where(l)+" as "+l.Username, err)
	}
	link(from, own)
	d.call.Env = append(append([]string(nil), d.call.Env...), "DOCKER_CONFIG="+own)
	err = d.quietly(ctx, l)
	if err != nil && l.Kept && ctx.Err() == nil { // what is kept of an earlier login may do
		d.fallback = err
		return end, nil
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// quietly is `docker login` without its output: what it says is where it wrote the password to.
func (d *dockerRun) quietly(ctx context.Context, l *docker.Login) error {
	_, err := d.answer(ctx, []byte(l.Password.Text), "the login to "+where(l)+" as "+l.Username, l.Arguments()...)
	return err
}

func where(l *docker.Login) string {
	if l.Registry == "" {
		return "Docker Hub"
	}
	return l.Registry
}

// LoginToStay logs in for other commands of the same job, in the configuration that they use.
func LoginToStay(ctx context.Context, program string, c Call, l *docker.Login) error {
	d := dockerRun{program: program, call: c}
	if l.Kept && readConfig(d.configFolder()).user(l.Registry) == l.Username {
		return nil
	}
	err := d.quietly(ctx, l)
	if l.Kept && ctx.Err() == nil {
		return nil
	}
	return err
}

// configFolder is the one that docker would use.
func (d *dockerRun) configFolder() string {
	if own := variable(d.call.Env, "DOCKER_CONFIG"); own != "" {
		if !filepath.IsAbs(own) {
			own = filepath.Join(d.call.Dir, own)
		}
		return own
	}
	home := variable(d.call.Env, "HOME")
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	return filepath.Join(home, ".docker")
}

func variable(env []string, name string) (v string) {
	for _, e := range env {
		if rest, ok := strings.CutPrefix(e, name+"="); ok {
			v = rest
		}
	}
	return v
}

// link makes everything of a configuration but its config.json a part of another: contexts, plugins, builders, certificates. What can't be linked (on Windows that may want a right of its own) is left out.
func link(from, to string) {
	entries, _ := os.ReadDir(from)
	for _, e := range entries {
		if e.Name() != "config.json" {
			_ = os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		}
	}
}

// dockerConfig is a config.json.
type dockerConfig map[string]any

// readConfig reads it as docker does; one that can't be read is docker's to complain about where no login needs a copy.
func readConfig(folder string) dockerConfig {
	config := dockerConfig{}
	if data, err := os.ReadFile(filepath.Join(folder, "config.json")); err == nil {
		_ = json.Unmarshal(data, &config)
	}
	return config
}

// user is who is logged in to a registry by the file alone, "" for nobody.
func (c dockerConfig) user(registry string) string {
	auths, _ := c["auths"].(map[string]any)
	for key, v := range auths {
		entry, _ := v.(map[string]any)
		coded, _ := entry["auth"].(string)
		if hostOf(key) != hostOf(registry) || coded == "" {
			continue
		}
		both, _ := base64.StdEncoding.DecodeString(coded)
		user, _, _ := strings.Cut(string(both), ":")
		return user
	}
	return ""
}

// forget takes out what is known of the registry of a login, so that this one stands in the file alone: docker asks a helper first where there is one. Of others everything stays. A login that may use what is kept forgets nothing.
func (c dockerConfig) forget(l *docker.Login) {
	if l.Kept {
		return
	}
	auths, _ := c["auths"].(map[string]any)
	for key := range auths {
		if hostOf(key) == hostOf(l.Registry) {
			delete(auths, key)
		}
	}
	helpers, _ := c["credHelpers"].(map[string]any)
	if helpers == nil {
		helpers = map[string]any{}
	}
	for _, name := range []string{l.Registry, hostOf(l.Registry), "https://" + hostOf(l.Registry)} {
		helpers[name] = ""
	}
	if hostOf(l.Registry) == hub {
		for _, name := range []string{"https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"} {
			helpers[name] = ""
		}
	}
	delete(helpers, "")
	c["credHelpers"] = helpers
}

const hub = "docker.io"

// hostOf is the host of a registry, however it is written.
func hostOf(registry string) string {
	_, rest, found := strings.Cut(registry, "://")
	if !found {
		rest = registry
	}
	host, _, _ := strings.Cut(rest, "/")
	switch host {
	case "", "index.docker.io", "registry-1.docker.io":
		return hub
	}
	return host
}

func (c dockerConfig) write(folder string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "config.json"), data, 0o600)
}
