"""The explorer as a visitor feels it: from a key to the picture in a browser, beside the same maps redrawn by plain matplotlib; and ten visitors at once.

Run: python benchmarks/explorer_browser.py [number of visitors]. Needs what tests/test_explorer.py needs. A test never asserts a time; this prints them, and ratios.
"""
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import nbformat  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from test_explorer import CHROME, FLAGS, free_port, server  # noqa: E402

from cmd_emulator.serve import page_notebook, voila_command  # noqa: E402

PLAIN = """import io
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, Image, VBox
from cmd_emulator.emulator import Emulator
from cmd_emulator.maps import show_maps
emulator, picture, slider = Emulator.load("mock64"), Image(), FloatSlider(0.3, min=0.1, max=0.5, step=0.005)

def redraw(change=None):
    show_maps(emulator.sample(1, seed=0, Omega_m=slider.value))
    file = io.BytesIO()
    plt.savefig(file)
    plt.close()
    picture.value = file.getvalue()

slider.observe(redraw, "value")
redraw()
VBox([slider, picture])
"""
WATCH = """what => {
    window.took = []; let start = 0
    document.addEventListener('keydown', event => { start = event.timeStamp }, true)
    document.addEventListener('load', event => { if (start && event.target.matches?.(what)) {
        const began = start; start = 0
        requestAnimationFrame(() => setTimeout(() => took.push(performance.now() - began)))  // it is on screen
    } }, true)
}"""


def plain_page(path: Path) -> Path:
    "A notebook in which a slider redraws the same maps with matplotlib."
    page_notebook("mock64", path)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PLAIN)]), path)
    return path


def open_page(browser, url: str, what: str):
    "A page of which the picture stands, watched."
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(60000)
    page.goto(url)
    page.wait_for_selector(what)
    page.wait_for_timeout(3000)
    page.evaluate(WATCH, what)
    return page


def press(page, pause: float = 700) -> float:
    "One key on the first slider; from the key to the new picture [ms]."
    known = page.evaluate("took.length")
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")  # a universe that was not drawn before
    page.wait_for_function("known => took.length > known", arg=known)
    page.wait_for_timeout(pause)
    return page.evaluate("took.at(-1)")


def tell(name: str, times: list[float]) -> float:
    "One line; the median."
    middle = statistics.median(times)
    print(f"{middle:8.0f} ms  {name} (median of {len(times)}; best {min(times):.0f}, worst {max(times):.0f})", flush=True)
    return middle


def resident_mb(word: str) -> list[float]:
    "Proportional memory of the processes whose command line holds a word [MB]."
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word in (process / "cmdline").read_text():
                rows = dict(line.split(":", 1) for line in (process / "smaps_rollup").read_text().splitlines()[1:])
                found.append(int(rows["Pss"].split()[0]) / 1024)
        except OSError:
            continue
    return found


def crowd(browser, url: str, n: int) -> None:
    "n visitors: time until the last page stands, keys of all in turn, memory."
    began, word = time.perf_counter(), "ipykernel_launcher"
    pages = [browser.new_page(viewport={"width": 1440, "height": 1000}) for _ in range(n)]
    for page in pages:
        page.set_default_timeout(600000)
        page.goto(url, wait_until="commit")
    for page in pages:
        page.wait_for_selector("img.explorer-curves[alt^=Power]")
    print(f"{time.perf_counter() - began:8.1f} s   until the pages of {n} visitors who come together stand")
    for page in pages:
        page.bring_to_front()
        page.evaluate(WATCH, "img.explorer-picture")
    times = []
    for _ in range(3):
        for page in pages:
            page.bring_to_front()
            times.append(press(page, 200))
    tell(f"from key to picture while {n} visitors move sliders in turn", times)
    memory = resident_mb(word)
    print(f"{statistics.mean(memory):8.0f} MB  a visitor's process, of {len(memory)} (shared pages counted once)")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with ExitStack() as stack:
        new = lambda context: stack.enter_context(context)
        browser = new(sync_playwright()).chromium.launch(executable_path=CHROME, args=FLAGS)
        stack.callback(browser.close)
        urls = []
        for make in (lambda path: page_notebook("mock64", path), plain_page):
            folder, port = Path(new(tempfile.TemporaryDirectory())), free_port()
            urls.append(new(server(voila_command(make(folder / "explorer.ipynb"), port), port, folder)))
        pages = [open_page(browser, url, what) for url, what in zip(urls, ("img.explorer-picture", "img.widget-image"))]
        times: list[list[float]] = [[], []]
        for _ in range(20):
            for page, took in zip(pages, times):
                page.bring_to_front()
                took.append(press(page))
        ours, plain = tell("from key to picture", times[0]), tell("the same maps redrawn by matplotlib", times[1])
        print(f"{plain / ours:8.1f} x   faster")
        for page in pages:
            page.close()
        if n:
            crowd(browser, urls[0], n)


if __name__ == "__main__":
    main()
