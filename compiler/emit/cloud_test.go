package emit

import (
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"
)

const aws = "{id: aws, uses: aws-actions/configure-aws-credentials@ececac1a45f3b08a01d2dd070d28d111c5fe6722, with: {role-to-assume: r, aws-region: eu}}"

// TestTokensStandWhereTheyAreNeeded: of jobs that build, push and look, only those that may need the cloud log in to it, and only those may ask for a token.
func TestTokensStandWhereTheyAreNeeded(t *testing.T) {
	const steps = `build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}
- prefect.deployments.steps.run_shell_script: {id: script, script: ./make.sh, env: {H: '{{ hash.stdout }}'}}
deployments: [{name: a, entrypoint: 'f.py:f', tags: ['{{ hash.stdout }}'], work_pool: {name: p}}]
`
	const images = `build:
- prefect_docker.deployments.steps.build_docker_image: {id: public, image_name: me/public, tag: '1', dockerfile: public.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: private, image_name: me/private, tag: '1', dockerfile: private.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: unread, image_name: me/unread, tag: '1', dockerfile: none.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: auto, image_name: me/auto, tag: '1', dockerfile: auto}
- prefect_docker.deployments.steps.build_docker_image: {id: hub, image_name: me/hub, tag: '1', dockerfile: public.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: ecr, image_name: 1.dkr.ecr.eu.amazonaws.com/ecr, tag: '1', dockerfile: public.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: somewhere, image_name: '{{ $REGISTRY }}/x', tag: '1', dockerfile: public.Dockerfile}
push:
- prefect_docker.deployments.steps.push_docker_image: {image_name: me/hub, tag: '1'}
- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ ecr.image_name }}', tag: '1'}
- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ somewhere.image_name }}', tag: '1'}
deployments: [{name: a, entrypoint: 'f.py:f', work_pool: {name: p}}]
`
	// The name that counts is that of the image, not that of a build which gives its tag, and the namespace that goes before a name may be a cloud's registry.
	const names = `build:
- prefect_docker.deployments.steps.build_docker_image: {id: hub, image_name: me/hub, tag: '1', dockerfile: public.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: short, image_name: short, tag: '1', dockerfile: public.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: pushed, image_name: pushed, tag: '1', dockerfile: public.Dockerfile, push: true}
push:
- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ $REGISTRY }}/hub', tag: '{{ hub.tag }}'}
- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ short.image_name }}', tag: '{{ short.tag }}'}
deployments: [{name: a, entrypoint: 'f.py:f', work_pool: {name: p}}]
`
	tree := fstest.MapFS{"public.Dockerfile": {Data: []byte("FROM python:3.12\n")}, "private.Dockerfile": {Data: []byte("FROM 1.dkr.ecr.eu.amazonaws.com/base:1\n")}, "f.py": {Data: []byte("from prefect import flow\n@flow\ndef f(): pass\n")}}
	const ecr = ", {id: ecr, uses: aws-actions/amazon-ecr-login@062b18b96a7aff071d4dc91bc00c4c1a7945b076}, {uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772, with: {registry: '${{ steps.ecr.outputs.registry }}'}}, " +
		"{uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772, with: {registry: 1.dkr.ecr.eu.amazonaws.com}}, {uses: docker/setup-qemu-action@29109295f81e9208d7d86ff1c6c12d2833863392}"
	for name, c := range map[string]struct{ setup, steps, want string }{
		"scripts":               {"{run: make tools}, " + aws, steps, "hash:1 script:2+"},
		"images":                {aws, images, "public:0 private:1+ unread:1+ auto:0 hub:0 ecr:1+ somewhere:1+"},
		"names":                 {aws, names, "hub:1+ short:1+ pushed:1+"},
		"what stands upon it":   {aws + ecr, images, "public:1 private:5+ unread:5+ auto:1 hub:1 ecr:5+ somewhere:5+"},
		"a script may use it":   {aws + ", {run: ./fetch.sh}", steps, "hash:2+ script:2+"},
		"others' action may":    {aws + ", {uses: ./.github/actions/fetch}", steps, "hash:2+ script:2+"},
		"no login in the setup": {"{run: make tools}", steps, "hash:1 script:1"},
	} {
		in, diags := Load(tree, []Source{{"prefect.yaml", []byte("x-ci: {steps: {script: {effects: {reads: [], writes: ['s3:b/x']}}}, github: {setup: [" + c.setup + "]}}\n" + c.steps)}})
		if in == nil {
			t.Fatal(diags)
		}
		in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(emitted(t, in)), &root); err != nil {
			t.Fatal(err)
		}
		var got []string
		jobs := get(root.Content[0], "jobs")
		for i := 0; i < len(jobs.Content); i += 2 {
			id, job := jobs.Content[i].Value, jobs.Content[i+1]
			setup := 0
			for _, s := range get(job, "steps").Content {
				owner, name := ownerOf(s)
				if run := get(s, "run"); owner == "aws-actions" || name == "login-action" || name == "setup-qemu-action" || owner == "." || run != nil && (strings.HasPrefix(run.Value, "make tools") || strings.HasPrefix(run.Value, "./fetch")) {
					setup++
				}
			}
			token := ""
			if get(get(job, "permissions"), "id-token") != nil {
				token = "+"
			}
			if id != "check" && id != "plan" && id != "register" && id != "prefect" {
				got = append(got, id+":"+number(setup).Value+token)
			} else if setup > 0 || token != "" {
				t.Errorf("%s: the job %s logs in", name, id)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(got, " "), c.want)
		}
	}
}
