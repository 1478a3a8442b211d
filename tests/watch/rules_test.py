"""Rules and pages that go with them, without a server: promtool's checks, and a runbook for each alert."""
import re
import subprocess
import unittest

from monitor import CONFIG, ROOT, RULES


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text())


class Rules(unittest.TestCase):
    def promtool(self, *arguments: str) -> None:
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_takes_configuration_and_rules(self):
        self.promtool("check", "config", str(CONFIG))
        self.promtool("check", "rules", str(RULES))

    def test_each_alert_fires_on_figures_that_call_for_it_and_none_on_healthy_ones(self):
        unit = ROOT / "tests/watch/alerts.unit.yml"
        self.promtool("test", "rules", str(unit))
        self.assertEqual(sorted(re.findall(r"alertname: (\w+)", unit.read_text())), sorted(alerts()))

    def test_each_alert_links_its_section_of_the_operations_page(self):
        page = (ROOT / "docs/operations.md").read_text()
        sections = {title.lower(): title for title in re.findall(r"^### (\w+)$", page, re.M)}
        rules = RULES.read_text()
        for alert in alerts():
            with self.subTest(alert):
                self.assertIn(f"runbook: docs/operations.md#{alert.lower()}\n", rules)
                self.assertEqual(sections.get(alert.lower()), alert)

    def test_rules_name_only_metrics_that_the_operations_page_has(self):
        page = set(re.findall(r"^\| `(\w+)(?:\{[^}]*\})?` \|", (ROOT / "docs/operations.md").read_text(), re.M))
        for file in (RULES, ROOT / "deploy/prometheus/grafana-dashboard.json"):
            used = set(re.findall(r"\b((?:millrace|process)_\w+)", file.read_text()))
            known = page | {f"{name}_bucket" for name in page if name.endswith("_seconds")}
            self.assertEqual(used - known, set(), file)


if __name__ == "__main__":
    unittest.main()
