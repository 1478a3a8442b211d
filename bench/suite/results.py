"""Results: one JSON line a measurement, and Markdown tables for people."""
import json
import pathlib
import statistics

from suite.environment import BUILD, machine, say


class Results:
    def __init__(self, command: str):
        self.folder = BUILD / "results"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._machine = machine()
        stamp = self._machine["time"].replace(" UTC", "").replace(" ", "-").replace(":", "")
        self._lines = self.folder / f"{stamp}.jsonl"
        self.markdown_path = self.folder / f"{stamp}.md"
        self._markdown: list[str] = []
        self.add("run", command=command, machine=self._machine)
        m = self._machine
        self.text(f"`{command}` on {m['cores']} cores of {m['processor']}, {m['memory_gb']} GB, Linux {m['kernel']}, "
                  f"{m['file_system']}, {m['time']}, commit {m['commit']}.")

    def add(self, benchmark: str, **values) -> None:
        with open(self._lines, "a") as out:
            out.write(json.dumps({"benchmark": benchmark, **values}) + "\n")

    def text(self, paragraph: str) -> None:
        self._markdown += [paragraph, ""]
        self._write()

    def table(self, title: str, head: list[str], rows: list[list]) -> None:
        lines = [f"### {title}", "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self._markdown += [*lines, ""]
        self._write()
        say("\n" + "\n".join(lines) + "\n")

    def _write(self) -> None:
        self.markdown_path.write_text("\n".join(self._markdown))

    @property
    def lines_path(self) -> pathlib.Path:
        return self._lines


def median(values: list[float]) -> float:
    return statistics.median(values)


def number(value: float) -> str:
    """1234567.8 as 1,234,568; small ones with two digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def milliseconds(us: float) -> str:
    return f"{us / 1000:.2f}"


def mebibytes(count: float) -> str:
    return f"{count / 2**20:,.1f}"
