"""A wheel of the package, with nothing but its core requirements: what works, and what the rest says.

Run: python tests/test_core.py (exit status 1 when something is wrong). The wheel is unpacked in a temporary folder and imported from there
by an interpreter that refuses every module that only an extra installs.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("setup.py", "settings.ini", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CITATION.cff")
LARGEST = 20  # MB of the wheel
REFUSED = ("numba", "colossus", "scipy", "requests", "ipywidgets", "voila", "zarr", "fsspec", "h5netcdf", "h5py", "dask", "distributed", "tensorboard", "pqm", "sbi", "corner", "camb", "nbdev", "fastcore", "IPython")
SENTENCES = {"simulate": ("gravity", "painting", "suite", "universe"), "download": ("download",), "explorer": ("explorer", "serve"),
             "statistics": ("baselines", "memorise", "conditional", "bench", "exam", "paint", "evaluate")}
REFUSE = f"""
import sys

class Without:
    "A finder of modules that finds none of the extras'."
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {REFUSED} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
IMPORT = """
import importlib
for name in sys.argv[1:]:
    try:
        importlib.import_module(f"cmd_emulator.{name}")
    except ImportError as error:
        print(name, error)
"""
USE = """
import matplotlib
matplotlib.use("agg")
from cmd_emulator import Emulator, open_maps, show_maps
from cmd_emulator.maps import save_maps
from cmd_emulator.statistics import cross_correlation, pdf, power_spectrum
maps = Emulator.load("mock64").sample(2)
assert maps.sizes == {"map": 2, "y": 64, "x": 64} and all(measure(maps).sizes["map"] == 2 for measure in (pdf, power_spectrum, cross_correlation))
assert show_maps(maps) is not None
written = Emulator.load("mock64").write("maps", 15)
held = open_maps("maps", suite="Mock")
assert held.sizes["map"] == 15 and abs(held["HI"][:2].values / maps["HI"].values - 1).max() < 1e-3
for path, library in (("maps.nc", "scipy"), ("maps.zarr", "zarr")):
    try:
        Emulator.load("mock64").write(path, 2)
        raise SystemExit(f"{path} was written without {library}")
    except ImportError as error:
        assert str(error).endswith("pip install 'cmd_emulator[exchange]'"), error
"""


def build(folder: Path) -> Path:
    "The wheel, from a copy in which no earlier build is left."
    shutil.copytree(ROOT / "cmd_emulator", folder / "tree" / "cmd_emulator", ignore=shutil.ignore_patterns("__pycache__"))
    for name in PARTS:
        shutil.copy(ROOT / name, folder / "tree" / name)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, folder / "tree"], check=True)
    return next(folder.glob("*.whl"))


def run(folder: Path, code: str, *words: str) -> list[str]:
    "Lines that this code prints, run by an interpreter without the extras; the last line of its errors when it fails."
    env = os.environ | {"PYTHONPATH": str(folder / "site")}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", REFUSE + code, *words], cwd=folder, env=env, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else (done.stderr.strip().splitlines() or ["failed"])[-1:]


def main() -> int:
    wrong = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wheel = build(folder)
        size = wheel.stat().st_size / 1e6
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
        home = folder / "site" / "cmd_emulator"
        wrong += [f"the wheel holds no {name}" for name in ("py.typed", "pretrained/mock64.safetensors", "pretrained/paint64.safetensors", "pretrained/posterior64.safetensors", "pretrained/example_Mock_64.nc", "pretrained/bands_Mock_64.nc") if not (home / name).is_file()]
        if size > LARGEST:
            wrong.append(f"the wheel takes {size:.1f} MB, at most {LARGEST} are meant")
        wrong += run(folder, f"import cmd_emulator\nassert cmd_emulator.__file__.startswith({str(home)!r}), cmd_emulator.__file__")
        wrong += [f"the core: {line}" for line in run(folder, USE)]
        lines = run(folder, IMPORT, *sorted(path.stem for path in home.glob("[a-z]*.py")))
        said = dict(line.split(" ", 1) for line in lines)
        meant = {name: f"pip install 'cmd_emulator[{extra}]'" for extra, names in SENTENCES.items() for name in names}
        wrong += [f"importing {name}: {said.get(name, 'nothing is said')}, expected {meant.get(name, 'no complaint')}"
                  for name in sorted({*said, *meant}) if name not in said or name not in meant or not said[name].endswith(meant[name])]
    print("\n".join(wrong) if wrong else f"a wheel of {size:.1f} MB draws, reads, shows and measures maps without extras; {len(meant)} modules name theirs")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
