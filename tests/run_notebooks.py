"""Run every notebook's cells with nbdev_test and say how many passed.

Run: python tests/run_notebooks.py (exit status 1 when one fails).
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    notebooks = {path.name for path in (ROOT / "nbs").rglob("[0-9]*.ipynb")}
    command = [str(Path(sys.executable).parent / "nbdev_test"), "--n_workers", "2", "--do_print", "--timing"]
    # two notebooks at a time on two cores: one thread each
    env = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    failed = set()
    if done.returncode:
        failed = set(re.findall(r"(\w+\.ipynb)", done.stdout.rpartition("Failed On The Following Notebooks")[2])) & notebooks or notebooks
    print(f"{len(notebooks) - len(failed)} passed, {len(failed)} failed" + (": " + ", ".join(sorted(failed)) if failed else ""))
    return bool(done.returncode)


if __name__ == "__main__":
    sys.exit(main())
