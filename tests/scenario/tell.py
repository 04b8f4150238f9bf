#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Has a program tell a story and compares: tell.py STORY PROGRAM ARGUMENT … LAST

The program is called with a directory of its own and the last argument (the form of the calls, or a
file of settings), and has to print the story.
"""

import difflib
import subprocess
import sys
import tempfile

story_path, *program, last = sys.argv[1:]
with open(story_path, encoding="utf-8") as file:
    story = file.read().splitlines()
with tempfile.TemporaryDirectory(prefix="ldb-scenario-") as directory:
    done = subprocess.run([*program, directory, last], stdout=subprocess.PIPE, text=True, check=False)
difference = list(difflib.unified_diff(story, done.stdout.splitlines(), "the story", "as it was told",
                                       lineterm=""))
print("\n".join(difference) or f"{len(story)} lines, as they should be")
sys.exit(done.returncode or bool(difference))
