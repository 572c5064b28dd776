"""Each module imports alone and in any order, and knows only the rooms above it.

Run: python tests/test_rooms.py (exit status 1 and a list when something is wrong).
"""
import ast
import importlib
import os
import random
import re
import sys
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GAN = ("gan", "adversarial", "gan_train")  # the paper's GAN: a wing of its own, which no other module imports
EXPORT = re.compile(r"#\| *default_exp +(\w+)")


def rooms() -> list[str]:
    "Module names in the order of their notebooks."
    found = [EXPORT.search(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "nbs").glob("[0-9]*.ipynb"))]
    return [match.group(1) for match in found if match]


def imported(module: str) -> set[str]:
    "Names of the package's modules that this one imports, anywhere in its code."
    tree = ast.parse((ROOT / "cmd_emulator" / f"{module}.py").read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = (["cmd_emulator"] if node.level else []) + (node.module or "").split(".")
            parts = [part for part in parts if part]
            if parts[0] == "cmd_emulator":
                names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cmd_emulator.")}
    return names


LIBRARIES = ("numpy", "scipy.fft", "pandas", "xarray", "matplotlib.pyplot", "torch", "numba")  # imported once, before the forks


def imports_in(order: list[str]) -> str:
    "What went wrong when these modules were imported in this order by a process that had none of the package's; empty when nothing."
    assert not any(name.partition(".")[0] == "cmd_emulator" for name in sys.modules)
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            warnings.simplefilter("error", ImportWarning)
            for name in order:
                importlib.import_module(f"cmd_emulator.{name}")
        except BaseException:
            os.write(writing, traceback.format_exc().strip().splitlines()[-1].encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as said:
        return said.read().decode() or (f"the process ended with status {status}" if status else "")


def main() -> int:
    order, wrong = rooms(), []
    if len(order) != len(set(order)):
        wrong.append(f"two notebooks export to one module: {order}")
    if tuple(order[-len(GAN):]) != GAN:
        wrong.append(f"the last rooms are {order[-len(GAN):]}, expected {list(GAN)}")
    for i, module in enumerate(order):
        below = imported(module) & set(order[i:])
        wrong += [f"{module} imports {name}, which is not above it" for name in sorted(below)]
        wrong += [f"{module} imports {name}, which only the GAN's own rooms may" for name in sorted(imported(module) & set(GAN)) if module not in GAN]
        for banned in ("nbdev", "fastcore"):
            if re.search(rf"^\s*(import|from) {banned}\b", (ROOT / "cmd_emulator" / f"{module}.py").read_text(), re.M):
                wrong.append(f"{module} imports {banned}, a development dependency")
    stray = {p.stem for p in (ROOT / "cmd_emulator").glob("[a-z]*.py")} - set(order)
    wrong += [f"cmd_emulator/{name}.py belongs to no notebook" for name in sorted(stray)]
    shuffled = random.Random(0).sample(order, len(order))
    orders = [[name] for name in order] + [order[::-1], shuffled]
    sys.path.insert(0, str(ROOT))
    for library in LIBRARIES:
        importlib.import_module(library)
    failures = [(o, imports_in(o)) for o in orders]
    wrong += [f"importing {' '.join(o)}: {message}" for o, message in failures if message]
    print("\n".join(wrong) if wrong else f"{len(order)} modules import alone and in any order, each from rooms above: {', '.join(order)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
