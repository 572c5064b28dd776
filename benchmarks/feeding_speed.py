"""Triples/s of every way to feed a training, against one pickle a map, side by side in one run; and loader against compute time per step.

Run from the repository's root on an idle machine: python benchmarks/feeding_speed.py [--resolution 256] [--n-sims 40] [--preset mock128]
Every way gives normalised float32 batches of three fields, each map moved by a symmetry and a shift of its own. `pickles` is the layout of an earlier
public attempt: one file a map, unpickled, logarithms taken and normalised by the same worker processes that read CMD's files.
Cold: the files' pages are dropped from memory before each round (posix_fadvise); warm: they have just been read. A round is one pass over the maps
at most; rounds of all ways take turns, so that a busy machine slows them alike, and the median counts. `memory` is read once and has no cold round.
The files are made first, in a folder that is removed again: 40 simulations at 256² need 1.9 GB on disk.
"""
import argparse
import os
import pickle
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from cmd_emulator.dataset import Batches, MapDataset, Normaliser, StoreBatches, StoreReader, make_loader, resident
from cmd_emulator.maps import VIEWS, label_maps, open_maps, save_maps
from cmd_emulator.store import export_store, make_store, open_store
from cmd_emulator.train import FlowTrainer, has_bfloat16, make_config, pick_device

FIELDS = ("Mgas", "HI", "B")


def make_files(root: Path, n_sims: int, resolution: int) -> None:
    "CMD-named files of noise, the store, its Zarr, and one pickle a map: speed does not depend on what the maps show."
    rng, shape = np.random.default_rng(0), (VIEWS * n_sims, resolution, resolution)
    labels = np.tile([0.3, 0.8, 1, 1, 1, 1], (shape[0], 1))
    arrays = {name: 10 ** (mean + rng.standard_normal(shape, np.float32)) for name, mean in zip(FIELDS, (10, 5, -12))}
    save_maps(label_maps(arrays, labels, suite="IllustrisTNG", sim_set="LH"), root)
    make_store(root, root / "store", FIELDS, "IllustrisTNG")
    export_store(root / "store", root / "store.zarr")
    (root / "pickles").mkdir()
    for i in range(shape[0]):
        with open(root / "pickles" / f"{i}.pkl", "wb") as file:
            pickle.dump({"image": np.stack([arrays[name][i] for name in FIELDS]), "label": labels[i]}, file)


class Pickles(Dataset):
    "One pickle a map."

    def __init__(self, folder: Path, n: int, normaliser: Normaliser):
        self.folder, self.n, self.normaliser = folder, n, normaliser

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int):
        with open(self.folder / f"{i}.pkl", "rb") as file:
            item = pickle.load(file)
        return torch.from_numpy(self.normaliser.normalise(item["image"][None])[0]), torch.tensor(item["label"], dtype=torch.float32)


def make_ways(root: Path, normaliser: Normaliser, workers: int, device, batch: int) -> dict:
    "name -> (function that makes the batches, folder or file pattern of its files, None for memory)."
    n, options = len(open_maps(root, FIELDS, "IllustrisTNG")["map"]), {"batch": batch, "device": device}
    nothing = torch.empty(n, 0)
    from_store = lambda path: StoreBatches(StoreReader([open_store(path)], normaliser, device), np.arange(n), nothing, batch, workers=workers)
    held = {}

    def memory(dtype):
        if dtype not in held:
            held[dtype] = resident(open_maps(root, FIELDS, "IllustrisTNG"), normaliser, (), dtype)[0]
        return Batches(held[dtype], nothing, **options)

    return {
        "pickles": (lambda: make_loader(Pickles(root / "pickles", n, normaliser), workers=workers, **options), "pickles/*.pkl"),
        "memory maps of fields": (lambda: make_loader(MapDataset(root, normaliser, (), "IllustrisTNG"), workers=workers, **options), "Maps_*.npy"),
        "store": (lambda: from_store(root / "store"), "store/*.npy"),
        "store as Zarr": (lambda: from_store(root / "store.zarr"), "store.zarr/maps/c/*/0/0/0"),
        "memory": (lambda: memory(torch.float32), None),
        "memory, float16": (lambda: memory(torch.float16), None),
    }


