# SPDX-License-Identifier: MIT
"""A guide as the programs in it. test_guides.py says how a guide is written."""

import dataclasses
import pathlib
import re

PROGRAMS = ("c", "python", "js", "vala", "sh")
DATA = ("text", "toml", "ini", "xml", "json", "csv", "desktop", "meson", "diff", "sql", "css")

# What shows that a block is a whole program, with a beginning of its own.
WHOLE = {
    "c": re.compile(r"^main \(|^int main\b|#include <lightning-db|#include <gtk", re.MULTILINE),
    "python": re.compile(r"^import gi$|from gi.repository import", re.MULTILINE),
    "js": re.compile(r"from 'gi://Ldb|^imports\.gi", re.MULTILINE),
    "vala": re.compile(r"^(public static )?(async )?(int|void) main\b", re.MULTILINE),
}

# What shows that a block stands outside of functions.
FILE_SCOPE = {
    "c": re.compile(r"^\{$|^static |^#include|^typedef|^struct|^enum|^G_D\w+_TYPE", re.MULTILINE),
    "vala": re.compile(
        r"^([\w.<>\[\]?]+ )+\w+ \(.*\)( throws [\w., ]+)? \{$|^(public )?(class|delegate|struct) ",
        re.MULTILINE),
}

# What a fragment stands in. %(functions)s and %(statements)s are its blocks.
AROUND = {
    "c": """\
#include <lightning-db.h>
%(functions)s
static void
example (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
%(statements)s
  g_assert_no_error (error);
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = ldb_database_open ("example.db", LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  example (db);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  return 0;
}
""",
    "python": """\
import asyncio
import gi
gi.require_version("Ldb", "1")
from gi.repository import Gio, GLib, GObject, Ldb
db = Ldb.Database.open("example.db", Ldb.OpenFlags.CREATE, None, None)
%(statements)s
""",
    "js": """\
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Ldb from 'gi://Ldb?version=1';
const db = Ldb.Database.open('example.db', Ldb.OpenFlags.CREATE, null, null);
%(statements)s
""",
    "vala": """\
%(functions)s
async void example (Ldb.Database db) throws Error {
%(statements)s
}

int main () {
	var status = 1;
	var loop = new MainLoop ();
	try {
		var db = Ldb.Database.open ("example.db", Ldb.OpenFlags.CREATE, null);
		example.begin (db, (source, result) => {
			try {
				example.end (result);
				status = 0;
			} catch (Error e) {
				printerr ("%%s\\n", e.message);
			}
			loop.quit ();
		});
		loop.run ();
		db.close ();
	} catch (Error e) {
		printerr ("%%s\\n", e.message);
		status = 1;
	}
	return status;
}
""",
}


class Mistake(Exception):
    """A guide breaks the rules of its own form."""


@dataclasses.dataclass
class Block:
    line: int  # of its first line of code in the guide
    code: str


@dataclasses.dataclass
class Program:
    guide: str
    section: str
    language: str
    blocks: list = dataclasses.field(default_factory=list)
    before: list = dataclasses.field(default_factory=list)  # hidden code of the whole guide
    output: list = dataclasses.field(default_factory=list)  # lines that it prints, or nothing said
    fails: bool = False
    display: bool = False
    packages: tuple = ()
    place: str = ""  # programs of one place share a directory
    beside: str = ""  # the language whose directory a shell program runs in
    files: dict = dataclasses.field(default_factory=dict)  # of its section, by name

    @property
    def name(self):
        return f"{self.guide}, line {self.blocks[0].line}, {self.language} ({self.section})"

    @property
    def whole(self):
        return self.language == "sh" or bool(WHOLE[self.language].search(self._text(self.blocks)))

    def _text(self, blocks):
        """The blocks, each line where a compiler's messages can name it."""
        parts = []
        for block in blocks:
            if self.language == "c":
                parts.append(f'#line {block.line} "{self.guide}"')
            parts.append(block.code)
        return "\n".join(parts)

    def text(self):
        """The program as it is compiled or run."""
        if self.whole:
            return self._text(self.blocks) + "\n"
        blocks = self.before + self.blocks
        outside = FILE_SCOPE.get(self.language)
        functions = [block for block in blocks if outside and outside.search(block.code)]
        statements = [block for block in blocks if block not in functions]
        return AROUND[self.language] % {
            "functions": self._text(functions), "statements": self._text(statements)}


