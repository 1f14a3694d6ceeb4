// docs/differences.md says where we depart from Prefect, on purpose. Each of its rows is shown by something that runs both programs: a case of testdata/conformance that
// declares the departure, a test of TestDepartures, or a test beside another package. A departure that shows and has no row fails here, and so does a row that nothing shows.
package conformance

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown is what runs both programs and shows a row.
type shown struct {
	// cases are folders of testdata/conformance whose "departs" names the row; TestPrefect runs them.
	cases []string
	// test: departureTests has a test of the row's name.
	test bool
	// elsewhere are texts of tests of other packages: file, then what stands in it.
	elsewhere [][2]string
}

// engine is the test of the Docker steps that builds by prefect-docker and by us.
const engine = "../../compiler/docker/engine_test.go"

// buckets is the test of the steps for buckets, which Prefect's own functions carried out too.
const buckets = "../storage/golden_test.go"

func shownBy() map[string]shown {
	return map[string]shown{
		"first-failure":        {cases: []string{"error-parameter-type", "options-empty-sla", "options-limit-zero", "sla-own-server", "steps-one-fails", "triggers-metric"}},
		"options-with-several": {cases: []string{"options-several"}},
		"unknown-name":         {cases: []string{"select-typo", "select-partly-unknown"}},
		"unnamed":              {cases: []string{"select-unnamed"}},
		"invalid-field":        {cases: []string{"file-discarded-field", "file-discarded-schedule"}},
		"paused-unsaid":        {cases: []string{"redeploy-paused"}},
		"active-unsaid":        {cases: []string{"redeploy-schedules"}},
		"schedules-empty":      {cases: []string{"redeploy-schedules"}},
		"dropped-slug":         {test: true},
		"slug-by-hand":         {test: true},
		"output-in-name":       {cases: []string{"name-output"}},
		"secret-name":          {cases: []string{"name-secret"}},
		"tags-text":            {cases: []string{"tags-text"}},
		"whole-item":           {cases: []string{"template-whole-items"}},
		"undefined-output":     {cases: []string{"template-undefined-output"}},
		"owner-label":          {test: true},
		"derived-pull":         {test: true},
		"derived-version":      {test: true},
		"steps-once":           {cases: []string{"steps-counted"}},
		"unchanged":            {test: true},
		"shared-limit":         {test: true},
		"tags-null":            {cases: []string{"tags-null"}},
		"proposed-server":      {test: true},
		"step-environment":     {test: true},
		"unimported-version":   {cases: []string{"flow-missing-package-unasked"}},
		"remote-login":         {cases: []string{"version-remote-password"}},
		"clone-login":          {elsewhere: [][2]string{{"../step/git_real_test.go", `does not leave the token in .git/config any more`}, {"../step/git_test.go", "func TestGitKeepsTheTokenToItself("}}},
		"docker-arguments":     {elsewhere: [][2]string{{engine, `"image_tag": "v1", "additional_tags": ["v2"], "push": true`}, {"../../compiler/docker/testdata/record.py", `"image-tag": {`}, {"../../compiler/docker/real_test.go", "func TestRecordedIsReal("}}},
		"generated-dockerfile": {elsewhere: [][2]string{{engine, `{name: "auto"`}, {engine, `strings.HasPrefix(c.name, "auto")`}}},
		"bucket-folder":        {elsewhere: [][2]string{{buckets, `"another folder of nearly this name"`}, {buckets, "func TestStepsAsRecorded("}}},
		"bucket-unchanged":     {elsewhere: [][2]string{{"../storage/effects_test.go", "func TestUnchangedIsSkipped("}, {"../storage/servers_test.go", "func TestStepsAsPrefect("}}},
		"bucket-names":         {elsewhere: [][2]string{{buckets, `"push gcp a name that is no UTF-8"`}, {"../storage/effects_test.go", "func TestNothingOutside("}}},
	}
}

// succeeding are the rows after which a run ends with 0 where Prefect's does not. Everywhere else a script that asks for the code learns of each failure that it learnt of before.
func succeeding() []string { return []string{"tags-null", "docker-arguments", "slug-by-hand"} }

const differencesFile = "../../docs/differences.md"

// TestDifferences holds the document, the table above and the cases against each other.
func TestDifferences(t *testing.T) {
	data, err := os.ReadFile(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	rows, table := differenceRows(t, string(data)), shownBy()
	for _, key := range rows {
		s, ok := table[key]
		if !ok || len(s.cases)+len(s.elsewhere) == 0 && !s.test {
			t.Errorf("docs/differences.md has the row %s, and nothing here runs both programs to show it", key)
		}
	}
	departing := map[string][]string{}
	for _, c := range cases(t) {
		if c.Departs == nil {
			continue
		}
		for _, key := range strings.Split(c.Departs.Row, ", ") {
			departing[key] = append(departing[key], c.name)
			if slices.Contains(c.Departs.Differences, "! failed: want true, got false") && !slices.Contains(succeeding(), key) {
				t.Errorf("%s ends with 0 where the real Prefect does not, and %s is no row that says so", c.name, key)
			}
			if !slices.Contains(rows, key) {
				t.Errorf("the case %s departs from Prefect with the row %q, which docs/differences.md lacks", c.name, key)
			}
		}
	}
	for _, key := range sortedKeys(table) {
		if !slices.Contains(rows, key) {
			t.Errorf("%s has no row in docs/differences.md", key)
		}
		for _, name := range table[key].cases {
			if !slices.Contains(departing[key], name) {
				t.Errorf("%s: the case %s does not depart with this row", key, name)
			}
		}
		for _, e := range table[key].elsewhere {
			source, err := os.ReadFile(e[0])
			if err != nil || !strings.Contains(string(source), e[1]) {
				t.Errorf("%s: %s does not hold %s (%v)", key, e[0], e[1], err)
			}
		}
	}
}

// differenceRows are the names of the document's rows: each is a heading, and below it stand what Prefect does, what we do, why, and the way back.
func differenceRows(t *testing.T, document string) (names []string) {
	t.Helper()
	for _, section := range strings.Split("\n"+document, "\n## ")[1:] {
		m := regexp.MustCompile("^`([a-z-]+)`").FindStringSubmatch(section)
		if m == nil {
			continue
		}
		names = append(names, m[1])
		for _, part := range []string{"**Prefect**", "**Here**", "**Why**", "**Prefect's way**"} {
			if strings.Count(section, part) != 1 {
				t.Errorf("docs/differences.md, %s: there must be one %s", m[1], part)
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("docs/differences.md has no rows")
	}
	return names
}
