"""Reads pages (a JSON list of Markdown) with cmarkgfm and looks at what came of them: only our elements, links only to web pages, all elements closed in order, and outside of
code no text that GitHub would make a mention, a reference or a link of."""
import html.parser
import json
import re
import sys

import cmarkgfm
from cmarkgfm.cmark import Options

ALLOWED = set("h3 p a code table thead tbody tr th td details summary b strong pre blockquote ul li sub span".split())
LIVE = re.compile(r"@\w|#\d|\bGH-\d|https?:|www\.|!\[|\]\(|\*\*|```|\[ref\]", re.I)


class Look(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.stack, self.faults, self.comments, self.kinds = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ALLOWED:
            self.faults.append(f"an element {tag} {attrs}")
        for key, value in attrs:
            if key == "href":
                if not re.match(r"https?://", value):
                    self.faults.append(f"a link to {value}")
            elif (tag, key) not in {("th", "align"), ("td", "align"), ("pre", "lang"), ("details", "open")}:
                self.faults.append(f"{tag} with {key}={value}")
        if tag == "pre":
            self.kinds.append(dict(attrs).get("lang"))
        self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(f"</{tag}> out of order")

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        if "code" in self.stack or "pre" in self.stack:
            return
        plain = re.sub(r"\[!(WARNING|CAUTION)\]", "", data)
        if LIVE.search(plain):
            self.faults.append(f"live text {data!r}")


bad = 0
pages = json.load(open(sys.argv[1]))
for n, page in enumerate(pages):
    look = Look()
    look.feed(cmarkgfm.github_flavored_markdown_to_html(page, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_GITHUB_PRE_LANG))
    look.close()
    if look.stack:
        look.faults.append(f"open at the end: {look.stack}")
    if any(k not in ("diff", "mermaid") for k in look.kinds):
        look.faults.append(f"fences of {look.kinds}")
    if look.comments:
        look.faults.append(f"comments {look.comments}")
    for fault in look.faults[:3]:
        bad += 1
        print(f"page {n}: {fault}")
print(f"{len(pages)} pages, {bad} faults")
sys.exit(1 if bad or not pages else 0)
