"""Rules and trajectories as text and HTML: well formed, escaped, and true."""
import html.parser
import json
import math
import os
import re
import subprocess
import unittest
import warnings
import xml.etree.ElementTree

from support import main, need

np = need("numpy")
import talweg  # noqa: E402
from talweg import _contours  # noqa: E402

HOSTILE = """/// Bold <b>rule</b> & "quotes" of 'its' own.
///
///     p <- p - <script>alert(1)</script>
///
/// Notes </div></pre> here.
rule Bold {
  /// How <far> & wide.
  hyper lr = 0.1 in [0, 1]
  /// </td>
  state v
  step {
    v = 0.9 * v + grad
    update = if v < 1 and v > 0 then lr * v else lr * grad
  }
}
"""


class Elements(html.parser.HTMLParser):
    """Reads HTML, and sees that every element is closed where it was opened."""

    VOID = {"path", "circle", "rect", "polyline"}

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


class Html(unittest.TestCase):
    def test_every_kind_of_rule(self):
        for expression in ("AdamW", "ClipByGlobalNorm(1) | AdamW | Ema", "Adafactor", "AliG", "Rprop", "SAM | HeavyBall"):
            with self.subTest(expression):
                rule = talweg.compile(expression)
                shown = Elements(rule._repr_html_())
                text = " ".join(shown.text)
                for part in (*rule.hypers, *rule.states, *rule.inputs, *rule.views):
                    self.assertIn(part.name, shown.text)
                self.assertIn(f"{rule.plan().data['bytes_per_parameter']['total']} bytes a parameter", text)
                self.assertIn(rule.plan().text.rstrip(), text)
                Elements(rule.plan()._repr_html_())

    def test_escaped(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rule = talweg.compile(text=HOSTILE)
        page = rule._repr_html_()
        shown = Elements(page)
        self.assertLess(set(shown.seen) & {"b", "script", "far"} | {"table"}, set(shown.seen))
        self.assertEqual(set(shown.seen) & {"b", "script", "far"}, set())
        self.assertIn('Bold <b>rule</b> & "quotes" of \'its\' own.', shown.text)
        self.assertIn("p <- p - <script>alert(1)</script>", shown.text)
        self.assertIn("Notes </div></pre> here.", shown.text)
        self.assertIn("How <far> & wide.", shown.text)
        self.assertIn(HOSTILE.rstrip(), shown.text)

    def test_a_sentence_begins_with_a_capital(self):
        self.assertIn("<p>Second moments of a matrix", talweg.compile("Adafactor")._repr_html_())

    def test_values(self):
        text = ("rule R {\n  hyper a = 1e-8\n  hyper b = 2 * a\n  hyper bool c = true\n  hyper int d = 3 in [1, inf)\n"
                "  step { update = if c then a * grad + b else d * grad }\n}\n")
        rule = talweg.compile(text=text)
        self.assertEqual(str(rule).split("Hypers\n")[1].split("\n\n")[0],
                         "  a  1e-8\n  b  computed\n  c  true      true or false\n  d  3         [1, inf)")


class Contours(unittest.TestCase):
    def test_a_circle(self):
        place = np.arange(41.0) - 20
        values = place[:, None] ** 2 + place[None, :] ** 2
        (line,) = _contours.regions(values, 100.0)
        radius = np.hypot(line[:, 0] - 20, line[:, 1] - 20)
        self.assertLess(np.abs(radius - 10).max(), 0.03)
        self.assertLess(np.hypot(*(line - np.roll(line, 1, axis=0)).T).max(), 1.5)  # neighbours follow each other

    def test_two_valleys_and_none(self):
        place = np.linspace(-2, 2, 50)
        values = (place[None, :] ** 2 - 1) ** 2 + place[:, None] ** 2
        self.assertEqual(len(list(_contours.regions(values, 0.5))), 2)
        self.assertEqual(len(list(_contours.regions(values, 1.5))), 1)
        self.assertEqual(list(_contours.regions(values, -1.0)), [])

    def test_saddles_and_borders(self):
        for seed in range(20):  # every corner above or below its neighbours by chance
            values = np.random.default_rng(seed).random((7, 9))
            lines = list(_contours.regions(values, 0.5))
            area = 0.0
            for line in lines:
                self.assertGreaterEqual(len(line), 4)
                x, y = line.T
                area += abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
            self.assertGreater(area, 0)
            self.assertEqual(sum(len(line) for line in lines), crossings(values, 0.5))


def crossings(values, level):
    """How many edges of the grid a contour crosses, the one to what is around it included."""
    below = np.pad(values < level, 1)
    return int((below[1:] != below[:-1]).sum() + (below[:, 1:] != below[:, :-1]).sum())


class Trajectories(unittest.TestCase):
    def test_the_same_as_talweg_trace(self):
        program = os.environ.get("TALWEG_PROGRAM")
        if program is None:
            self.skipTest("TALWEG_PROGRAM names no command to compare with")
        rule = talweg.compile("HeavyBall", dtype="float64")
        for problem in ("quadratic", "rosenbrock", "beale", "himmelblau"):
            command = [program, "trace", "--rule", "HeavyBall(lr = 1e-3)", "--function", problem, "--steps", "40", "--json"]
            lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            rows = [json.loads(line) for line in lines]
            found = rule.trajectory(problem, 40, lr=1e-3)
            np.testing.assert_allclose(found.losses, [row["value"] for row in rows], rtol=1e-9, err_msg=problem)
            np.testing.assert_allclose(found.params, [row["x"] for row in rows], rtol=1e-9, atol=1e-12, err_msg=problem)

    def test_gradients(self):
        from talweg import _trajectory
        for problem in _trajectory.PROBLEMS.values():
            for minimum in problem.minima:
                self.assertLess(np.abs(problem.function(np.array(minimum))[1]).max(), 1e-9)
            for point in np.random.default_rng(1).uniform(-2, 2, (20, 2)):
                near = [(problem.function(point + h)[0] - problem.function(point - h)[0]) / 2e-6 for h in np.eye(2) * 1e-6]
                np.testing.assert_allclose(problem.function(point)[1], near, rtol=1e-4, atol=1e-4)

    def test_hypers_starts_and_steps(self):
        rule = talweg.compile("GradientDescent", dtype="float64")
        found = rule.trajectory("quadratic", 2, start=(1, 1), lr=0.01)
        np.testing.assert_allclose(found.params, [[1, 1], [0.99, 0], [0.9801, 0]], atol=1e-15)
        np.testing.assert_array_equal(found.params, rule.trajectory("quadratic", 2, start=(1, 1), hypers={"lr": 0.01}).params)
        self.assertEqual((found.steps, found.diverged, found.params.dtype), (2, False, np.float64))
        self.assertEqual(rule.for_dtype("float32").trajectory("beale", 0).params.dtype, np.float32)
        self.assertEqual(repr(found), "<talweg.Trajectory GradientDescent, lr=0.01 on quadratic: 2 steps, loss 50.5 to 0.4803>")

    def test_rules_that_need_more(self):
        moved = talweg.compile("SAM | HeavyBall", dtype="float64").trajectory("quadratic", 1, start=(1, 0), lr=0.1)
        self.assertAlmostEqual(moved.params[1, 0], 1 - 0.1 * 1.05, places=9)  # the gradient at 1 + rho
        polyak = talweg.compile("AliG", dtype="float64").trajectory("quadratic", 200)
        self.assertLess(polyak.losses[-1], polyak.losses[0])
        with self.assertRaisesRegex(ValueError, "reads hessian, which"):
            talweg.compile("Sophia").trajectory()

    def test_what_is_refused(self):
        rule = talweg.compile("AdamW")
        for arguments, hypers, kind in ((("rosenbrok",), {}, ValueError), (("beale", -1), {}, ValueError),
                                        (("beale",), {"lrr": 1}, talweg.Error), (("beale",), {"lr": -1}, talweg.Error),
                                        (("beale", 1), {"start": (1, np.inf)}, ValueError),
                                        (("beale", 1), {"start": ((1, 2), (3, 4))}, ValueError)):
            with self.subTest(arguments), self.assertRaises(kind):
                rule.trajectory(*arguments, **hypers)

    def test_problems_that_are_none(self):
        rule = talweg.compile("GradientDescent", dtype="float64")

        def bowl(p, gradient=None):
            return float(p @ p), 2 * p if gradient is None else gradient
        for wrong, kind, words in (
                ((bowl, 1), TypeError, "quadratic, rosenbrock, beale, himmelblau, or a talweg.Problem, not function"),
                ((talweg.Problem("x", lambda p: bowl(p, 3.0), (1, 1)), 1), ValueError,
                 r"the gradient of x has shape \(\), and its parameters have \(2,\)"),
                ((talweg.Problem("x", lambda p: bowl(p, [1] * 3), (1, 1)), 1), ValueError, r"gradient of x has shape \(3,\)"),
                (("beale", 1, (1, 2, 3)), ValueError, "beale has 2 parameters, and the start 3")):
            with self.subTest(words), self.assertRaisesRegex(kind, words):
                rule.trajectory(*wrong[:2], start=wrong[2] if len(wrong) > 2 else None)

    def test_what_a_drawing_says(self):
        rule = talweg.compile("GradientDescent", dtype="float64")
        with_arrays = talweg.Problem("bowl", lambda p: (float(p @ p), 2 * p), np.ones(2), np.zeros((1, 2)),
                                     np.array([[-2, 2]] * 2))
        self.assertIn("✕ minimum", rule.trajectory(with_arrays, 5, lr=0.1).svg())
        half = talweg.Problem("half", lambda p: (math.log(p[0]) ** 2 + p[1] ** 2, (2 * math.log(p[0]) / p[0], 2 * p[1])),
                              (0.5, 1.0), box=((-1, 2), (-1, 2)))
        self.assertGreater(rule.trajectory(half, 5, lr=0.1).svg().count("<path"), 10)
        tiny = talweg.Problem("tiny", lambda p: (1e-15 * float(p @ p) - 1e-15, 0 * p + 1), (0.0,))
        for found, labels in ((rule.trajectory(with_arrays, 20000, lr=1e-5), {"0", "5000", "10000", "15000", "20000"}),
                              (rule.trajectory(tiny, 2, lr=1.0), {"−1e−15", "0", "1e−15", "2e−15", "3e−15"})):
            texts = {text.text for text in xml.etree.ElementTree.fromstring(found.svg()).iter("{http://www.w3.org/2000/svg}text")}
            self.assertLess(labels, texts)

    def test_drawings(self):
        rule = talweg.compile("GradientDescent", dtype="float64")
        bowl = talweg.Problem("a <bowl> & more", lambda p: (float(p @ p) - 3, 2 * p), (3.0, 1.0))
        flat = talweg.Problem("flat", lambda p: (1.0, 0 * p), (0.0, 0.0))
        broken = talweg.Problem("broken", lambda p: (float("nan"), p), (0.0, 0.0))
        line = talweg.Problem("line", lambda p: (float(p[0] ** 2), 2 * p), (1.0,))
        for found, words in ((rule.trajectory("quadratic", 60, lr=0.015), "60 steps"),
                             (rule.trajectory("rosenbrock", 300, lr=1e-3), "300 steps"),
                             (rule.trajectory("rosenbrock", 60, lr=0.021), "diverged after"),
                             (rule.trajectory("quadratic", 500, lr=0.03), "loss"),
                             (rule.trajectory(bowl, 0), "a <bowl> & more"), (rule.trajectory(bowl, 30), "a <bowl> & more"),
                             (rule.trajectory(flat, 3), "flat"), (rule.trajectory(broken, 3), "no finite number"),
                             (rule.trajectory(line, 10, lr=0.1), "line"),
                             (rule.trajectory("himmelblau", 5, start=(1e20, 1)), "himmelblau")):
            with self.subTest(repr(found)):
                drawing = found._repr_svg_()
                root = xml.etree.ElementTree.fromstring(drawing)
                self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
                self.assertIn(words, " ".join(root.itertext()))
                for number in re.findall(r'(?:points|d|cx|cy|x|y)="([^"]*)"', drawing):
                    self.assertNotRegex(number, "nan|inf")
                Elements(found._repr_html_())
                self.assertLess(len(drawing), 120_000)

    def test_a_path_in_a_drawing(self):
        found = talweg.compile("GradientDescent", dtype="float64").trajectory("quadratic", 4, start=(1, 0), lr=0.5)
        path = re.search(r'<polyline points="([^"]*)"', found._repr_svg_()).group(1)
        columns = [float(point.split(",")[0]) for point in path.split()]
        wide = columns[0] / ((1 + 2) / 4)  # the box of the problem is -2 to 2
        np.testing.assert_allclose(columns, [(x + 2) / 4 * wide for x in (1, 0.5, 0.25, 0.125, 0.0625)], atol=0.06)


if __name__ == "__main__":
    main()
