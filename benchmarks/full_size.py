"""The route of real CMD at full size, with files of our own: seconds and peak memory of each stage, images/s of the training.

Run from the repository's root on an idle machine: python benchmarks/full_size.py [--n-sims 1000] [--images 64] [--folder /big/disk]
CMD-named files (IllustrisTNG, LH, 256²) are made from a few Mock simulations at 64², enlarged, shifted around the box and grained, under the labels
of CMD's own table. They have CMD's size and nothing of its physics: the run shows that the route works and what it costs, not what is learnt.
Then come the commands of the README: open, statistics, training store, papermill with the preset of the paper's GAN. Every stage is a process of its own.
1,000 simulations need 11.8 GB for the files and 5.9 GB for the store; the folder is removed at the end.
"""
import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cmd_emulator.maps import RESOLUTION, VIEWS, maps_file, read_params, repository_root, save_params
from cmd_emulator.universe import simulate

FIELDS = ("Mgas", "HI", "B")
ROOT = repository_root(Path(__file__).parent)
OPEN = """
from cmd_emulator.maps import open_maps
ds = open_maps({data!r}, {fields}, "IllustrisTNG", "LH")
print(dict(ds.sizes), f"{{ds.nbytes / 1e9:.1f}} GB")
"""
STATISTICS = """
from cmd_emulator.dataset import Normaliser, split_maps
from cmd_emulator.maps import maps_of, open_maps
ds = open_maps({data!r}, {fields}, "IllustrisTNG", "LH")
print(Normaliser.fit(ds, index=maps_of(ds, split_maps(ds)["train"])).mean)
"""
STORE = """
from cmd_emulator.store import make_store, open_store
store = open_store(make_store({data!r}, fields={fields}, suite="IllustrisTNG"))
print(store.maps.shape, "largest error", store.error.round(4), "dex")
"""


def make_files(folder: Path, n_sims: int, distinct: int) -> None:
    "CMD-named files at full size, written simulation by simulation."
    table, names = read_params(ROOT / "data" / "params", "IllustrisTNG", "LH")
    small = simulate(table[:distinct], np.arange(distinct), resolution=64)
    rng, shape, step = np.random.default_rng(0), (VIEWS * n_sims, RESOLUTION, RESOLUTION), RESOLUTION // 64
    for field in FIELDS:
        file = np.lib.format.open_memmap(folder / maps_file(field, "IllustrisTNG", "LH"), "w+", np.float32, shape)
        pictures = small[field].values.reshape(distinct, VIEWS, 64, 64)
        for sim in range(n_sims):
            moved = np.roll(pictures[sim % distinct], rng.integers(64, size=2), (1, 2)).repeat(step, 1).repeat(step, 2)
            file[VIEWS * sim : VIEWS * (sim + 1)] = moved * 10 ** (0.1 * rng.standard_normal(moved.shape, np.float32))
        file.flush()
    save_params(np.resize(table, (n_sims, len(names))), folder, "IllustrisTNG", "LH")


def stage(title: str, command: list[str], tail: int = 1) -> None:
    "Run a command; print its last lines, seconds and peak memory. A failure ends the benchmark."
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        _, status, used = os.wait4(process.pid, 0)
        said.seek(0)
        lines = said.read().strip().splitlines()
    print(f"{title:32s} {time.perf_counter() - began:8.1f} s {used.ru_maxrss * 1024 / 1e9:6.2f} GB at most   {' '.join(lines[-tail:])}", flush=True)
    if status:
        sys.exit("\n".join(lines[-30:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-sims", type=int, default=1000)
    parser.add_argument("--distinct", type=int, default=4, help="Mock simulations that all others are copies of")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--resident-gb", type=float, default=8.0, help="most memory for maps; 0 reads from the store or from the files")
    parser.add_argument("--no-store", action="store_true", help="train from the files")
    parser.add_argument("--folder", help="where files are made and removed (default: the system's folder for temporary files)")
    args = parser.parse_args()
    python, run = sys.executable, "full-size-benchmark"
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        began = time.perf_counter()
        maker = multiprocessing.get_context("spawn").Process(target=make_files, args=(Path(folder), args.n_sims, args.distinct))
        maker.start()  # a process of its own: a stage's peak memory is never counted below that of the process that starts it
        maker.join()
        if maker.exitcode:
            sys.exit("files could not be made")
        print(f"files of {args.n_sims} simulations made in {time.perf_counter() - began:.1f} s", flush=True)
        for title, program in {"open": OPEN, "statistics": STATISTICS, "statistics, remembered": STATISTICS}.items():
            stage(title, [python, "-c", program.format(data=folder, fields=FIELDS)])
        if not args.no_store:
            stage("training store", [python, "-c", STORE.format(data=folder, fields=FIELDS)])
        out = ROOT / "data" / "runs" / run
        out.mkdir(parents=True, exist_ok=True)
        values = {"run": run, "suite": "IllustrisTNG", "sim_set": "LH", "preset": args.preset, "data_dir": folder, "images": args.images, "batch": args.batch,
                  "device": args.device, "resume": False, "settings": f"reports=1 resident_gb={args.resident_gb}"}
        command = [str(Path(python).with_name("papermill")), "--cwd", "nbs", "--no-progress-bar", "nbs/08b_gan_train.ipynb", str(out / "run.ipynb")]
        stage(f"{args.images} images of {args.preset}", command + [word for name, value in values.items() for word in ("-p", name, str(value))], tail=0)
        last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
        print(f"{last['images']} images, {last['images_per_second']} images/s")
        shutil.rmtree(out)


if __name__ == "__main__":
    main()
