# SPDX-License-Identifier: MIT
"""Every example in a guide is built and run: test_guides.py GUIDE.md LANGUAGE …

How a guide is written
  Each fenced block begins at the margin and says its language. Programs are `c`, `python`, `js`,
  `vala` and `sh`; `toml`, `xml`, `text` and the like are data, which is not run.

  The blocks of one language below one heading are one program, in their order; each heading begins
  anew. A block that is a whole program (it has main, or imports Ldb itself) begins a new one, and
  so does each block in `sh`. Each language has a directory of its own for each heading.

  A fragment gets what it needs: in all languages `db`, an open, empty database; in C `error` too
  (which must be unset at the end), in Python and GJS the imports. In C and Vala, functions and types
  stand outside of the function that the statements stand in; in Vala that one is async. In C the
  main loop runs afterwards for as long as something is ready.

  A program must end with status 0, and nothing may have gone wrong where that does not end it: in a
  handler, which prints what it threw, or where a library warns. A block in the “language” `output` is what the program above it
  prints, all of it; “…” stands for anything within a line, and alone in a line for any lines.

What comments say (the reader does not see them)
  <!-- example: file NAME -->         the next block is a file beside the programs of this heading
  <!-- example: alone -->             the next block begins a program of its own
  <!-- example: beside python -->     the next shell program runs in the directory of that language
  <!-- example: fails -->             its program ends with another status than 0
  <!-- example: not run: WHY -->      the next block is not run; the test prints why
  <!-- example: display -->           the programs below this heading run on an X server of their own
  <!-- example: packages gtk4 … -->   C and Vala below this heading are built with these, too
  <!-- example: python                code of the program that is not shown, up to a line
  …                                   that is `-->`; also `output`, and `every python`, which
  -->                                 goes before each fragment of that language from here on
"""

import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import guide
import run_program


# What Python, GJS and GLib print of a mistake that does not end a program.
COMPLAINT = re.compile(r"^Traceback \(most recent call last\)|JS ERROR|-(WARNING|CRITICAL) \*\*|: Warning: ",
                       re.MULTILINE)


def describe(program, what, done):
    numbered = "\n".join(f"{number:4}  {line}" for number, line
                         in enumerate(program.text().splitlines(), 1))
    return (f"{program.name}: {what}\n--- the program\n{numbered}\n"
            f"--- it printed\n{done.stdout}--- and as errors\n{done.stderr}")


class Runner:
    """Runs the programs of one guide; those of one place in one directory."""

    def __init__(self, root):
        self._root = root
        self._places = []

    def run(self, program):
        """What is wrong with a program, or None."""
        if program.place not in self._places:
            self._places.append(program.place)
        directory = self._root / str(self._places.index(program.place))
        directory.mkdir(exist_ok=True)
        for name, text in program.files.items():
            (directory / name).write_text(text, encoding="utf-8")
        suffix = run_program.SUFFIXES[program.language]
        source = directory / f"line-{program.blocks[0].line}{suffix}"
        source.write_text(program.text(), encoding="utf-8")
        build, command = run_program.command(
            program.language, source.name, program.packages, directory)
        if build is not None:
            done = run_program.run(build, directory)
            if done.returncode != 0:
                return describe(program, "it does not compile", done)
        done = run_program.run(command, directory, program.display)
        if (done.returncode != 0) != program.fails:
            return describe(program, f"it ended with status {done.returncode}", done)
        if not program.fails and COMPLAINT.search(done.stderr):
            return describe(program, "it went on, but something in it failed", done)
        if program.output and not guide.output_matches(program.output, done.stdout.splitlines()):
            return describe(program, "it should print\n" + "\n".join(program.output), done)
        return None


class Temporary(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-guide-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)


class GuideTest(Temporary):
    path = None
    languages = ()

    def test_programs(self):
        it = guide.Guide.load(self.path)
        runner = Runner(self.directory)
        counts = {}
        for program in it.programs:
            if program.language not in self.languages or (
                    program.beside and program.beside not in self.languages):
                continue
            counts[program.language] = counts.get(program.language, 0) + 1
            with self.subTest(program.name):
                wrong = runner.run(program)
                if wrong is not None:
                    self.fail(wrong)
        print(f"{it.name}: {sum(counts.values())} programs run",
              *(f"{language} {count}" for language, count in counts.items()), sep=", ")
        for line, reason in it.not_run:
            print(f"{it.name}, line {line}: not run: {reason}")


class MachineryTest(Temporary):
    """The test can fail."""

    def run_guide(self, text):
        runner = Runner(self.directory)
        return [runner.run(program) for program in guide.Guide("x.md", text).programs]

    def test_good(self):
        text = """# One
```sh
echo one; echo 2 words; echo three
```
```output
one
… words
…
```
<!-- example: fails -->
```sh
exit 3
```
<!-- example: not run: it is an example -->
```sh
exit 4
```
## Two
<!-- example: file data.csv -->
```csv
a,b
```
<!-- example: sh
test "$(cat data.csv)" = a,b
-->
### Three
<!-- example: python
import gi
open("made", "w").close()
-->
<!-- example: beside python -->
```sh
test -e made
```
"""
        self.assertEqual(self.run_guide(text), [None] * 5)

    def test_one_program_a_heading(self):
        text = "# A\n```python\na = 1\n```\nprose\n```python\nprint(a, db)\n```\n## B\n```python\nb\n```"
        programs = guide.Guide("x.md", text).programs
        self.assertEqual([program.language for program in programs], ["python", "python"])
        self.assertIn("a = 1\nprint(a, db)", programs[0].text())
        self.assertNotIn("a = 1", programs[1].text())

    def test_scopes(self):
        text = "# A\n```c\nstatic int\none (void)\n{\n  return 1;\n}\n```\n```c\none ();\n```"
        whole = guide.Guide("x.md", text).programs[0].text()
        self.assertLess(whole.index("one (void)"), whole.index("example (LdbDatabase"))
        self.assertGreater(whole.index("one ();"), whole.index("example (LdbDatabase"))
        text = "# A\n```vala\nasync int f () throws Error {\n}\n```\n```vala\nif (true) {\n}\n```"
        whole = guide.Guide("x.md", text).programs[0].text()
        self.assertLess(whole.index("int f"), whole.index("void example"))
        self.assertGreater(whole.index("if (true)"), whole.index("void example"))

    def test_bad_programs(self):
        for text in ("```sh\nfalse\n```",
                     "```sh\necho one\n```\n```output\ntwo\n```",
                     "```sh\necho one; echo two\n```\n```output\none\n```",
                     "<!-- example: fails -->\n```sh\ntrue\n```"):
            with self.subTest(text):
                self.assertIsNotNone(self.run_guide(text)[0])

    def test_does_not_compile(self):
        self.assertIn("does not compile", self.run_guide("```c\nno_such_thing ();\n```")[0])

    def test_bad_form(self):
        for text in ("```\nx\n```", "  ```sh\n```", "```sh\nx", "```rust\nx\n```",
                     "```output\nx\n```", "<!-- example: shown -->",
                     "<!-- example: not run: -->\n```sh\n```",
                     "<!-- example: file a/b -->\n```sh\n```",
                     "<!-- example: alone -->\n# Next", "<!-- example: beside python -->\n```sh\n```", "<!-- example: ruby\nx\n-->"):
            with self.subTest(text), self.assertRaises(guide.Mistake):
                guide.Guide("x.md", text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        GuideTest.path, *GuideTest.languages = sys.argv[1:]
        case = GuideTest
    else:
        case = MachineryTest
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    sys.exit(not unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite).wasSuccessful())
