# SPDX-License-Identifier: MIT
"""Every example in a comment of the reference manual is built and run: test_comments.py comments.md SOURCE …

What stands around them is in comments.md. An “…” in an example stands for something that does not matter
there: a line of its own at the margin parts what stands in a function from what stands outside.
"""

import pathlib
import re
import sys
import unittest

import guide
import test_guides

FENCE = re.compile(r"^ \* ```(\w+)\n(.*?)^ \* ```$", re.MULTILINE | re.DOTALL)


def examples(source):
    """(language, code) of each example in the comments of a source."""
    found = []
    for language, body in FENCE.findall(source):
        if language in guide.PROGRAMS:
            found.append((language, re.sub(r"^ \* ?", "", body, flags=re.MULTILINE)))
    return found


def as_blocks(language, code):
    """An example as a guide has it."""
    parts = [re.sub(r"^ +…\n", "", part, flags=re.MULTILINE) for part in re.split(r"^…\n", code, flags=re.MULTILINE)]
    blocks = []
    for part in parts:
        end = part.find("\n}\n") + 3  # what follows a function stands in one
        halves = (part[:end], part[end:]) if part.startswith("static ") else (part,)
        blocks += [f"```{language}\n{half}```\n" for half in halves if half.strip()]
    return "".join(blocks)


class Comments(test_guides.Temporary):
    around = None
    sources = ()

    def test_examples(self):
        text = pathlib.Path(self.around).read_text(encoding="utf-8")
        there = {}
        for path in map(pathlib.Path, self.sources):
            found = examples(path.read_text(encoding="utf-8"))
            if found:
                self.assertNotIn(path.name, there)
                there[path.name] = "".join(as_blocks(*example) for example in found)
        beginning, *sections = re.split(r"^(?=# )", text, flags=re.MULTILINE)
        titles = [section.splitlines()[0].removeprefix("# ") for section in sections]
        self.assertEqual(sorted(there), sorted(titles))
        whole = beginning + "".join(section.replace("<!-- the example -->\n", there[title])
                                    for title, section in zip(titles, sections))
        runner = test_guides.Runner(self.directory)
        programs = guide.Guide("comments.md", whole).programs
        self.assertEqual([program.section for program in programs], titles)
        for program in programs:
            with self.subTest(program.section):
                wrong = runner.run(program)
                if wrong is not None:
                    self.fail(wrong)
        print(f"{len(programs)} examples run")


if __name__ == "__main__":
    _, Comments.around, *Comments.sources = sys.argv
    unittest.main(argv=sys.argv[:1], verbosity=2)
