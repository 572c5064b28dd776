"""A long visit to the explorer in a real browser: latencies from a key to the new picture, and the memory of server, page and kernel, over many updates.

Run from the repository's root on an idle machine: python benchmarks/explorer_session.py [--updates 1000] [--address http://127.0.0.1:8866]
Sliders of all parameters, the seed, fields, colours, comparison and ensembles are used in turns, by headless Chromium; every update waits for its picture. With --address
the explorer is one that runs already (`make explore`), otherwise one is started. Memory is that of all processes of the server, its kernel included, and of the page's script heap.
"""
import argparse
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import test_explorer as browser_test  # noqa: E402

COMMAND = "import sys; from cmd_emulator.command import main; sys.exit(main(sys.argv[1:]))"


def kernels_memory() -> float:
    "MB that kernels of this machine's explorers hold resident."
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = (status.parent / "cmdline").read_bytes()
            if b"ipykernel_launcher" in words or b"voila" in words:
                total += next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        except (OSError, StopIteration):
            continue
    return total / 1e3


def heap(page) -> float:
    "MB of the page's script heap."
    return page.evaluate("performance.memory ? performance.memory.usedJSHeapSize : NaN") / 1e6


def modes(v) -> None:
    "Everything but the sliders once: two fields, colours of each map, comparison and back, an ensemble of 32 and back."
    for name in ("Mgas", "Mgas", "per map", "fixed", "compare", "compare"):
        v.button(name)
        v.settle()
    v.press("End", 7)
    v.settle("curves")
    v.press("Home", 7)
    v.settle("curves")


def visit(v, url: str, updates: int, seed: int = 0) -> None:
    "Print a line every tenth of the visit."
    rng, began, times = np.random.default_rng(seed), time.perf_counter(), []
    v.page.goto(url)
    v.page.wait_for_selector("img.widget-image", timeout=180000)
    v.settle()
    print(f"page after {time.perf_counter() - began:.1f} s; kernel and server {kernels_memory():.0f} MB, page {heap(v.page):.0f} MB")
    for i in range(updates):
        if i % max(1, updates // 10) == 0 and i:
            report = times[-max(1, updates // 10):]
            print(f"{i:6d} updates, {time.perf_counter() - began:5.0f} s: median {statistics.median(report):.0f} ms, nine in ten below {np.quantile(report, 0.9):.0f} ms, "
                  f"worst {max(report):.0f} ms; kernel and server {kernels_memory():.0f} MB, page {heap(v.page):.0f} MB", flush=True)
            modes(v)
            v.button("fiducial universe")
            v.settle()
        before = v.picture()
        while v.picture() == before:
            key, slider = rng.choice(["ArrowLeft", "ArrowRight", "PageUp", "PageDown"], p=[0.375, 0.375, 0.125, 0.125]), int(rng.integers(6))
            start = time.perf_counter()
            v.press(str(key), slider)
            end = start + 3  # a slider at the end of its range does not move: another key then
            while v.picture() == before and time.perf_counter() < end:
                v.page.wait_for_timeout(2)
        times.append(1e3 * (time.perf_counter() - start))
    print(f"{updates} updates in {time.perf_counter() - began:.0f} s: median {statistics.median(times):.0f} ms, nine in ten below {np.quantile(times, 0.9):.0f} ms, worst {max(times):.0f} ms; "
          f"kernel and server {kernels_memory():.0f} MB, page {heap(v.page):.0f} MB; script errors: {len(v.errors)}")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--address", help="of an explorer that runs already")
    parser.add_argument("--emulator", default="mock64")
    parser.add_argument("--shots", help="folder for a screenshot at the end")
    args = parser.parse_args()
    port = browser_test.free_port()
    command = [sys.executable, "-c", COMMAND, "explore", "--emulator", args.emulator, "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, nullcontext(args.address) if args.address else browser_test.server(command, port, Path(folder)) as url, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_test.CHROME, headless=True, args=[*browser_test.FLAGS, "--enable-precise-memory-info"])
        visitor = browser_test.Visitor(browser.new_page(viewport={"width": 1250, "height": 960}), Path(args.shots) if args.shots else None)
        visitor.page.set_default_timeout(180000)
        visit(visitor, url, args.updates)
        visitor.shot("session")
        browser.close()


if __name__ == "__main__":
    main()
