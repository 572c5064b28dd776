"""Run every notebook's cells and, beside them, the other checks that take a while; say how many passed and what each cost.

Run: python tests/run_notebooks.py [--slow] [--only] [NAME ...] (exit status 1 when something fails). `--slow` runs also the cells under the
flag `slow`, NAMEs are notebooks without .ipynb, `--only` leaves the other checks out. As many run at a time as there are cores, one
thread each, the longest first. Notebooks run in forks of a process that has imported the libraries already.
"""
import argparse
import importlib
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT / "nbs"
LIBRARIES = ("numpy", "scipy.fft", "pandas", "xarray", "matplotlib.pyplot", "torch", "numba", "IPython", "nbdev.test")
PYTHON = sys.executable
CHECKS = {"explorer in a browser": [PYTHON, "tests/test_explorer.py"], "documentation": ["make", "docs"], "smoke run": ["make", "smoke"],
          "rooms": [PYTHON, "tests/test_rooms.py"], "wheel": [PYTHON, "tests/test_core.py"], "types": [PYTHON, "-m", "mypy"]}
LONGEST = ("smoke run", "explorer in a browser", "documentation", "05_evaluate_tests", "04_train_tests", "04h_exam", "04g_bench", "types")  # these begin first, the others by the length of their code


def code_length(path: Path) -> int:
    "Characters of a notebook without the pictures in it: about how long it takes."
    return len("".join(line for line in path.read_text(encoding="utf-8").splitlines() if len(line) < 2000))


def run_notebook(path: Path, slow: bool) -> bool:
    "Execute the cells as `nbdev_test` does; whether all went well."
    os.chdir(NBS)
    from nbdev.config import get_config
    from nbdev.test import test_nb

    return test_nb(path, get_config().tst_flags.split(), ["slow"] if slow else [], basepath=ROOT)[0]


def run_check(words: list[str]) -> bool:
    return subprocess.run(words, cwd=ROOT).returncode == 0


def work(log: Path, function, *arguments) -> None:
    "In a fork: everything that is printed goes into a log, processor seconds beside it; ends with status 1 when the job fails."
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    passed = function(*arguments)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    log.with_suffix(".cpu").write_text(f"{sum(one.ru_utime + one.ru_stime for one in used):6.1f} s of processor")
    sys.stdout.flush()
    os._exit(not passed)


def run_all(jobs: dict, workers: int, folder: Path) -> list[str]:
    "Run jobs, name -> (function, its arguments), as many at a time as there are workers; names of those that failed."
    fork, running, failed, waiting = multiprocessing.get_context("fork"), {}, [], list(jobs)
    while waiting or running:
        while waiting and len(running) < workers:
            name = waiting.pop(0)
            log = folder / f"{name.replace('/', '_')}.log"
            process = fork.Process(target=work, args=(log, *jobs[name]))
            process.start()
            running[process] = name, log, time.monotonic()
        wait([process.sentinel for process in running])
        for process in [process for process in running if not process.is_alive()]:
            name, log, began = running.pop(process)
            cost = log.with_suffix(".cpu").read_text() if log.with_suffix(".cpu").is_file() else f"ended by {process.exitcode}"
            print(f"{'FAILED' if process.exitcode else 'passed'} {time.monotonic() - began:6.1f} s, {cost}: {name}", flush=True)
            if process.exitcode:
                failed.append(name)
                print(log.read_text(errors="replace") if log.is_file() else "", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks, without .ipynb (default: all)")
    parser.add_argument("--slow", action="store_true", help="also the cells under the flag slow")
    parser.add_argument("--only", action="store_true", help="notebooks only")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="at a time (default: one a core)")
    args = parser.parse_args()
    books = {str(path.relative_to(NBS).with_suffix("")): path for path in NBS.rglob("[0-9]*.ipynb") if ".ipynb_checkpoints" not in path.parts}
    if unknown := [name for name in args.names if name not in books]:
        parser.error(f"no notebook {unknown[0]!r} in {NBS}")
    books = {name: books[name] for name in args.names or books}
    jobs: dict = {} if args.only or args.names else {name: (run_check, words) for name, words in CHECKS.items()}
    jobs |= {name: (run_notebook, path, args.slow) for name, path in sorted(books.items(), key=lambda item: -code_length(item[1]))}
    jobs = {name: jobs[name] for name in sorted(jobs, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))}
    os.environ |= {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), "IN_TEST": "1"}  # read when torch is imported: one thread a job
    if not args.names:
        shutil.rmtree(ROOT / "data" / "maps" / "small", ignore_errors=True)  # of `toys.small_suite`: simulated anew by the code as it is
    began = time.monotonic()
    for library in LIBRARIES:
        importlib.import_module(library)
    with TemporaryDirectory() as folder:
        failed = run_all(jobs, args.workers, Path(folder))
    print(f"{len(jobs) - len(failed)} passed, {len(failed)} failed in {time.monotonic() - began:.0f} s" + (": " + ", ".join(failed) if failed else ""))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
