"""How fast P(k), r(k) and the PDF of many maps are measured, against loops over powerbox and, where installed, Pylians.

Run from the repository's root on an idle machine: OMP_NUM_THREADS=1 python benchmarks/statistics_speed.py [maps [resolution]]
Pylians is no dependency (pip install Pylians, about 230 MB with what it needs); its rows appear if it imports.
One thread for everybody: ours, powerbox's and Pylians' transforms all run on the same core.
"""
import contextlib
import io
import os
import sys
import time
from itertools import combinations

import numpy as np
import powerbox
from scipy import fft

from cmd_emulator.maps import BOX, label_maps
from cmd_emulator.statistics import gaussian_fields, mode_numbers, pdf, pdf_edges, spectra

try:
    import Pk_library
except ImportError:
    Pk_library = None

REFERENCE = 100  # triples given to the loops; their time is scaled to all
REPEATS = 3
K_F = 2 * np.pi / BOX


def triples(n: int, resolution: int):
    "Lognormal maps of three fields, two of them correlated."
    power = lambda k: 0.8 / (1 + (k / 0.6) ** 2) ** 1.2
    a, b, c = (gaussian_fields(power, n, resolution, seed=[n, i]) for i in range(3))
    arrays = {"Mgas": np.exp(2 * a) * 3e10, "HI": np.exp(2 * (a + b)) * 1e5, "B": np.exp(3 * c) * 1e-12}
    arrays = {name: maps.astype(np.float32) for name, maps in arrays.items()}
    return label_maps(arrays, np.full((n, 1), 0.3), suite="Mock", sim_set="CV")


def overdensities(ds, i: int) -> list[np.ndarray]:
    "The three fields of one region, as a careful user of either library would prepare them."
    maps = [ds[name].values[i] for name in ds]
    return [(x / x.mean(dtype=np.float64) - 1).astype(np.float32) for x in maps]


