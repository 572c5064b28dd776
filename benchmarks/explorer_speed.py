"""How long one update of the explorer takes and where the time goes, whether a thousand of them leave anything behind, and what happens at 256².

Run: python benchmarks/explorer_speed.py [number of updates]. A test never asserts a time; this prints them, and the share of each part.
"""
import gc
import resource
import statistics
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cmd_emulator.emulator import Emulator  # noqa: E402
from cmd_emulator.explorer import Explorer, explore  # noqa: E402
from cmd_emulator.render import map_panels, map_words, panels_png  # noqa: E402


def median_ms(work, n: int = 15) -> float:
    "Median time of a call [ms]."
    work()
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def resident_mb() -> float:
    "Memory of this process now [MB]."
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1e6


def parts(explorer: Explorer) -> None:
    "One update, part by part."
    emulator, rng = explorer.emulator, np.random.default_rng(0)

    def move() -> None:
        explorer.sliders["Omega_m"].value = float(rng.uniform(0.1, 0.5))

    ds = emulator.sample(1)
    rows = {
        "emulate one triple": median_ms(lambda: emulator.sample(1)),
        "paint it": median_ms(lambda: panels_png(map_panels(ds, emulator.fields, explorer.limits), 25, map_words(ds, emulator.fields))),
        "emulate the ensemble": median_ms(lambda: emulator.sample(explorer.size.value)),
        "curves over the band": median_ms(lambda: explorer.figures[explorer.shown].show(explorer.ensemble, None, explorer.values)),
        "position": median_ms(lambda: explorer.position.show(explorer.values)),
        "from slider to picture": median_ms(lambda: (explorer.made.clear(), explorer.draw())),
        "whole update, curves of the ensemble too": median_ms(move),
    }
    for name, ms in rows.items():
        print(f"{ms:8.1f} ms  {ms / rows['whole update, curves of the ensemble too']:4.0%}  {name}")


def leaks(explorer: Explorer, n: int) -> None:
    "Random moves of random sliders, in every mode; what stays behind."
    rng, names = np.random.default_rng(1), list(explorer.sliders)
    figures, seen = len(plt.get_fignums()), []
    for i in range(n):
        if i % 100 == 0:
            gc.collect()
            seen.append((resident_mb(), len(gc.get_objects())))
        if i % 50 == 0:
            explorer.compare.value = not explorer.compare.value
            explorer.colours.value = "per map" if i % 200 == 0 else "fixed"
        name = names[rng.integers(len(names))]
        explorer.sliders[name].value = float(explorer.parameters[name].from_unit(rng.random()))
    gc.collect()
    seen.append((resident_mb(), len(gc.get_objects())))
    print(f"{n} updates: {seen[1][0]:.0f} MB and {seen[1][1]} objects after 100, {seen[-1][0]:.0f} MB and {seen[-1][1]} objects at the end, "
          f"{len(plt.get_fignums()) - figures} figures left open")


def large(name: str) -> None:
    "An untrained network of 256²: is the hand told to let go?"
    small = Emulator.load(name)
    meta = small.meta | {"generator": small.meta["generator"] | {"resolution": 256}}
    network = type(small.generator)
    emulator = Emulator(network(type(small.generator.config)(**meta["generator"])), small.normaliser, meta, "untrained", "")
    explorer = explore(emulator)
    print(f"256²: {median_ms(lambda: emulator.sample(1), 5):.0f} ms a triple, {median_ms(lambda: (explorer.made.clear(), explorer.draw()), 5):.0f} ms to the picture; "
          f"sliders {'follow the hand' if explorer.sliders['Omega_m'].continuous_update else 'report when let go'}")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    explorer = explore(Emulator.load("mock64"))
    print(f"{explorer.emulator}; {torch.get_num_threads()} threads, ensemble of {explorer.size.value}")
    parts(explorer)
    large("mock64")
    leaks(explorer, n)


if __name__ == "__main__":
    main()
