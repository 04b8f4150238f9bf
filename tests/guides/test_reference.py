# SPDX-License-Identifier: MIT
"""A reference manual as it was built: test_reference.py [--links N] DIRECTORY PAGE.md …

Every page stands in the manual's index, and no link within the manual leads nowhere, nor is a picture
missing. It has more than N links (1000).
"""

import functools
import html.parser
import pathlib
import sys
import unittest
import urllib.parse


class Page(html.parser.HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "a" and "href" in named:
            self.links.add(named["href"])
        if tag == "img" and "src" in named:
            self.links.add(named["src"])
        if "id" in named:
            self.anchors.add(named["id"])


@functools.cache
def page(path):
    return Page(path)


class Reference(unittest.TestCase):
    directory = None
    pages = ()
    links = 1000

    def test_pages_are_in_the_index(self):
        links = page(self.directory / "index.html").links
        for name in self.pages:
            with self.subTest(name):
                self.assertIn(f"{pathlib.Path(name).stem}.html", links)

    def test_links(self):
        checked = 0
        for file in sorted(self.directory.glob("*.html")):
            for link in page(file).links:
                target = urllib.parse.urlsplit(link)
                if target.scheme or target.netloc or "{" in link:
                    continue
                checked += 1
                with self.subTest(page=file.name, link=link):
                    other = file.parent / target.path if target.path else file
                    self.assertTrue(other.exists())
                    if target.fragment and other.suffix == ".html":
                        self.assertIn(target.fragment, page(other).anchors)
        print(f"{checked} links")
        self.assertGreater(checked, self.links)


if __name__ == "__main__":
    if sys.argv[1] == "--links":
        Reference.links = int(sys.argv[2])
        del sys.argv[1:3]
    Reference.directory = pathlib.Path(sys.argv[1])
    Reference.pages = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
