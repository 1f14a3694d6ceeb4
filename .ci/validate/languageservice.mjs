// Holds emitted workflows against GitHub's own reader of them, the one behind GitHub's editor. It is bundled when it is set up, since its package imports JSON in a form that node no longer takes.
// The inputs of actions are checked too: those of this project's are action.yml's, those of well-known ones actionlint's, found by the version in the comment behind the pin; of others nothing is known here.
//
// usage: languageservice ACTIONS.JSON OWN-ACTION ACTION.YML FOLDER        (prints what .ci/validate/main.go prints)
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";
import fs from "node:fs";
import path from "node:path";

const [known, own, action, folder] = process.argv.slice(2);
const wellKnown = JSON.parse(fs.readFileSync(known, "utf8"));
const ours = parse(fs.readFileSync(action, "utf8"));
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

// workflowsOf are a case's files, and how one of them finds another that it calls.
function workflowsOf(name) {
  const dir = path.join(folder, name, ".github", "workflows");
  return fs.existsSync(dir) ? fs.readdirSync(dir).filter((f) => f.endsWith(".yml")).map((f) => path.join(dir, f)) : [];
}

// inputsOf are the inputs of an action, undefined where nothing is known of them.
function inputsOf(action, text) {
  const name = `${action.owner}/${action.name}`;
  if (name === own) return ours.inputs;
  const version = text.split(`${name}@${action.ref} # `)[1]?.match(/^v\d+/)?.[0];
  const inputs = wellKnown[`${name}@${version}`];
  return inputs && Object.fromEntries(Object.entries(inputs).map(([key, required]) => [key, { required }]));
}

function config(name, text) {
  return {
    actionsMetadataProvider: { fetchActionMetadata: async (a) => ({ name: a.name, inputs: inputsOf(a, text) }) },
    fileProvider: { getFileContent: async (ref) => ({ name: ref.path, content: fs.readFileSync(path.join(folder, name, ref.path), "utf8") }) },
  };
}

async function main() {
  let checked = 0;
  for (const name of fs.readdirSync(folder).sort()) {
    for (const file of workflowsOf(name)) {
      checked++;
      const text = fs.readFileSync(file, "utf8");
      const document = TextDocument.create("file://" + path.resolve(file), "yaml", 0, text);
      for (const d of await validate(document, config(name, text))) {
        say({ tool: "languageservice", file, line: d.range.start.line + 1, message: d.message });
      }
    }
  }
  say({ checked: { languageservice: checked } });
}

main();