def powerbox_one(ds, i: int, edges):
    "P of three fields and r of three pairs of one region."
    delta = overdensities(ds, i)
    options = {"bins": K_F * (np.arange(1, ds.sizes["x"] // 2 + 1) - 0.5), "ignore_zero_mode": True, "dimensionless": False}
    get = lambda *fields: np.real(powerbox.get_power(fields[0], BOX, deltax2=fields[1] if len(fields) > 1 else None, **options).power)
    power = [get(field) for field in delta]
    r = [get(delta[a], delta[b]) / np.sqrt(power[a] * power[b]) for a, b in combinations(range(3), 2)]
    return np.array(power), np.array(r)


def pylians_one(ds, i: int, edges):
    "The same with Pylians, one call a pair: each returns both spectra and r."
    delta = overdensities(ds, i)
    with contextlib.redirect_stdout(io.StringIO()):
        found = [Pk_library.XPk_plane(delta[a], delta[b], BOX, "None", "None", 1) for a, b in combinations(range(3), 2)]
    power = np.array([found[0].Pk[:, 0], found[0].Pk[:, 1], found[1].Pk[:, 1]])
    return power, np.array([one.r for one in found])


def pylians_check(ds, i: int, edges):
    "P from Pk_plane, because XPk_plane of Pylians 0.12 leaves out a factor N^2 / L, which cancels in r."
    with contextlib.redirect_stdout(io.StringIO()):
        power = [Pk_library.Pk_plane(delta, BOX, "None", 1, verbose=False).Pk for delta in overdensities(ds, i)]
    return np.array(power), pylians_one(ds, i, edges)[1]


def densities_one(ds, i: int, edges) -> list[np.ndarray]:
    "The PDF of log10 x of three fields, by numpy.histogram: neither library has one."
    return [np.histogram(np.log10(ds[name].values[i]), edges[name], density=True)[0] for name in ds]


def clock(function) -> float:
    "Shortest of a few wall-clock times [s]."
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def floor_bins(ds, n: int) -> tuple[np.ndarray, np.ndarray]:
    "Our transforms in Pylians' bins, |k| / k_f rounded down, so that the numbers can be compared."
    size = ds.sizes["x"]
    ring = np.floor(mode_numbers(size)).astype(int)
    copies = np.where(np.isin(np.arange(size // 2 + 1), (0, size // 2)), 1.0, 2.0) * np.ones_like(ring)
    mean = lambda x: np.bincount(ring.ravel(), (copies * x).ravel())[1 : size // 2] / np.bincount(ring.ravel(), copies.ravel())[1 : size // 2]
    power, r = [], []
    for i in range(n):
        wave = [fft.rfft2(delta) for delta in overdensities(ds, i)]
        auto = [mean(np.abs(w) ** 2) for w in wave]
        power.append(np.array(auto) * BOX**2 / size**4)
        r.append([mean((wave[a] * wave[b].conj()).real) / np.sqrt(auto[a] * auto[b]) for a, b in combinations(range(3), 2)])
    return np.array(power), np.array(r)


def difference(theirs, ours) -> str:
    "Largest relative difference of P and largest absolute difference of r."
    (power, r), (our_power, our_r) = theirs, ours
    return f"P within {np.abs(power / our_power - 1).max():.1e}, r within {np.abs(r - our_r).max():.1e}"


def main(n: int = 1000, resolution: int = 256) -> None:
    ds = triples(n, resolution)
    few = min(n, REFERENCE)
    edges = pdf_edges(ds)
    print(f"{n} triples at {resolution}^2, best of {REPEATS}, one thread; load average {os.getloadavg()[0]:.1f}")
    print(f"loops over maps are timed on {few} triples and scaled to {n}\n")

    names = {"powerbox": powerbox_one} | ({"Pylians": pylians_one} if Pk_library else {})
    ours = {"P, r": clock(lambda: spectra(ds)), "PDF": clock(lambda: pdf(ds, edges))}
    loops = {name: clock(lambda: [one(ds, i, edges) for i in range(few)]) * n / few for name, one in names.items()}
    histogram = clock(lambda: [densities_one(ds, i, edges) for i in range(few)]) * n / few
    total = sum(ours.values())

    print(f"{'':34s}{'seconds':>9s}{'ours is':>12s}")
    print(f"{'ours: P(k), r(k)':34s}{ours['P, r']:9.2f}")
    print(f"{'ours: PDF':34s}{ours['PDF']:9.2f}")
    print(f"{'ours: all':34s}{total:9.2f}")
    print(f"{'numpy.histogram: PDF':34s}{histogram:9.2f}{histogram / ours['PDF']:8.1f} x faster")
    for name, seconds in loops.items():
        print(f"{name + ': P(k), r(k)':34s}{seconds:9.2f}{seconds / ours['P, r']:8.1f} x faster")
        print(f"{name + ' + numpy.histogram: all':34s}{seconds + histogram:9.2f}{(seconds + histogram) / total:8.1f} x faster")

    print("\nlargest differences, 5 triples, bins matched")
    power, r = spectra(ds.isel(map=slice(0, 5)))
    mine = np.stack([power[name].values for name in power], axis=1), r.values.transpose(1, 0, 2)
    stack = lambda one: tuple(np.stack(part)[..., : resolution // 2 - 1] for part in zip(*(one(ds, i, edges) for i in range(5))))
    print(f"powerbox, our bin edges:           {difference(stack(powerbox_one), mine)}")
    if Pk_library:
        print(f"Pylians, our modes in its bins:    {difference(stack(pylians_check), floor_bins(ds, 5))}")
    theirs = np.stack([np.stack(densities_one(ds, i, edges)) for i in range(5)])
    density = pdf(ds.isel(map=slice(0, 5)), edges)
    gap = np.abs(np.stack([density[name].values for name in density], axis=1) - theirs).max() / theirs.max()
    print(f"numpy.histogram:                   PDF within {gap:.1e} of its peak")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
