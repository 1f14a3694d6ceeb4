// Which of the working directory's settings count. Prefect reads .env, prefect.toml and pyproject.toml of wherever it is started, and in a pull request's job these are what
// somebody proposes: a line in one of them would send the job's key, and all that templates fill from the environment, to a server of their own. So there the tree names no
// server, nor what certificates are worth; that is an error and not passed over, as a plan against another server than the file's would be a wrong plan.
// A .env can fill values from the environment, and some are shown: a pool called ${PREFECT_API_KEY} would put the key into the comment that everybody reads. Those are refused, too.
package prefect

import (
	"fmt"
	"strings"
)

// Trust is how far the files of the working directory are believed.
type Trust int

const (
	// TrustTree believes them, as Prefect does.
	TrustTree Trust = iota
	// TrustLogin lets them name a server as long as all that logs in to it is theirs too.
	TrustLogin
	// TrustNoServer lets them name none.
	TrustNoServer
)

// The files.
const (
	dotenvFile  = ".env"
	ownFile     = "prefect.toml"
	projectFile = "pyproject.toml"
)

// believable refuses a setting of the tree that decides where a login goes.
func (s *settings) believable() error {
	if s.Tree == TrustTree || s.Tree == TrustLogin && !s.loginFromElsewhere() {
		return nil
	}
	for _, x := range []setting{apiURL, insecure, certificates} {
		if _, file := s.find(x); file != "" {
			return s.refused(x, file)
		}
	}
	return nil
}

// loginFromElsewhere: there is something that logs in which no file of the tree holds.
func (s *settings) loginFromElsewhere() bool {
	for _, x := range []setting{apiKey, authString, customHeader} {
		if v, file := s.find(x); v != "" && file == "" {
			return true
		}
	}
	return false
}

func (s *settings) refused(x setting, file string) error {
	what := "names the Prefect server"
	if x.place != apiURL.place {
		what = "sets " + x.place
	}
	why := fmt.Sprintf("in a job for what somebody proposes (%s) no file of the tree may: it could lead the job's secrets elsewhere", oneLine(s.Why))
	if s.Tree == TrustLogin {
		why = fmt.Sprintf("a key or header from elsewhere would go there, while this CI does not say whose tree it is (%s)", oneLine(s.Why))
	}
	return fmt.Errorf("%s %s, and %s; set %s in the job", file, what, why, x.variables[0])
}

// plainlyShown refuses a .env of a proposed tree that fills from the environment what plans, links or messages show.
func (s Sources) plainlyShown(text string, env map[string]string) error {
	if s.Tree != TrustNoServer {
		return nil
	}
	plain := parseDotenv(text, func(string) (string, bool) { return "", false })
	for _, x := range []setting{defaultPool, uiURL, cloudAPI, cloudUI, {variables: []string{"PREFECT_PROFILES_PATH"}}} {
		for _, name := range x.variables {
			if key := strings.ToLower(name); env[key] != plain[key] && s.variable(name) == "" {
				return fmt.Errorf("%s fills %s from the environment, and in a job for what somebody proposes (%s) no file of the tree may: it would show what the job keeps to itself; write the value plainly, or set %s in the job",
					dotenvFile, name, oneLine(s.Why), name)
			}
		}
	}
	return nil
}
