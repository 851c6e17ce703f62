"""Builds what the tests here use, once: libraries of sample rules and what they must print."""
import json
import shutil

import support

#: name, expression, and a hyper that is set for the second group before the fourth step.
SAMPLES = (
    ("sgd", "SGD(momentum = 0.9)", "weight_decay", 0.25),
    ("adamw", "AdamW", "lr", 0.05),
    ("raw", "AdamW(eps_place = raw, decay_point = new)", "", 0),
    ("rmsprop", "RMSprop", "lr", 0.02),
    ("lamb", "LAMB", "lr", 0.02),
    ("adafactor", "Adafactor", "", 0),
    ("averaged", "ClipByGlobalNorm | AdamW(lr = 0.01 / t) | Ema(decay = 0.5)", "weight_decay", 0.125),
    ("sam", "SAM(rho = 0.5) | AdamW", "lr", 0.03),
    ("samviews", "SAM(rho = 0.25) | SGD | Ema", "", 0),
    ("samrates", "SAM | samples.Rates", "", 0),
    ("halved", "AccumulateGradient(k = 2) | SGD", "lr", 0.5),
    ("sgdnoise", "samples.Noise", "lr", 0.3),
    ("rates", "samples.Rates", "lr", 0.3),
    ("kinds", "samples.Kinds", "every", 1),
    ("routes", "samples.Routes", "adamw.lr", 0.5),
    ("follows", "samples.Follows", "lr2", 0.4),
)
RULES = support.HERE / "rules"
RATES = {"model": "m", "group": "g", "tensor": "t", "matrix": "x", "row": "r", "col": "c", "element": "e"}
#: What talweg calls the platforms that these tests run, as qemu is called there.
EMULATED = {"aarch64": "aarch64"}


def table(manifest):
    """The rules as transcript.c reads them."""
    lines = []
    for rule, (name, _, hyper, value) in zip(manifest["rules"], SAMPLES):
        rates = "".join(RATES[given["rate"]] for given in rule["inputs"])
        view = rule["views"][0]["name"] if rule["views"] else ""
        kind = f'WITH_INPUTS({name}, "{rates}", ' if rates else f"WITHOUT_INPUTS({name}, "
        lines.append(f'{kind}"{view}", "{hyper}", {value})\n')
    return "".join(lines)


def build_samples(dtype):
    rules = [part for name, expression, _, _ in SAMPLES for part in ("--rule", f"{name}={expression}")]
    folder = support.FOLDER / dtype
    for out, target in ((folder, []), (folder / "aarch64", ["--target", "aarch64"])):
        support.build("samples", out, RULES / "samples.tw", *rules, "--dtype", dtype, *target)
    (folder / "samples.inc").write_text(table(json.loads((folder / "samples.json").read_text())))
    samples = [f"{name}={expression}" + (f"@{hyper}={value}" if hyper else "") for name, expression, hyper, value in SAMPLES]
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    expected = support.run(support.os.environ["TALWEG_EXPECTED"], dtype, support.ROOT / "stdlib", RULES, checkpoints, *samples).stdout
    (folder / "expected.txt").write_text(expected)


def main():
    shutil.rmtree(support.FOLDER, ignore_errors=True)
    for dtype in support.DTYPES:
        build_samples(dtype)
    support.build("adamw", support.FOLDER / "adamw", "--rule", "AdamW")


if __name__ == "__main__":
    main()
