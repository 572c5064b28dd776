"""The Mock universe beside theory and IllustrisTNG: writes universe_statistics.json, which 00a_universe asserts.

Run from the repository's root: python benchmarks/universe_statistics.py   (about four minutes on one core; needs camb)
"""
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nbs"))

from cmd_emulator.gravity import _deposit, evolve, linear_modes, matter_power
from cmd_emulator.suite import suite_labels
from cmd_emulator.universe import simulate
from references import TNG, TNG_LEVELS, TNG_R, nonlinear_power

CORNERS = [(0.3, 0.8), (0.1, 0.6), (0.1, 1.0), (0.5, 0.6), (0.5, 1.0)]
BANDS = ((1, 4), (5, 8), (9, 16), (17, 31))


def power_table(n: int = 20, size: int = 64) -> dict:
    "Mean matter power over HMcode's, in a box and in an infinite universe, with its error over boxes."
    picked = [0, 1, 2, 3, 4, 5, 7, 11, 15, 23]
    rows = {}
    for labels in CORNERS:
        powers = []
        for seed in range(700, 700 + n):
            particles = evolve(linear_modes(labels, seed, size), labels[0])
            density = np.zeros((particles.mesh,) * 3, np.float32)
            _deposit(particles.positions, np.float32(1), density)
            k, power = matter_power(density)
            powers.append(power)
        mean, error = np.mean(powers, axis=0), np.std(powers, axis=0) / n**0.5
        for name, cut in (("", {}), (" infinite", {"cut": 0.0})):
            theory = nonlinear_power(k, *labels, **cut)
            rows[f"{labels[0]}, {labels[1]}{name}"] = [(round(mean[i] / theory[i], 3), round(error[i] / theory[i], 3)) for i in picked]
    infinite = {name.removesuffix(" infinite"): rows.pop(name) for name in list(rows) if name.endswith("infinite")}
    return {"k": [round(float(k[i]), 3) for i in picked], "ratios": rows, "ratios_to_infinite": infinite, "boxes": n, "particles": size}


def cross(a: np.ndarray, b: np.ndarray) -> list[float]:
    "r(k) of two sets of maps, mean over maps, averaged over bands of integer k / k_f."
    n = a.shape[-1]
    bins = np.rint(np.hypot(np.fft.fftfreq(n, 1 / n)[:, None], np.fft.fftfreq(n, 1 / n))).astype(int).ravel()
    A, B = (np.fft.fft2(x - x.mean((1, 2), keepdims=True)) for x in (a, b))
    binned = lambda power: np.array([np.bincount(bins, one.ravel())[: n // 2] for one in power])
    with np.errstate(invalid="ignore"):
        r = (binned((A * B.conj()).real) / np.sqrt(binned(abs(A) ** 2) * binned(abs(B) ** 2))).mean(axis=0)
    return [round(float(r[low : high + 1].mean()), 3) for low, high in BANDS]


def summaries(ds) -> dict:
    "Means, widths and quantiles of log10, r(k), share and level of bubbles."
    logs = {name: np.log10(ds[name].values) for name in TNG}
    out = {}
    for name, x in logs.items():
        out[name] = {"mean": round(float(x.mean()), 3), "std": round(float(x.std()), 3), "quantiles": [round(float(q), 2) for q in np.quantile(x, TNG_LEVELS)]}
    out["r"] = {pair: cross(*(logs[name] for name in pair.split("-"))) for pair in TNG_R}
    B = logs["B"]
    out["bubbles"] = round(float((B > -11).mean()), 3)
    out["bubble_level"] = round(float(np.median(B[B > -11])), 2)
    return out


def main() -> None:
    table = {"made_by": "benchmarks/universe_statistics.py", "power": power_table()}
    for resolution, n in ((64, 27), (128, 9)):
        ds = simulate(np.tile((0.3, 0.8, 1, 1, 1, 1), (n, 1)), np.arange(1000, 1000 + n), resolution, sim_set="CV")
        table["cv" if resolution == 64 else f"cv{resolution}"] = {"n_sims": n, "resolution": resolution} | summaries(ds)
    labels = suite_labels("LH", 60)
    ds = simulate(labels, np.arange(60), 64)
    table["lh"] = {"n_sims": 60, "resolution": 64} | summaries(ds)
    path = Path(__file__).with_suffix(".json")
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in table.items()]
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
