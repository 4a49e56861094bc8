"""Reads the pages for `.ci/commands`: their commands and snippets, and what a command is said to print."""

import re
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
# Programs whose command lines in the text are for the reader to copy. `tar -p` or `kill -9`, one option, only says
# what is meant.
PROGRAMS = r"(?:managed-daemons|cargo|just|make|docker|npm|npx|python|pytest|apt-get|sudo|env|eval|set|\.ci/[\w-]+)"
COMMAND = re.compile(rf"(?:\w+=\S+ )*{PROGRAMS}(?: |$)")
# The program's own commands, without its name: `doctor --json`, `stop dev`.
SUBCOMMAND = re.compile(
    r"(?:run|start|stop|restart|remove|status|logs|doctor|install|clean|kept|reopen) (?:--[a-z]|dev\b)"
)
RUST = {"", "no_run", "should_panic", "compile_fail", "ignore", "test_harness"}


class Failure(Exception):
    def __init__(self, item, why):
        super().__init__(f"{item.where}: {why}")


@dataclass
class Item:
    """A command or another snippet of a page. Of a console block, `block` is the line and `whole` the text; `language`
    of a command there is its prompt.
    """

    page: str
    line: int
    kind: str
    text: str
    language: str = ""
    block: int | None = None
    whole: str = ""
    section: int = 0
    file: str | None = None
    expected: list = field(default_factory=list)

    @property
    def where(self):
        return f"{self.page}:{self.line}"


def pages():
    examples = sorted((TOP / "fixtures/examples").rglob("README.md"))
    paths = [TOP / "README.md", *sorted((TOP / "fixtures/docs").glob("*.md")), *examples, TOP / "CONTRIBUTING.md"]
    return [str(path.relative_to(TOP)) for path in paths]


def all_items():
    """The items of each page that has some, in their order."""
    return [items for items in map(items_of_page, pages()) if items]


def items_of_page(page):
    lines = (TOP / page).read_text().splitlines()
    items, text = [], list(lines)
    start = None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```"):
            start = number
        elif start is not None and line == "```":
            items += block(page, start + 1, lines[start][3:], lines[start + 1 : number])
            text[start : number + 1] = [""] * (number + 1 - start)
            start = None
    if start is not None:
        raise SystemExit(f"{page}:{start + 1}: the block has no end")
    headings = [number for number, line in enumerate(text, 1) if line.startswith("#")]
    items += inline(page, "\n".join(text))
    for item in items:
        item.section = max([number for number in headings if number < item.line], default=0)
    return sorted(items, key=lambda item: item.line)


def block(page, line, language, lines):
    if language == "console":
        return console(page, line, lines)
    if language.split(",")[0] in RUST:
        language = f"rust,{language}"
    named = re.fullmatch(r"(?:#|--|//) ([\w./-]+\.(?:rs|sql|toml|yml))", lines[0]) if lines else None
    snippet = Item(page, line, "snippet", "\n".join(lines), language, file=named and named.group(1))
    if language == "text":
        snippet.expected = lines
    return [snippet]


def console(page, line, lines):
    """The commands of a console block, each with the lines that it prints."""
    items = []
    for number, text in enumerate(lines, line + 1):
        if items and items[-1].text.endswith("\\"):
            items[-1].text += "\n" + text
        elif text.startswith(("$ ", "# ")):
            command = re.sub(r" +# .*", "", text[2:])
            items.append(Item(page, number, "command", command, text[0], line, whole="\n".join(lines)))
        elif items:
            items[-1].expected.append(text)
        else:
            raise SystemExit(f"{page}:{number}: a console block begins with a command, `$ …` or `# …`")
    return items


def inline(page, text):
    """The commands in a page's text."""
    items = []
    for span in re.finditer(r"(?<!`)`([^`]+)`(?!`)", text):
        command = " ".join(span.group(1).split())
        if SUBCOMMAND.match(command):
            command = f"managed-daemons {command}"
        is_command = COMMAND.match(command) and (" " in command or command.startswith(".ci/") or command == "just")
        if is_command and not re.fullmatch(r"\w+ -\w+", command):
            # `cargo test` in the text is a command, and `apt-get install` is not: it lacks a package.
            if command == "apt-get install":
                continue
            # A command of the program without arguments is only mentioned: it has to be there.
            if re.fullmatch(r"managed-daemons \w+", command):
                command += " --help"
            items.append(Item(page, text.count("\n", 0, span.start()) + 1, "command", command))
    return items


def files_of(page):
    """The files that a page has its reader write: line, name and text."""
    return [(item.line, item.file, item.text + "\n") for item in items_of_page(page) if item.file]


def yaml_commands(item):
    """The commands of a CI configuration or of a Dockerfile, in order."""
    if item.language == "dockerfile":
        found = re.findall(r"^(?:RUN (.*)|ENV (.*))$", item.text, re.MULTILINE)
        return [run or f"export {variable}" for run, variable in found]
    if (item.file or "").endswith("gitlab-ci.yml"):
        lists = re.findall(r"^  \w*script:\n((?:    - .*\n)+)", item.text + "\n", re.MULTILINE)
        return [line.strip()[2:] for lines in lists for line in lines.splitlines()]
    return re.findall(r"^ +(?:- )?run: (.*)$", item.text, re.MULTILINE)


# What differs from run to run, and what stands for it. The order matters.
VARYING = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+ \[\d+\]", "<time>"),
    (r"\b[0-9a-f]{32}\b", "<password>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"-p \d+", "-p <port>"),
    (r"(?:/[\w.@-]+)+/(psql|redis-cli)\b", r"\1"),
    (r"(?<![\w:/])[\w.…-]*(?:/[\w.@-]+)+/?", "<path>"),
    (r"\(PATH\)|\(the cache\)|\(`PATH`\)|\(a well-known place\)", "<origin>"),
    (r"\bprocess \d+", "process <number>"),
    (r"\b\d+(?:\.\d+)? ?(?:ms|s|min|h|MB|kB|µs)\b", "<amount>"),
    (r"\b(\w+) \d+\.\d+(?:\.\d+)?\b", r"\1 <version>"),
    (r"\b\d+ (step|test|process)(?:e?s)?\b", r"<number> \1"),
]
# A line of `timeline`: what, own time, total, count, median, longest, in.
ROW = re.compile(r"[\w ]+?(?: +<amount>){2} +\d+(?: +<amount>){2} +\S+$")


def normal(line):
    for pattern, instead in VARYING:
        line = re.sub(pattern, instead, line)
    line = " ".join(line.split())
    return "<row>" if ROW.match(line) else line


def outputs_match(expected, output):
    """The first line of a page that the output lacks, in this order. `…` stands for anything."""
    remaining = iter([normal(line) for line in output])
    for line in filter(str.strip, expected):
        parts = map(re.escape, normal(line).split("…"))
        pattern = re.compile("^" + ".*".join(parts))
        if not any(pattern.match(candidate) for candidate in remaining):
            return line
    return None
