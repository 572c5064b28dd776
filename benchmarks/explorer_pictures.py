"""Makes the pictures of the explorer that the README and the notebooks show, from the packaged emulator: run it again when its weights change.

Run: python benchmarks/explorer_pictures.py (or `make pictures`). Writes figures/sweep.gif, and by headless Chromium figures/explorer.png,
explorer_compare.png and explorer_paint.png; without one it says so and leaves the old photographs.
"""
import io
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import test_explorer as browser_test  # noqa: E402

from cmd_emulator.emulator import Emulator  # noqa: E402
from cmd_emulator.render import packaged_bands, sweep_gif  # noqa: E402

NAME, SEED, VIEW = "mock64", 4, {"width": 1230, "height": 880}


def write_sweep(path: Path) -> None:
    "One region of mock64 while Omega_m goes through its range."
    path.write_bytes(sweep_gif(Emulator.load(NAME), "Omega_m", seed=SEED, frames=7))
    assert path.stat().st_size < 4e5, f"{path} has {path.stat().st_size} bytes: fewer frames"


def shrink(path: Path, photograph: bytes, share: float = 0.8, colours: int = 256) -> None:
    "A screenshot with a palette, small enough for a repository."
    image = Image.open(io.BytesIO(photograph)).convert("RGB")
    image.resize((int(image.width * share), int(image.height * share)), Image.Resampling.BOX).quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def visitor_of(name: str):
    "A browser on the explorer of an emulator, when its first picture is there."
    from playwright.sync_api import sync_playwright

    port = browser_test.free_port()
    words = [sys.executable, "-c", "import sys; from cmd_emulator.command import main; sys.exit(main(sys.argv[1:]))", "explore", "--emulator", name, "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, browser_test.server(words, port, Path(folder)) as url, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_test.CHROME, headless=True, args=browser_test.FLAGS)
        visitor = browser_test.Visitor(browser.new_page(viewport=VIEW), None)
        visitor.page.set_default_timeout(180000)  # busy machines are slow
        visitor.page.goto(url)
        visitor.page.wait_for_selector("img.widget-image", timeout=90000)
        visitor.settle()
        visitor.button("got it")
        yield visitor
        browser.close()


def shoot_pair(visitor, path: Path) -> None:
    "A photograph of two sets of maps and their difference, when nothing moves any more."
    visitor.settle("difference")
    visitor.page.wait_for_timeout(5000)
    visitor.settle("curves")
    visitor.page.mouse.click(5, 5)
    visitor.until("() => !document.querySelector('.explorer-busy')")
    shrink(path, visitor.page.screenshot(), 0.58)


def photograph(figures: Path) -> None:
    "The explorer of mock64: as it opens with another seed, and comparing two universes."
    with visitor_of(NAME) as visitor:
        box = visitor.page.locator("input[type=number]").first
        box.fill(str(SEED))
        box.press("Enter")
        visitor.press("End", 7)
        visitor.page.wait_for_selector("text=mean of 32 maps")
        visitor.settle("curves")
        shrink(figures / "explorer.png", visitor.page.screenshot())
        visitor.page.set_viewport_size(VIEW | {"height": 1330})
        visitor.button("compare")
        for _ in range(12):
            visitor.press("PageUp", 0)
            visitor.press("PageDown", 3)
        shoot_pair(visitor, figures / "explorer_compare.png")


def photograph_painting(figures: Path) -> None:
    "The explorer of paint64: one region as it was simulated, and painted with other supernovae."
    with visitor_of("paint64") as visitor:
        visitor.page.set_viewport_size(VIEW | {"height": 1180})
        visitor.button("simulation")
        shoot_pair(visitor, figures / "explorer_paint.png")


def main() -> None:
    figures = ROOT / "figures"
    write_sweep(figures / "sweep.gif")
    if browser_test.CHROME:
        photograph(figures)
        photograph_painting(figures)
    else:
        print("no Chromium: the photographs in figures/ stay as they are")
    for name in ("sweep.gif", "explorer.png", "explorer_compare.png", "explorer_paint.png"):
        print(f"{(figures / name).stat().st_size / 1e3:8.0f} kB  figures/{name}")
    assert packaged_bands("Mock", 64), "the table of bands is missing"


if __name__ == "__main__":
    main()
