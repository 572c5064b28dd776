"""How fast the Mock universe is made: simulations a second by mesh size, the share of each stage, ratios to plain NumPy.

Run from the repository's root on an idle machine: python benchmarks/universe_speed.py
"""
import os
import resource
import tempfile
import time

import numpy as np

from cmd_emulator import universe
from cmd_emulator.gravity import evolve, linear_modes, matter
from cmd_emulator.painting import draw_galaxies, paint, project
from cmd_emulator.universe import simulate, simulate_suite

FIDUCIAL = (0.3, 0.8, 1, 1, 1, 1)


def best(function, repeats: int = 3) -> float:
    "Shortest of a few wall-clock times [s], after one call to warm up."
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def numpy_deposit(positions: np.ndarray, mesh: int) -> np.ndarray:
    "Cloud in cell with bincount."
    lower = positions.astype(np.int64)
    upper = positions - lower
    out = np.zeros(mesh**3)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, upper, 1 - upper), axis=1)
        out += np.bincount(np.ravel_multi_index(tuple(((lower + corner) % mesh).T), (mesh,) * 3), weight, mesh**3)
    return out.reshape((mesh,) * 3)


def numpy_gather(positions: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    "The force at the particles by fancy indexing."
    lower = positions.astype(np.int64)
    upper = positions - lower
    out = np.zeros_like(positions)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, upper, 1 - upper), axis=1)
        out += weight[:, None] * gradient[tuple(((lower + corner) % len(gradient)).T)]
    return out


def kernels(size: int = 64) -> None:
    "Our compiled loops against NumPy, side by side."
    particles = evolve(linear_modes(FIDUCIAL, 1, size), 0.3)
    positions, mesh = particles.positions, particles.mesh
    density, gradient = np.zeros((mesh,) * 3, np.float32), np.random.default_rng(0).standard_normal((mesh, mesh, mesh, 3), dtype=np.float32)
    momenta, zero = np.zeros_like(positions), np.float32(0)
    pairs = {
        "deposit": (lambda: universe._deposit(positions, np.float32(1), density), lambda: numpy_deposit(positions, mesh)),
        "kick and drift": (lambda: universe._kick_drift(positions, momenta, gradient, zero, zero), lambda: numpy_gather(positions, gradient)),
    }
    for name, (ours, plain) in pairs.items():
        a, b = best(ours), best(plain, 2)
        print(f"{size}³ particles, {name:<15} {1e3 * a:7.1f} ms, NumPy {1e3 * b:7.1f} ms: ratio {b / a:.1f}")


def stages(size: int) -> None:
    "Where the time of one simulation goes."
    box = matter(FIDUCIAL, 1, size)
    cubes = paint(box, FIDUCIAL, 1)
    parts = {
        "initial modes": lambda: linear_modes(FIDUCIAL, 1, size),
        "matter (with modes)": lambda: matter(FIDUCIAL, 1, size),
        "galaxies": lambda: draw_galaxies(box, 1),
        "painting (with galaxies)": lambda: paint(box, FIDUCIAL, 1),
        "projecting three fields": lambda: [project(cubes[name], size) for name in ("Mgas", "HI", "B")],
        "all": lambda: simulate(FIDUCIAL, 1, size),
    }
    print(f"{size}², one core:", ", ".join(f"{name} {best(part, 3 if size < 128 else 1):.3f} s" for name, part in parts.items()))


def suites() -> None:
    "Whole suites on all cores, worker start included and excluded."
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for size, few, many in ((32, 8, 88), (64, 4, 44), (128, 2, 8)):
        times, peaks = [], []
        for n_sims in (few, many):
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                simulate_suite(folder, "CV", n_sims=n_sims, resolution=size, progress=False)
                times.append(time.perf_counter() - start)
            peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        print(f"{size}², {cores} cores: {(many - few) / (times[1] - times[0]):.2f} simulations a second ({many} in {times[1]:.1f} s);",
              f"largest worker {peaks[0]:.0f} MiB after {few}, {peaks[1]:.0f} MiB after {many}")


if __name__ == "__main__":
    suites()  # first: a child's peak memory counts what its parent held when it was started
    kernels()
    for size in (32, 64, 128):
        stages(size)
    print("load average:", *(f"{load:.1f}" for load in os.getloadavg()))
