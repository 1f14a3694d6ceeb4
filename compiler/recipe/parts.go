// The parts that files are put together of. <word> stands for a value; it is written so that YAML reads exactly that text back, whatever it is.
package recipe

// head tells what the file is and what to do with it.
const head = `# How this project is deployed. After each change: compile check finds mistakes, run plan shows what run deploy would change.
# It began with the recipe <recipe>.

name: <project>
prefect-version: <version>
`

// The sections and what each begins with. A section without steps is null, as Prefect has it.
const (
	buildHead = "\n# Before anything is registered: images that runs need.\nbuild:"
	pushHead  = "\n# After build: where images and code go.\npush:"
	pullHead  = "\n# At the start of each run, where it runs: how the code gets there.\npull:"
)

const buildImage = `
  - prefect_docker.deployments.steps.build_docker_image:
      id: build_image # what it gives is {{ build_image.image }} below
      requires: prefect-docker>=0.3.1
      image_name: <image_name>
      tag: <tag>
      dockerfile: <dockerfile>
`

const pushImage = `
  - prefect_docker.deployments.steps.push_docker_image:
      requires: prefect-docker>=0.3.1
      image_name: "{{ build_image.image_name }}"
      tag: "{{ build_image.tag }}"
`

// noCredentials stands in one recipe alone.
const noCredentials = `      credentials: null # "{{ prefect.blocks.docker-registry-credentials.NAME }}" logs in
`

// azureCredentials are what Prefect's recipes leave out though the steps need them.
const azureCredentials = `      credentials: "{{ prefect.blocks.azure-blob-storage-credentials.default }}" # the block of the server that logs in
`

// push and pull are those parts of where the code comes from; an empty push is none.
var push = [...]string{fromS3: `
  - prefect_aws.deployments.steps.push_to_s3:
      id: push_code
      requires: prefect-aws>=0.3.4
      bucket: <bucket>
      folder: <name>
`, fromGCS: `
  - prefect_gcp.deployments.steps.push_to_gcs:
      id: push_code
      requires: prefect-gcp>=0.4.3
      bucket: <bucket>
      folder: <name>
`, fromAzure: `
  - prefect_azure.deployments.steps.push_to_azure_blob_storage:
      id: push_code
      requires: prefect-azure[blob_storage]>=0.2.8
      container: <container>
      folder: <name>
<azure credentials>`}

var pull = [...]string{fromDirectory: `
  - prefect.deployments.steps.set_working_directory:
      directory: <directory>
`, fromGit: `
  - prefect.deployments.steps.git_clone:
      repository: <repository>
      branch: <branch>
      access_token: null # "{{ prefect.blocks.secret.NAME }}" for a private repository
`, fromImage: `
  - prefect.deployments.steps.set_working_directory:
      directory: <image directory>
`, fromS3: `
  - prefect_aws.deployments.steps.pull_from_s3:
      id: pull_code
      requires: prefect-aws>=0.3.4
      bucket: "{{ push_code.bucket }}"
      folder: "{{ push_code.folder }}"
`, fromGCS: `
  - prefect_gcp.deployments.steps.pull_from_gcs:
      id: pull_code
      requires: prefect-gcp>=0.4.3
      bucket: "{{ push_code.bucket }}"
      folder: "{{ <folder step>.folder }}"
`, fromAzure: `
  - prefect_azure.deployments.steps.pull_from_azure_blob_storage:
      id: pull_code
      requires: prefect-azure[blob_storage]>=0.2.8
      container: "{{ push_code.container }}"
      folder: "{{ push_code.folder }}"
<azure credentials>`}

const deploymentsHead = "\n# What runs. A build, push or pull of its own takes the place of those above for a deployment.\ndeployments:\n"

// empty is a deployment to be filled in.
const empty = `  - name: null # needed, as are the entrypoint and the work pool's name
    version: null
    tags: []
    description: null # the flow's own, where nothing stands here
    schedule: {} # or in its place schedules: [{cron: "0 6 * * *", timezone: UTC}]
    flow_name: null
    entrypoint: null # path/to/file.py:function
    parameters: {}
    work_pool:
      name: null
      work_queue_name: null
      job_variables:`

const image = "\n        image: \"{{ build_image.image }}\" # the one that the build gave\n"

// Ignore is the .prefectignore that a project begins with: what is not sent to a bucket, in the patterns of .gitignore.
const Ignore = `# What is not sent along with the code (patterns as in .gitignore).

# this file
.prefectignore

# made by Python
__pycache__/
*.py[cod]
*$py.class
*.egg-info/
*.egg

# made by type checkers
.mypy_cache/
.dmypy.json
dmypy.json
.pyre/

# notebooks
profile_default/
ipython_config.py
*.ipynb_checkpoints/*

# environments, and what is secret in them
.python-version
.env
.venv
env/
venv/

# made by Dask
dask-worker-space/

# of this machine, its editors and version control
.DS_Store
.idea/
.vscode/
.git/
.hg/
`
