"""docs/configuration.md has exactly the flags of `millrace serve --help`, with their defaults."""
import re
import unittest

from process import ROOT, run


def in_help() -> dict[str, str]:
    """Flag to default, as --help prints them."""
    text = run("serve", "--help").stdout
    flags = {}
    for name, rest in re.findall(r"^ +--([\w-]+) (.*(?:\n {20,}.*)*)", text, re.M):
        default = re.search(r"\[([^\]]*)\]\s*$", rest)
        flags[name] = default[1] if default else ""
    return flags


def in_page() -> dict[str, str]:
    rows = re.findall(r"^\| `--([\w-]+) ([^`]*)` \| ([^|]*)\|", (ROOT / "docs/configuration.md").read_text(), re.M)
    return {name: default.strip().strip("`") for name, _, default in rows}


class ConfigurationPage(unittest.TestCase):
    def test_page_and_help_name_the_same_flags_and_defaults(self):
        self.assertGreater(len(in_help()), 20)
        self.assertEqual(in_page(), in_help())

    def test_the_page_names_the_settings_that_have_no_flag(self):
        page = (ROOT / "docs/configuration.md").read_text()
        for name in ("MILLRACE_ROOT_ACCESS_KEY", "MILLRACE_ROOT_SECRET_KEY"):
            self.assertIn(name, page)


if __name__ == "__main__":
    unittest.main()
