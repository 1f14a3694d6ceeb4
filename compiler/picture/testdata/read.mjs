// Reads pictures with the programs that they are for, and says what each saw. Input: a file with a JSON list of {mermaid, dot}; output: JSON, one entry for each.
import { readFileSync } from 'fs';
import { JSDOM } from 'jsdom';
import { Graphviz } from '@hpcc-js/wasm-graphviz';

const { window } = new JSDOM('');
globalThis.window = window; // Mermaid cleans texts with the browser's document
globalThis.document = window.document;
const mermaid = (await import('mermaid')).default;
const graphviz = await Graphviz.load();

// Mermaid keeps entities in a spelling of its own until it draws.
const decoded = (text) => text.split(/<br ?\/?>/).map((line) => line.replace(/ﬂ°°(\d+)¶ß/g, (_, n) => String.fromCodePoint(n)));

async function readMermaid(source) {
  const parsed = await mermaid.parse(source);
  const db = (await mermaid.mermaidAPI.getDiagramFromText(source)).db;
  return {
    nodes: [...db.getVertices().values()].map((v) => ({ id: v.id, shape: v.type, lines: decoded(v.text), extra: [v.link, v.haveCallback, ...v.styles, ...v.classes].filter(Boolean).length })),
    edges: db.getEdges().map((e) => ({ from: e.start, to: e.end, dashed: e.stroke === 'dotted', kind: e.type })),
    config: Object.keys(parsed.config).length,
  };
}

function readDot(source) {
  const doc = new JSDOM(graphviz.layout(source, 'svg', 'dot'), { contentType: 'image/svg+xml' }).window.document;
  const texts = (g) => [...g.querySelectorAll('text')].map((t) => t.textContent.replace(/\u00a0/g, ' '));
  const all = (kind) => [...doc.querySelectorAll('g.' + kind)].map((g) => ({ id: g.querySelector('title').textContent, lines: texts(g) }));
  return { nodes: all('node'), edges: all('edge').map((e) => e.id), clusters: all('cluster').length, links: doc.querySelectorAll('a[href]').length };
}

const out = [];
for (const p of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  out.push({ mermaid: await readMermaid(p.mermaid), dot: readDot(p.dot) });
}
process.stdout.write(JSON.stringify(out), () => process.exit(0)); // what the libraries left running need not end
