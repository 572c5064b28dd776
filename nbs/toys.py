"Maps that the notebooks' tests make up, known to the last number, and small sets of simulations."
import shutil
from pathlib import Path

import numpy as np
import xarray as xr

from cmd_emulator.bench import spread_labels
from cmd_emulator.maps import label_maps, repository_root
from cmd_emulator.statistics import gaussian_fields
from cmd_emulator.universe import simulate, simulate_suite


def toy_universe(
    labels: np.ndarray,  # (n, 6), physical values
    seed: int,
    resolution: int = 32,
) -> xr.Dataset:  # 15 maps a row of labels
    "Three correlated lognormal fields for each row of labels: not a simulation, but known to the last number."
    rng = np.random.default_rng([seed, 0])
    common = np.repeat(np.exp(0.06 * rng.standard_normal(len(labels))), 15)
    labels = np.repeat(labels, 15, axis=0)
    a, b, c = (gaussian_fields(lambda k: 1 / (1 + k**2) ** 1.2, len(labels), resolution, seed=[seed, i + 1]) for i in range(3))
    omega, sigma = labels[:, 0, None, None], (common * labels[:, 1])[:, None, None]
    arrays = {"Mgas": 1e11 * omega * np.exp(sigma * a), "HI": 1e5 * np.exp(2 * sigma * (a + b)), "B": 1e-12 * np.exp(4 * sigma * (a + c))}
    return label_maps({name: maps.astype(np.float32) for name, maps in arrays.items()}, labels, suite="Mock", sim_set="LH")


def simulate_sets(
    n_sims: int = 9,  # test simulations
    n_sets: int = 5,  # the test set and its twins
    resolution: int = 32,
    fields=("Mgas", "HI", "B"),
    seed: int = 0,
) -> list[xr.Dataset]:
    "Sets of Mock simulations of the same universes, labels spread over all ranges, each set with its own initial conditions."
    rng = np.random.default_rng([seed, 5])
    labels = spread_labels(n_sims, rng)
    seeds = rng.choice(2**31, size=(n_sets, n_sims), replace=False)
    return [simulate(labels, row, resolution, fields) for row in seeds]


def small_suite(
    folder,  # a new one, into which the files are copied
    *sets: str,  # beside LH: "twin", "twin2"
) -> Path:  # the folder
    "Twenty Mock simulations of 32² and their twins, simulated once for all notebooks."
    shared = repository_root() / "data" / "maps" / "small"
    Path(folder).mkdir(parents=True, exist_ok=True)
    for sim_set in ("LH", *sets):
        simulate_suite(shared, sim_set, n_sims=20, resolution=32, progress=False)
        for path in shared.glob("[!.]*"):
            if sim_set in path.name.split("_"):
                shutil.copy(path, folder)
    return Path(folder)
