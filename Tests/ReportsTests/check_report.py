"""Reads a report's page and its table with other people's parsers, and writes what they found as JSON.

usage: check_report.py page FILE.html | sheet FILE.csv
"""

import csv
import html.parser
import json
import sys
import xml.etree.ElementTree as tree

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta"}


class Page(html.parser.HTMLParser):
    """A browser's view: every element is closed by its own end, and nothing runs or is loaded."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.cells, self.kept = [], [], [], None
        self.elements = {}

    def handle_starttag(self, tag, attributes):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "action", "style", "data"):
                self.problems.append(f"{tag} has {name}={value}")
        if tag in ("script", "iframe", "object", "embed", "link", "img", "form", "base", "image", "use", "a"):
            self.problems.append(f"there is a {tag}")
        if tag in ("td", "th"):
            self.kept = ""

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else")
        if tag in ("td", "th"):
            self.cells.append(self.kept)
            self.kept = None

    def handle_data(self, data):
        if self.kept is not None:
            self.kept += data


def page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    reader = Page()
    reader.feed(text)
    reader.close()
    problems = reader.problems + [f"<{tag}> is not closed" for tag in reader.open]
    if not text.startswith("<!DOCTYPE html>\n"):
        problems.append("no DOCTYPE: browsers would guess")
    # Well-formed XML too, the plots with it.
    root = tree.fromstring(text)
    plots = list(root.iter(SVG + "svg"))
    for plot in plots:
        width, height = (float(number) for number in plot.get("viewBox").split()[2:])
        for shape in plot.iter(SVG + "rect"):
            x, y, wide, high = (float(shape.get(name)) for name in ("x", "y", "width", "height"))
            if min(x, y, wide, high) < 0 or x + wide > width + 0.2 or y + high > height + 0.2:
                problems.append(f"a bar lies outside of its plot: {shape.attrib}")
        if not plot.findtext(SVG + "title"):
            problems.append("a plot has no title")
    return {
        "problems": problems,
        "language": root.get("lang"),
        "title": root.findtext(f"{XHTML}head/{XHTML}title"),
        "plots": [plot.findtext(SVG + "title") for plot in plots],
        "bars": [len(list(plot.iter(SVG + "rect"))) for plot in plots],
        "sections": [section.get("id") for section in root.iter(XHTML + "section")],
        "cells": reader.cells,
        "invisible": sorted({f"U+{ord(c):04X}" for c in text if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E)}),
    }


def is_number(text):
    try:
        float(text)
        return text.isascii()
    except ValueError:
        return False


def sheet(path):
    with open(path, "rb") as file:
        data = file.read()
    problems = []
    if not data.startswith(b"\xef\xbb\xbf"):
        problems.append("no byte order mark")
    if b"\n" in data.replace(b"\r\n", b"") or not data.endswith(b"\r\n"):
        problems.append("a line does not end with CR LF")
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    if {len(row) for row in rows} != {len(rows[0])}:
        problems.append("rows of different length")
    for row in rows:
        problems += [f"a formula: {cell}" for cell in row if cell[:1] in tuple("=+-@\t\r＝＋－＠") and not is_number(cell)]
    return {"problems": problems, "rows": [dict(zip(rows[0], row)) for row in rows[1:]]}


if __name__ == "__main__":
    print(json.dumps({"page": page, "sheet": sheet}[sys.argv[1]](sys.argv[2])))
