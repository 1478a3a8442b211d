"""The table in docs/kinesis-api.md of what was called through which client. Every run of a client's tests holds its own
column to it; with MILLRACE_WRITE_PAGES=1 it writes the column."""

import os
import re

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "docs", "kinesis-api.md")
BEGIN, END = "<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"
COVERED = re.compile(r"^covered (?P<client>[^:]+): (?P<operations>\S*)$")


class Page:
    def __init__(self):
        with open(PAGE, encoding="utf-8") as page:
            self._before, rest = page.read().split(BEGIN)
        table, self._after = rest.split(END)
        self._rows = [[cell.strip() for cell in row.strip("|\n ").split("|")] for row in table.splitlines()]

    @property
    def operations(self):
        return [row[0] for row in self._rows[2:]]

    def column(self, client):
        """{operation: cell}"""
        at = self._rows[0].index(client)
        return {row[0]: row[at] for row in self._rows[2:]}

    def write(self, client, cells):
        at = self._rows[0].index(client)
        for row in self._rows[2:]:
            row[at] = cells.get(row[0], row[at])
        table = "".join("| " + " | ".join(row) + " |\n" for row in self._rows)
        with open(PAGE, "w", encoding="utf-8") as page:
            page.write(self._before + BEGIN + table + END + self._after)


def check(cases, client, covered, known):
    """`covered` went well in this run. `known` are the operations that the client has in this version: of others, the
    page may know more, from a run with a newer one."""
    page = Page()
    now = page.column(client)
    cells = {name: "yes" if name in covered else "untested"
             for name in page.operations if name in known and now[name] != "later"}
    if os.environ.get("MILLRACE_WRITE_PAGES"):
        page.write(client, cells)
    with cases.case(f"docs/kinesis-api.md shows what was called through the {client}"):
        wrong = {name: f"{now[name]}, is {cell}" for name, cell in cells.items() if now[name] != cell}
        assert not wrong or os.environ.get("MILLRACE_WRITE_PAGES"), f"{wrong}: run with MILLRACE_WRITE_PAGES=1"


def covered_in(text):
    """{client: operations} of the lines "covered CLIENT: A,B" in a program's output."""
    found = {}
    for line in text.splitlines():
        match = COVERED.match(line.strip())
        if match:
            found.setdefault(match["client"], set()).update(filter(None, match["operations"].split(",")))
    return found
