"""Draws the pages of testdata/report as a forge shows them, and photographs them.

Usage: screenshots.py CHROMIUM MODULES OUT CASE...

CHROMIUM is the browser, MODULES a node_modules folder with github-markdown-css and mermaid, OUT the folder for the pictures. Markdown is read by cmarkgfm, which is the reader
that GitHub publishes; alerts and the colours of a diff, which GitHub adds itself, are added here in the same way.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import cmarkgfm
from cmarkgfm.cmark import Options
from PIL import Image, ImageChops

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLOURS = {
    "light": {"+": ("#dafbe1", "#116329"), "-": ("#ffebe9", "#82071e"), "!": ("#fff1e5", "#953800"), "page": "#f6f8fa", "box": "#ffffff", "line": "#d1d9e0"},
    "dark": {"+": ("#033a16", "#aff5b4"), "-": ("#67060c", "#ffdcd7"), "!": ("#5a1e02", "#ffdfb6"), "page": "#010409", "box": "#0d1117", "line": "#3d444d"},
}


def alerts(text):
    kinds = "NOTE|TIP|IMPORTANT|WARNING|CAUTION"
    pattern = re.compile(r"<blockquote>\s*<p>\[!(" + kinds + r")\]\s*(?:\n|</p>)(.*?)</blockquote>", re.S)

    def replace(m):
        body = m.group(2)
        if not body.lstrip().startswith("<"):
            body = "<p>" + body
        title = m.group(1).capitalize()
        return f'<div class="markdown-alert markdown-alert-{m.group(1).lower()}"><p class="markdown-alert-title">{title}</p>{body}</div>'

    return pattern.sub(replace, text)


def fences(text, theme):
    def diff(m):
        lines = []
        for line in m.group(1).rstrip("\n").split("\n"):
            style = ""
            if line[:1] in "+-!" and line:
                back, front = COLOURS[theme][line[0]]
                style = f' style="background:{back};color:{front}"'
            lines.append(f"<span{style}>{line}</span>")
        return "<pre><code>" + "\n".join(lines) + "</code></pre>"

    text = re.sub(r'<pre lang="diff"><code>(.*?)</code></pre>', diff, text, flags=re.S)
    return re.sub(r'<pre lang="mermaid"><code>(.*?)</code></pre>', lambda m: f'<pre class="mermaid">{m.group(1)}</pre>', text, flags=re.S)


def page(markdown, theme, width, modules, unfold):
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_GITHUB_PRE_LANG)
    body = fences(alerts(body), theme)
    if unfold:
        body = body.replace("<details>", "<details open>")
    css = (modules / "github-markdown-css" / f"github-markdown-{theme}.css").read_text()
    c = COLOURS[theme]
    box = min(width - 24, 900)
    return f"""<!doctype html><meta charset="utf-8"><style>{css}
html {{ background: {c['page']}; }} body {{ margin: 12px; width: {width - 24}px; }}
.box {{ box-sizing: border-box; width: {box}px; border: 1px solid {c['line']}; border-radius: 6px; background: {c['box']}; padding: 16px; }}
.markdown-body {{ font-size: 14px; }} .markdown-body pre code span {{ display: inline-block; min-width: 100%; }}
</style><div class="box"><article class="markdown-body">{body}</article></div>
<script src="{(modules / 'mermaid' / 'dist' / 'mermaid.min.js').as_uri()}"></script>
<script>mermaid.initialize({{startOnLoad: true, securityLevel: "strict", theme: "{'dark' if theme == 'dark' else 'default'}"}});</script>"""


def photograph(chromium, text, width, path, tallest):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "page.html"
        source.write_text(text)
        shot = pathlib.Path(folder) / "shot.png"
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--window-size={max(width, 600)},{tallest}",
             "--virtual-time-budget=8000", f"--screenshot={shot}", source.as_uri()],
            check=True, capture_output=True, timeout=120)
        image = Image.open(shot).convert("RGB").crop((0, 0, width, tallest))
    background = Image.new("RGB", image.size, image.getpixel((1, image.height - 1)))
    edge = ImageChops.difference(image, background).getbbox()
    if edge:
        image = image.crop((0, 0, width, min(edge[3] + 12, tallest)))
    image.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    chromium, modules, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[4:]:
        markdown = (ROOT / "testdata" / "report" / f"{case}.md").read_text()
        for theme in ("light", "dark"):
            for name, width in (("wide", 1280), ("narrow", 400)):
                path = out / f"{case}-{name}-{theme}.png"
                # Long pages stay folded, as a reader first meets them; short ones are shown with everything open.
                text = page(markdown, theme, width, modules, unfold=len(markdown) < 8_000)
                photograph(chromium, text, width, path, 2400)
                print(path.name, path.stat().st_size)


main()