def forget(root: Path, pattern: str) -> None:
    "Ask the kernel to drop the pages of these files; call it while nothing maps them."
    for path in root.glob(pattern):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def cached(root: Path, pattern: str) -> float:
    "Share of the files' bytes that are in memory, by mincore through fincore(1); NaN where that is missing."
    try:
        import subprocess

        paths = [str(path) for path in root.glob(pattern)][:200]
        out = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES,SIZE", *paths], capture_output=True, text=True, check=True).stdout
        held, size = np.array([line.split() for line in out.splitlines()], float).sum(axis=0)
        return held / size
    except (OSError, ValueError, subprocess.CalledProcessError):
        return float("nan")


def one_round(make, steps: int, batch: int, device) -> float:
    "Triples/s of so many batches after the first, which starts the workers."
    batches = iter(make())
    next(batches)
    began = time.perf_counter()
    for _ in range(steps):
        maps, *_ = next(batches)
    if device.type == "cuda":
        torch.cuda.synchronize()
    assert maps.dtype == torch.float32 and maps.shape[0] == batch
    return steps * batch / (time.perf_counter() - began)


def feeding(root: Path, args, device) -> dict:
    "Print a table of triples/s; returns the warm ones."
    normaliser = Normaliser.fit(open_maps(root, FIELDS, "IllustrisTNG"))
    ways = make_ways(root, normaliser, args.workers, device, args.batch)
    steps = min(args.steps, VIEWS * args.n_sims // args.batch - 1)
    found = {name: {"cold": [], "warm": []} for name in ways}
    dropped = []
    for _ in range(args.rounds):
        for name, (make, pattern) in ways.items():
            if pattern:
                forget(root, pattern)
                dropped.append(cached(root, pattern))
                found[name]["cold"].append(one_round(make, steps, args.batch, device))
            one_round(make, steps, args.batch, device)
            found[name]["warm"].append(one_round(make, steps, args.batch, device))
    print(f"\n{args.resolution}², batches of {args.batch}, {args.workers} workers, {steps} batches a round, {args.rounds} rounds")
    print(f"of the files' bytes {np.nanmean(dropped):.0%} were still in memory when a cold round began\n" if np.isfinite(dropped).any() else "")
    print(f"{'':24s} {'cold':>10s} {'':>9s} {'warm':>10s}   triples/s and x pickles")
    median = {name: {kind: statistics.median(values) if values else float("nan") for kind, values in kinds.items()} for name, kinds in found.items()}
    for name, speed in median.items():
        row = "".join(f" {speed[kind]:10.0f} {speed[kind] / median['pickles'][kind]:7.1f} x" for kind in ("cold", "warm"))
        print(f"{name:24s}{row}".replace("nan x", "      ").replace("nan", "  -"))
    return {name: speed["warm"] for name, speed in median.items()}


def compute(args, device) -> float:
    "Seconds of one training step of the preset, on maps in memory."
    config = make_config(args.preset, resolution=args.resolution, batch=args.batch)
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(2 * args.batch, len(FIELDS), args.resolution, args.resolution, generator=draw)
    labels = 2 * torch.rand(len(maps), len(config.conditions), generator=draw) - 1
    trainer = FlowTrainer(config, Batches(maps, labels, args.batch, device=device), device, (1.0,) * len(FIELDS))
    for turn in range(2):  # the first warms up; four steps hold one with penalties
        began = time.perf_counter()
        for _ in range(4):
            trainer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
    return (time.perf_counter() - began) / 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--n-sims", type=int, default=40)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=36, help="batches a round, at most one pass")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preset", default="mock128", help="whose step is timed beside the loaders; empty: none")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", help="where files are made and removed (default: the system's folder for temporary files)")
    args = parser.parse_args()
    device = pick_device(args.device)
    print(f"{device}, {torch.get_num_threads()} threads, bfloat16 in hardware: {has_bfloat16(device)}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        make_files(Path(folder), args.n_sims, args.resolution)
        warm = feeding(Path(folder), args, device)
    best = max((name for name in warm if name != "pickles"), key=warm.get)
    print(f"\nbest: {best}, {warm[best] / warm['pickles']:.1f} x pickles, warm")
    if args.preset:
        step = compute(args, device)
        print(f"\none step of {args.preset} at {args.resolution}², batch {args.batch}: {step:.3f} s, {args.batch / step:.1f} images/s; loading a batch takes")
        for name, speed in warm.items():
            print(f"{name:24s} {args.batch / speed:.4f} s, {args.batch / speed / step:.2%} of the step")
    print(f"\npeak memory: {1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
