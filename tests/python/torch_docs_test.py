"""The blocks of docs/pytorch.md are one program, which runs."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import support

support.need_installed("torch")
PAGE = support.ROOT / "docs/pytorch.md"


class Page(unittest.TestCase):
    def test_the_blocks_run(self):
        blocks = re.findall(r"^```python[^\n]*\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
        self.assertGreater(len(blocks), 5)
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "page.py").write_text("\n".join(blocks), encoding="utf-8")
            result = subprocess.run([sys.executable, "page.py"], cwd=folder, text=True, capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        losses = [float(line) for line in result.stdout.splitlines() if re.fullmatch(r"\d\.\d+", line)]
        self.assertGreater(len(losses), 3)
        self.assertLess(losses[-1], losses[0])
        self.assertIn("has no hyper named `learning_rate`", result.stdout)
        print(result.stdout)


if __name__ == "__main__":
    support.main()
