"""Checks the snippets of the pages that are no commands, for `.ci/commands`, and writes the shop, the project in which
its commands run.
"""

import json
import os
import re
import tomllib
from pathlib import Path

from pages import TOP, Failure, files_of

TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or TOP / "target")
# Not a temporary directory: its target directory is kept for the next run, and for `.ci/guide`.
SHOP = TARGET / "shop"


def check_rust(item):
    """Rust is compiled by a doc test, or is a file of a crate that `.ci/guide` runs."""
    if item.page == "README.md" and not item.file:
        if "ignore" in item.language:
            raise Failure(item, "neither a doc test nor a file of the crate that .ci/guide runs")
        return "doc test"
    if item.file and is_page_of_guide(item):
        return ".ci/guide"
    sources = "".join(path.read_text() for path in (TOP / "fixtures/src").rglob("*.rs"))
    included = re.findall(rf'^.*doc = include_str!\("[./]*docs/{Path(item.page).name}"\).*$', sources, re.MULTILINE)
    is_included = any("cfg_attr(not(doctest)," not in line for line in included)
    if not is_included or "ignore" in item.language:
        raise Failure(item, "neither a doc test, in a page that fixtures/src/ includes, nor a page that .ci/guide runs")
    return "doc test"


def is_page_of_guide(item):
    pages = re.search(r"^for page in (.*); do$", (TOP / ".ci/guide").read_text(), re.MULTILINE).group(1).split()
    return item.page == "README.md" or item.page in [f"fixtures/docs/{page}.md" for page in pages]


def check_sql(item):
    if not (item.file and is_page_of_guide(item)):
        raise Failure(item, "not a file of a crate that .ci/guide runs")
    return ".ci/guide"


def check_toml(item):
    """Dependencies have to be those of the shop; any other file is written into it, for the commands that follow."""
    if item.file == "Cargo.toml" and is_page_of_guide(item):
        return ".ci/guide"
    if item.file:
        return "a file of the shop"
    shop = tomllib.loads(shop_manifest(item.page))["dev-dependencies"]
    for name, wanted in tomllib.loads(item.text).get("dev-dependencies", {"": ""}).items():
        if wanted != "0.1" if name == "managed-daemons" else wanted != shop.get(name):
            raise Failure(item, f"`{name}` is no dependency of the shop, or has another version there")
    return "the dependencies of the shop"


def check_json(item):
    """The devcontainer: it is JSON, of the image of the CI pages, and its volume is where root's cache is."""
    container = json.loads(item.text)
    page = (TOP / item.page).read_text().replace(item.text, "")
    offline = (TOP / "fixtures/docs/offline.md").read_text()
    target = re.search("target=([^,]*)", container["mounts"][0]).group(1)
    if f"FROM {container['image']}\n" not in offline or not re.search(rf"`{target}`|rm -r {target}/", offline):
        raise Failure(item, "another image, or another cache, than that of offline.md")
    if any(f"`{argument}" not in page for argument in container["runArgs"]):
        raise Failure(item, "runArgs has what the page does not tell of")
    return "compared with offline.md"


def check_diff(item):
    """What the diff adds is code of the shop, which compiles."""
    code = {line.strip() for line in (TOP / ".ci/shop/tests/coming_from.rs").read_text().splitlines()}
    for line in item.text.splitlines():
        if line.startswith("+") and line[1:].strip() not in code:
            raise Failure(item, f"not in .ci/shop/tests/coming_from.rs: {line}")
    return "code of the shop"


CHECKS = {"rust": check_rust, "sql": check_sql, "toml": check_toml, "json": check_json, "diff": check_diff}


def check_snippet(item):
    check = CHECKS.get(item.language.split(",")[0])
    if check is None:
        raise Failure(item, f"nothing checks `{item.language}`: say in .ci/commands.toml what does")
    try:
        return check(item)
    except (ValueError, KeyError, IndexError, AttributeError) as problem:
        raise Failure(item, f"this is no valid {item.language}, or has another form: {problem!r}") from problem


def shop_manifest(page=None):
    """Cargo.toml of the shop, with the dependencies of the page "Getting started"."""
    parts = files_of("fixtures/docs/getting_started.md")
    dependencies = "".join(text for _, name, text in parts if name == "Cargo.toml")
    if page is None:
        dependencies = dependencies.replace('{ version = "0.1"', f'{{ path = "{TOP}/fixtures"', 1)
    return (TOP / ".ci/shop/Cargo.toml").read_text() + dependencies


def shop_files():
    """The files of the shop: those of `.ci/shop`, and those that "Getting started" has its reader write."""
    source = TOP / ".ci/shop"
    files = {str(path.relative_to(source)): path.read_text() for path in source.rglob("*") if path.is_file()}
    failing = files.pop("tests/failing.rs")
    files |= {name: text for _, name, text in files_of("fixtures/docs/getting_started.md") if name != "Cargo.toml"}
    files["tests/orders.rs"] += failing
    return files | {"Cargo.toml": shop_manifest(), "Cargo.lock": (TOP / "Cargo.lock").read_text()}


def restore_shop():
    """Makes the shop what it was. Unchanged files keep their times, so that cargo builds nothing anew."""
    files = shop_files()
    # Deeper paths come first, so that a directory is empty when it is looked at.
    SHOP.mkdir(parents=True, exist_ok=True)
    found = [path for top in SHOP.iterdir() if top.name != "target" for path in (top, *top.rglob("*"))]
    for path in sorted(found, reverse=True):
        if str(path.relative_to(SHOP)) in files:
            continue
        if not path.is_dir():
            path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()
    for name, text in files.items():
        path = SHOP / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Cargo has added to it what the workspace does not depend on.
        if name == "Cargo.lock" and path.exists():
            continue
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)
