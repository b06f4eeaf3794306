#!/usr/bin/env python3
"""Checks the shape of the source: lengths, opening comments, and words that must not be there.

    scripts/shape.py [root]

Prints one line for each finding, with what to do instead, and exits with 1 if there is any.
"""

import pathlib
import re
import sys
from typing import Iterator

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
# The aim is 250 and 400; these are the lines that are not crossed.
FILE_LINES_MAX = {".h": 300, ".cc": 480, ".def": 300}

SOURCE_FOLDERS = ("protocol", "slab", "server", "tests")
TEXT_SUFFIXES = (".h", ".cc", ".def", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".php", "")
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__"}

# Directories that exist on one machine only. Split, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(" + "|".join(("work", "home", "root", "opt", "Users"))
                          + r")/\w")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")

# A definition at the left margin: its last line ends with "{" and is none of these.
NOT_A_FUNCTION = re.compile(r"^(namespace|class|struct|enum|union|extern|#|//)|=\s*\{$")


def long_lines(path: str, lines: list) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_COLUMNS_MAX and "http" not in line:
            yield f"{path}:{number}: {len(line)} columns; wrap at {LINE_COLUMNS_MAX}"


def long_file(path: str, lines: list) -> Iterator[str]:
    limit = FILE_LINES_MAX.get(pathlib.PurePath(path).suffix)
    if limit and not path.startswith("tests/") and len(lines) > limit:
        yield f"{path}: {len(lines)} lines, at most {limit}; split it where its subject splits"


def long_functions(path: str, lines: list) -> Iterator[str]:
    """Finds functions by clang-format's layout: the closing brace stands alone at the margin."""
    start = None
    for number, line in enumerate(lines, start=1):
        if start is None and line[:1].strip() and not line.startswith(("}", "#", "/")):
            start = number
        if line.endswith(";") and line[:1].strip() and not line.startswith("}"):
            start = None
        if line.startswith("}"):
            opened, start = start, None
            if opened is None or NOT_A_FUNCTION.search(lines[opened - 1]):
                continue
            if number - opened + 1 > FUNCTION_LINES_MAX:
                yield (f"{path}:{opened}: a function of {number - opened + 1} lines, at most "
                       f"{FUNCTION_LINES_MAX}; name its steps and call them")
        if start is not None and line.endswith("{") and re.match(r"(namespace|extern)\b", line):
            start = None


def header_without_opening(path: str, lines: list) -> Iterator[str]:
    if path.endswith(".h") and not path.startswith("tests/"):
        if not lines or not lines[0].startswith(f"// {path} - "):
            yield f'{path}:1: open with "// {path} - what it is for."'


def forbidden_words(path: str, lines: list) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine; make it relative or an argument"
        if UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished work; finish it or leave it out"


def check_file(root: pathlib.Path, path: str) -> Iterator[str]:
    text = (root / path).read_text(errors="replace")
    lines = text.splitlines()
    yield from forbidden_words(path, lines)
    if path.startswith(SOURCE_FOLDERS) and path.endswith((".h", ".cc", ".def")):
        yield from long_lines(path, lines)
        yield from long_file(path, lines)
        yield from header_without_opening(path, lines)
        if not path.startswith("tests/"):
            yield from long_functions(path, lines)


def check_tree(root: pathlib.Path) -> list:
    problems = []
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root)
        if file.is_file() and file.suffix in TEXT_SUFFIXES:
            if not SKIPPED_FOLDERS.intersection(relative.parts):
                problems.extend(check_file(root, relative.as_posix()))
    return problems


def main() -> int:
    default_root = pathlib.Path(__file__).resolve().parent.parent
    problems = check_tree(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default_root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
