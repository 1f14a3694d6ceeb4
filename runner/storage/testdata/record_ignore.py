"""Records which paths made-up ignore files leave out, by pathspec's GitIgnoreSpec, which Prefect uses.

usage: record_ignore.py OUT [SEED COUNT]
"""
import json, random, sys, warnings
import pathspec

warnings.simplefilter("ignore")
made = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
count = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
NAMES = ["a", "b", "ab", "a.py", "b.log", "build", "x y", "#c", "!d", ".e", "A", "[z]", "a-b", "é", "{a,b}", "a]"]
GLOBS = NAMES + ["*", "**", "?", "*.py", "*.log", "a*", "[ab]", "[!a]", "[a-c]*", "\\#c", "\\!d", "b*d", "*a*", "\\[z\\]", "x\\ y", "***", "[[:alpha:]]", "[^a]", "a**b", "\\a", "[", "[]a]", "[a-]", "\\*"]


def pattern():
    p = "/".join(made.choice(GLOBS) for _ in range(made.choice([1, 1, 1, 2, 2, 3])))
    for chance, change in ((.25, "/%s"), (.3, "%s/"), (.25, "!%s"), (.05, "%s "), (.03, " %s"), (.03, "# %s"), (.02, "%s\\"), (.02, "%s\\ ")):
        if made.random() < chance:
            p = change % p
    return p


def path():
    return "/".join(made.choice(NAMES) for _ in range(made.choice([1, 1, 2, 2, 3, 4])))


out = []
while len(out) < count:
    patterns = [pattern() for _ in range(made.choice([1, 1, 2, 3, 4]))]
    files = sorted({path() for _ in range(8)})
    try:
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    except pathspec.patterns.gitignore.GitIgnorePatternError:
        out.append({"patterns": patterns, "error": True})
        continue
    out.append({"patterns": patterns, "ignored": [f for f in files if spec.match_file(f)], "kept": [f for f in files if not spec.match_file(f)]})
with open(sys.argv[1], "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in out) + "\n]\n")
