"""Triples of maps a second from a trained emulator, one thread and two, and the time of one triple.

Run from the repository's root on an idle machine: python benchmarks/emulate_speed.py [--emulator mock64] [--maps 512] [--rounds 5]
Nothing to compare with but the simulation itself, whose rate at the same resolution is measured in the same run.
"""
import argparse
import statistics
import time

import numpy as np
import torch

from cmd_emulator.emulator import Emulator
from cmd_emulator.universe import simulate


def seconds(work, rounds: int) -> float:
    "Median time of a call, after one that warms up."
    work()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", default="mock64", help="a name that ships with the package, or a file")
    parser.add_argument("--maps", type=int, default=512, help="triples of one call (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    emulator = Emulator.load(args.emulator)
    if emulator.given:
        parser.error(f"{emulator.name} is given maps: this measures emulators that draw whole regions")
    print(f"{args.emulator}, torch {torch.__version__}")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        many = seconds(lambda: emulator.sample(args.maps, seed=0), args.rounds)
        one = seconds(lambda: emulator.sample(1, seed=0), 4 * args.rounds)
        print(f"{threads} thread{'s' * (threads > 1)}: {args.maps / many:8.1f} triples/s   one triple {1e3 * one:6.1f} ms")
    labels = np.array([[0.3, 0.8, 1.0, 1.0, 1.0, 1.0]])
    resolution = emulator.generator.config.resolution
    simulated = 15 / seconds(lambda: simulate(labels, [0], resolution=resolution), 2)
    print(f"simulation: {simulated:8.1f} triples/s, fifteen of one box (three axes, five slices), which share a region; emulated triples do not")


if __name__ == "__main__":
    main()
