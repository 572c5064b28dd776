"Maps that the notebooks' tests make up, known to the last number, and small sets of simulations."
import shutil
from pathlib import Path

import numpy as np
import xarray as xr

from cmd_emulator.maps import PARAMETERS, known_parameters, label_maps, repository_root, table_of
from cmd_emulator.statistics import gaussian_fields
from cmd_emulator.universe import simulate, simulate_suite


def spread_labels(n: int, seed=0) -> np.ndarray:  # (n, 6), physical values
    "Labels of n universes, each of the six parameters spread evenly over its range."
    rng = np.random.default_rng(seed)
    return np.stack([p.from_unit((rng.permutation(n) + 0.5) / n) for p in PARAMETERS.values()], axis=1)


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


def raw_table(factors=(0.9, 1.1)) -> tuple[list[str], np.ndarray]:
    "A 1P table as CAMELS writes it now, names and rows: 28 parameters in IllustrisTNG's own units, the fiducial universe, then one parameter at a time."
    names = [name for name in table_of("IllustrisTNG", "SB28").parameters if name not in list(PARAMETERS)[2:]]
    fiducial = np.array([known_parameters()[name].fiducial for name in names])
    moved = [np.where(np.arange(len(names)) == i, factor * fiducial + (fiducial == 0), fiducial) for i in range(len(names)) for factor in factors]
    return names, np.stack([fiducial, *moved])


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
