// A pull section that names what the pushes were told needs no setting; what only a run of the build can tell does, all of it at once.
package deploy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPullChecksKnowWhatPushesWereTold(t *testing.T) {
	s := newPullScene(t)
	s.env["BUCKET"] = "from-env"
	said := filepath.Join(t.TempDir(), "said")
	yaml := `
x-ci: {vars: [BUCKET]}
push:
- prefect_aws.deployments.steps.push_to_s3: {id: s3, bucket: "{{ $BUCKET }}", folder: app}
- prefect_gcp.deployments.steps.push_to_gcs: {id: gcs, bucket: g, folder: "{{ prefect.variables.folder }}"}
- prefect_azure.projects.steps.push_to_azure_blob_storage: {id: azure, container: c, folder: f, credentials: {connection_string: x}}
- prefect.deployments.steps.run_shell_script: {id: sh, script: "echo one"}
pull:
- prefect.deployments.steps.run_shell_script: {shell: true, script: "cp -r ` + s.dir + `/flows . && echo {{ s3.bucket }}/{{ s3.folder }} {{ azure.container }}/{{ azure.folder }}HERE > ` + said + `"}
deployments: [{name: a, entrypoint: "flows/flow.py:hello", work_pool: {name: p}}]
`
	list, err := s.check(context.Background(), strings.Replace(yaml, "HERE", "", 1), nil)
	if data, _ := os.ReadFile(said); err != nil || list[0].Error != "" || string(data) != "from-env/app c/f\n" {
		t.Errorf("%+v, error %v, said %q", list, err, data)
	}
	list, err = s.check(context.Background(), strings.Replace(yaml, "HERE", " {{ gcs.bucket }}/{{ gcs.folder }} {{ sh.stdout }} {{ gcs.folder }}", 1), nil)
	if want := "its pull section needs folder of the step gcs and stdout of the step sh, which the build gives: give them with --from FILE, or by hand with --set gcs.folder=VALUE --set sh.stdout=VALUE"; err != nil || list[0].Error != want {
		t.Errorf("%+v, error %v, want %s", list[0].Error, err, want)
	}
	list, err = s.check(context.Background(), strings.Replace(yaml, "HERE", "", 1), func(o *PullOptions) { o.Given.Set = []Setting{{"s3", "bucket", "by-hand"}} })
	if data, _ := os.ReadFile(said); err != nil || list[0].Error != "" || string(data) != "by-hand/app c/f\n" {
		t.Errorf("%+v, error %v, said %q", list, err, data)
	}
}
