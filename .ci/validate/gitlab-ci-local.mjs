// Lets gitlab-ci-local read emitted pipelines as it would before running them, all in one process: each needs a name and nothing else. Nothing is run.
//
// usage: gitlab-ci-local PACKAGE FOLDER        (prints what .ci/validate/main.go prints)
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [from, folder] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(from, "src", name)).href);
const { handler } = await load("handler.js");
const { WriteStreamsMock } = await load("write-streams.js");
process.chdir(folder); // it takes relative directories only
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

let checked = 0;
for (const name of fs.readdirSync(".").sort()) {
  for (const file of fs.readdirSync(name).filter((f) => f.endsWith(".yml")).sort()) {
    checked++;
    const streams = new WriteStreamsMock();
    try {
      await handler({ cwd: name, file, listJson: true, stateDir: ".state" }, streams);
      JSON.parse(streams.stdoutLines.join("\n"));
    } catch (e) {
      say({ tool: "gitlab-ci-local", file: path.join(folder, name, file), message: String(e.message ?? e) });
    }
  }
}
say({ checked: { "gitlab-ci-local": checked } });
process.exit(0);