class Guide:
    """The programs of a guide, in the order in which they begin."""

    def __init__(self, name, text):
        self.name = name
        self.programs = []
        self.not_run = []  # (line, reason)
        self._before = {}  # language → hidden code for each fragment
        self._begin_section("its beginning")
        for kind, argument, block in self._parts(text):
            self._take(kind, argument, block)
        if self._next:
            raise Mistake(f"{name}: “example: {' '.join(self._next)}” stands before no block")

    @classmethod
    def load(cls, path):
        path = pathlib.Path(path)
        return cls(path.name, path.read_text(encoding="utf-8"))

    def _parts(self, text):
        """(kind, argument, block): headings, fenced blocks and what comments say."""
        lines = iter(enumerate(text.splitlines(), 1))

        def until(end, begun):
            body = []
            for _, line in lines:
                if line.rstrip() == end:
                    return Block(begun + 1, "\n".join(body))
                body.append(line)
            raise Mistake(f"{self.name}, line {begun}: no “{end}” ends what begins here")

        for number, line in lines:
            if line.lstrip().startswith("```"):
                if not re.fullmatch(r"```\w+", line.rstrip()):
                    raise Mistake(f"{self.name}, line {number}: a block begins at the margin "
                                  "and says its language: ```c")
                yield "block", line.strip()[3:], until("```", number)
            elif line.startswith("<!-- example:"):
                said = line.removeprefix("<!-- example:").strip()
                if said.endswith("-->"):
                    yield "said", said.removesuffix("-->").strip(), Block(number, "")
                else:
                    yield "hidden", said, until("-->", number)
            elif re.match(r"#+ ", line):
                yield "heading", line.lstrip("# "), Block(number, "")

    def _begin_section(self, title):
        self._section = title
        self._open = {}  # language → its program, while blocks may be added
        self._files = {}
        self._last = None  # the program that an output belongs to
        self._next = {}  # what was said of the next block
        self._display = False
        self._packages = ()

    def _mistake(self, block, text):
        raise Mistake(f"{self.name}, line {block.line}: {text}")

    def _take(self, kind, argument, block):
        if kind == "heading":
            if self._next:
                self._mistake(block, f"“example: {' '.join(self._next)}” stands before no block")
            self._begin_section(argument)
        elif kind == "said":
            self._said(argument, block)
        elif kind == "hidden" and argument.startswith("every "):
            self._before.setdefault(argument.removeprefix("every "), []).append(block)
        elif argument == "output":
            self._take_output(block)
        elif kind == "hidden" or argument in PROGRAMS:
            self._take_code(argument, block)
        elif argument in DATA:
            self._take_data(block)
        else:
            self._mistake(block, f"“{argument}” is no language of programs "
                          f"({', '.join(PROGRAMS)}) or data ({', '.join(DATA)})")

    def _said(self, said, block):
        word, _, rest = said.partition(" ")
        if word == "display":
            self._display = True
        elif word == "packages" and rest:
            self._packages = tuple(rest.split())
        elif word in ("alone", "fails") and not rest:
            self._next[word] = True
        elif word == "beside" and rest in self._open:
            self._next["beside"] = rest
        elif word == "file" and re.fullmatch(r"[\w.-]+", rest):
            self._next["file"] = rest
        elif said.startswith("not run: ") and rest.removeprefix("run: ").strip():
            self._next["not run"] = rest.removeprefix("run: ")
        else:
            self._mistake(block, f"“example: {said}” is nothing that can be said")

    def _take_data(self, block):
        if "file" in self._next:
            self._files[self._next.pop("file")] = block.code + "\n"
        elif self._next:
            self._mistake(block, f"“example: {' '.join(self._next)}” stands before data")

    def _take_output(self, block):
        if self._last is None:
            self._mistake(block, "this output belongs to no program")
        self._last.output += block.code.splitlines()

    def _take_code(self, language, block):
        if language not in PROGRAMS:
            self._mistake(block, f"hidden code is in {', '.join(PROGRAMS)}, not “{language}”")
        said, self._next = self._next, {}
        if "not run" in said:
            self.not_run.append((block.line, said["not run"]))
            return
        if "file" in said:
            self._files[said["file"]] = block.code + "\n"
            return
        program = self._open.get(language)
        begins = language == "sh" or "alone" in said or WHOLE[language].search(block.code)
        if program is None or begins:
            beside = said.get("beside", "")
            program = Program(self.name, self._section, language, files=self._files,
                              display=self._display, packages=self._packages,
                              before=list(self._before.get(language, [])), beside=beside,
                              place=f"{self._section}/{beside or language}")
            self._open[language] = program
            self.programs.append(program)
        program.blocks.append(block)
        program.fails = program.fails or "fails" in said
        self._last = program


def output_matches(expected, printed):
    """Whether lines are as expected; “…” stands for anything in a line, alone for any lines."""
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"\n"
    text = "".join(line.rstrip() + "\n" for line in printed)
    return re.fullmatch(pattern, text) is not None
