"""The explorer in a real browser: every mode is used as a visitor would, and nothing may be executed or shown that is not meant to be.

Run: python tests/test_explorer.py [FOLDER FOR SCREENSHOTS] (exit status 1 when something fails). Needs voila, playwright and a Chromium
(`apt-get install chromium`, or its path in CHROME); without them it says so and skips.
"""
import asyncio
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHROME = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SUM = """async image => { const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, bytes.length) }"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(command: list[str], port: int, folder: Path):
    "A server's address while it runs; its log is in folder/log."
    env = os.environ | {"JUPYTER_CONFIG_DIR": f"{folder}/c", "JUPYTER_DATA_DIR": f"{folder}/d", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(1500):  # five minutes, for busy machines
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/voila/static/voila.js", timeout=2)
                    break
                except OSError:
                    assert process.poll() is None, (folder / "log").read_text()
                    time.sleep(0.2)
            else:
                raise TimeoutError((folder / "log").read_text())
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


class Visitor:
    "A browser page and the few gestures that the tests need."

    def __init__(self, page, shots: Path | None):
        self.page, self.shots, self.errors, self.calm = page, shots, [], 500
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def picture(self, name: str = "picture") -> int:
        "Checksum of one of the images on the page."
        return self.page.locator(f"img.explorer-{name}").evaluate(SUM)

    @property
    def images(self) -> int:
        return self.page.locator("img.widget-image:visible").count()

    def changed(self, before: int, name: str = "picture", seconds: float = 60) -> int:
        "Wait until an image differs from `before`."
        end = time.time() + seconds
        while (now := self.picture(name)) == before:
            assert time.time() < end, f"{name} did not change in {seconds} s"
            self.page.wait_for_timeout(10)
        return now

    def settle(self, name: str = "picture") -> int:
        "Wait until an image has been the same for half a second, or longer where the machine is slow."
        now = self.picture(name)
        while True:
            self.page.wait_for_timeout(self.calm)
            before, now = now, self.picture(name)
            if before == now:
                return now

    def press(self, key: str, slider: int = 0) -> None:
        self.page.locator(".noUi-handle").nth(slider).focus()
        self.page.keyboard.press(key)

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def shot(self, name: str) -> None:
        if self.shots:
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)


def loads(v: Visitor, url: str) -> None:
    start = time.time()
    v.page.goto(url)
    v.page.wait_for_selector("img.widget-image", timeout=180000)
    print(f"  page in {time.time() - start:.1f} s")
    text = v.page.inner_text("body")
    assert "stand-in for CAMELS" in text and "Traceback" not in text and "import" not in text.replace("from cmd_emulator.emulator import Emulator", "")
    assert v.page.locator(".noUi-handle").count() == 8 and v.images == 4
    before, start = v.settle(), time.time()
    v.press("ArrowRight")
    v.changed(before)
    v.calm = max(500, 4e3 * (time.time() - start))
    v.button("fiducial universe")
    assert v.settle() == before
    v.shot("explorer")


def drag(v: Visitor, url: str) -> None:
    before, curves, bars = v.settle(), v.picture("curves"), v.picture("scale")
    handle = v.page.locator(".noUi-handle").first
    handle.hover()  # waits until nothing moves below it
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    v.page.mouse.down()
    seen = set()
    for step in range(30):
        v.page.mouse.move(x + 2 * step, y)
        seen.add(v.picture())
    if "when you let go" not in v.page.inner_text("body"):  # said on a machine too busy for more
        v.changed(before)  # while the button is still down
    v.page.mouse.up()
    after = v.settle()
    assert after != before and v.picture("curves") != curves and v.picture("scale") == bars, "maps and curves change, the colour scale does not"
    print(f"  {len(seen)} pictures in a drag of 30 steps")
    v.shot("drag")
    v.button("fiducial universe")
    assert v.changed(after) and v.settle() == before, "the fiducial universe comes back, byte by byte"


def latency(v: Visitor, url: str) -> None:
    times = []
    for i in range(20):
        before, start = v.settle() if i == 0 else v.picture(), time.perf_counter()
        v.press("ArrowRight" if i % 4 < 2 else "ArrowLeft", i % 6)
        v.changed(before)
        times.append(1e3 * (time.perf_counter() - start))
    print(f"  from a key to the new picture: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms (a measurement, not a test)")
    v.button("fiducial universe")
    v.settle()


def every_slider(v: Visitor, url: str) -> None:
    for slider in (*range(6), 6):
        before = v.settle()
        v.press("Home", slider)
        v.changed(before)
        if slider == 6:
            v.press("End", slider)
        else:
            assert "Outside the training range" in v.page.inner_text("body") or v.page.wait_for_selector(".explorer-warning", timeout=60000)
            v.button("fiducial universe")
        v.settle()
    v.press("End", 0)
    v.page.wait_for_selector(".explorer-warning", timeout=60000)
    assert "Omega_m = 0.54 lies 0.04 above its range" in v.page.inner_text(".explorer-warning")
    v.shot("outside")
    v.button("fiducial universe")
    v.page.wait_for_selector(".explorer-warning", state="detached", timeout=60000)


def seed_and_ensemble(v: Visitor, url: str) -> None:
    before, box = v.settle(), v.page.locator("input[type=number]").first
    box.fill("7")
    box.press("Enter")
    v.changed(before)
    other, curves = v.settle(), v.settle("curves")
    v.press("End", 7)
    v.changed(curves, "curves")
    assert v.picture() == other and "mean of 32 maps" in v.page.inner_text("body"), "the ensemble changes curves, not the map on screen"
    v.shot("ensemble")
    v.press("Home", 7)
    for _ in range(3):
        v.press("ArrowRight", 7)
    v.settle("curves")
    box.fill("0")
    box.press("Enter")
    assert v.changed(other) and v.settle() == before


def fields_and_colours(v: Visitor, url: str) -> None:
    before, bars = v.settle(), v.picture("scale")
    v.button("per map")
    v.changed(bars, "scale")
    v.shot("per_map")
    v.button("fixed")
    v.settle()
    assert v.picture() == before
    v.button("Mgas")
    v.changed(before)
    v.settle("scale")
    v.shot("two_fields")
    for name in ("HI", "B"):
        v.button(name)
        v.settle()
    assert v.images == 4, "one field always stays"
    for name in ("HI", "B"):
        v.button(name)
        v.settle()
    assert v.settle() == before


def compare(v: Visitor, url: str) -> None:
    first = v.settle()
    v.button("compare")
    v.page.wait_for_timeout(v.calm)
    assert v.images == 7 and v.settle("other") == v.settle() == first
    difference = v.picture("difference")
    for _ in range(8):
        v.press("PageUp", 0)
        v.press("PageDown", 3)
    v.changed(first)
    second = v.settle()
    assert v.picture("other") == first and v.settle("difference") != difference
    v.shot("compare")
    v.button("swap A and B")
    v.changed(first, "other")
    assert (v.settle("other"), v.settle()) == (second, first)
    v.button("compare")
    v.page.wait_for_timeout(v.calm)
    assert v.images == 4 and v.settle() == first


def play(v: Visitor, url: str) -> None:
    before = v.settle()
    v.page.locator(".widget-play button").first.click()
    seen = set()
    for turns in range(1, 600):
        v.page.wait_for_timeout(100)
        seen.add(v.picture())
        if len(seen) > 5:
            break
    assert len(seen) > 5, "the sweep does not play"
    v.page.locator(".widget-play button").nth(1).click()
    print(f"  {len(seen)} pictures in the time of {turns} looks")
    v.settle()
    v.button("fiducial universe")
    v.settle()
    assert v.picture() == before


def save(v: Visitor, url: str) -> None:
    import numpy as np
    import xarray as xr
    from PIL import Image

    from cmd_emulator.emulator import Emulator

    v.settle()
    content = {}
    for label, name in (("picture (PNG)", "maps.png"), ("netCDF", "maps.nc"), ("Zarr (zip)", "maps.zarr.zip"), ("CMD .npy (zip)", "maps_npy.zip"), ("sweep (GIF)", "sweep.gif")):
        v.page.locator("select").nth(1).select_option(label=label)
        v.button("make file")
        v.page.wait_for_selector(f'a.explorer-file[download="{name}"]', timeout=60000)
        with v.page.expect_download() as download:
            v.page.locator("a.explorer-file").click()
        assert download.value.suggested_filename == name
        content[name] = Path(download.value.path()).read_bytes()
    v.shot("saved")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "maps.nc").write_bytes(content["maps.nc"])
        with xr.open_dataset(f"{folder}/maps.nc", engine="scipy") as ds:
            expected = Emulator.load("mock64").sample(1, seed=0)
            assert np.allclose(ds["HI"][0], expected["HI"][0], rtol=1e-2) and "provenance" in ds.attrs
    assert sum(name.endswith(".npy") for name in zipfile.ZipFile(io.BytesIO(content["maps_npy.zip"])).namelist()) == 3
    assert any("zarr.json" in name for name in zipfile.ZipFile(io.BytesIO(content["maps.zarr.zip"])).namelist())
    assert Image.open(io.BytesIO(content["maps.png"])).size[0] > 800 and Image.open(io.BytesIO(content["sweep.gif"])).n_frames == 38


def code(v: Visitor, url: str) -> None:
    v.button("copy as code")
    v.page.wait_for_timeout(200)
    copied = v.page.evaluate("navigator.clipboard.readText()")
    made = {}
    exec(copied, made)
    assert float(made["maps"]["Omega_m"][0]) == 0.3 and made["maps"].attrs["emulator"] == "mock64"


def refused(url: str, path: str, **request) -> None:
    "The server does not offer this."
    try:
        answer = urllib.request.urlopen(urllib.request.Request(f"{url}/{path}", **request))
    except urllib.error.HTTPError as error:
        assert error.code in (403, 404, 405), (path, error.code)
    else:
        raise AssertionError(f"{path} answered {answer.status}")


def no_execution(v: Visitor, url: str) -> None:
    "Nothing but widget messages passes to the kernel, and the server offers no contents, kernels, terminals or sources."
    from tornado.websocket import websocket_connect

    for path in ("api/contents", "api/terminals", "api/kernels", "api/sessions", "voila/files/explorer.ipynb", "files/explorer.ipynb"):
        refused(url, path)
    refused(url, "api/kernels", data=b"{}", method="POST")
    page = urllib.request.urlopen(url).read().decode()
    kernel = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])["kernelId"]
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "executed"
        talking = talk(f"{url.replace('http', 'ws')}/api/kernels/{kernel}/channels", f"open({str(marker)!r}, 'w')", websocket_connect)
        with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop of its own in this thread
            seen = pool.submit(asyncio.run, talking).result()
        assert not marker.exists() and "kernel_info_reply" in seen and "execute_reply" not in seen, seen


async def talk(address: str, source: str, connect) -> set[str]:
    "Types of the answers to a harmless question and to an order to run code."
    socket_, seen = await connect(address), set()
    code = {"code": source, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
    for kind, content in (("kernel_info_request", {}), ("execute_request", code)):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": uuid.uuid4().hex, "version": "5.3", "date": "2026-01-01T00:00:00Z"}
        await socket_.write_message(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "content": content}))
    for _ in range(40):
        try:
            message = await asyncio.wait_for(socket_.read_message(), 0.5)
        except asyncio.TimeoutError:
            if "kernel_info_reply" in seen:
                break
            continue
        if message is None:
            break
        seen.add(json.loads(message)["header"]["msg_type"] if isinstance(message, str) else "binary")
    socket_.close()
    return seen


def loopback_only(v: Visitor, url: str) -> None:
    port = int(url.rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert address.startswith("127.") or probe.connect_ex((address, port)) != 0, f"{address} answers too"


def widths(v: Visitor, url: str) -> None:
    "Maps fill a wide screen; on a narrow one they come first and stay in sight while one scrolls to the last control."
    size, wide = v.page.viewport_size, {}
    box = lambda selector: v.page.locator(selector).first.bounding_box()
    for width, height in ((1920, 1080), (1440, 900), (768, 1024), (400, 800)):
        v.page.set_viewport_size({"width": width, "height": height})
        v.page.wait_for_function("width => innerWidth === width", arg=width)
        v.page.locator("h2").first.scroll_into_view_if_needed()
        picture, slider = box("img.explorer-picture"), box(".noUi-handle")
        wide[width] = picture["width"]
        assert picture["x"] >= 0 and picture["x"] + picture["width"] <= width, (width, picture)
        assert picture["x"] > slider["x"] if width > 900 else picture["y"] < slider["y"], (width, picture, slider)
        if width <= 900:
            v.page.locator(".explorer-code").first.scroll_into_view_if_needed()
            assert 0 <= box("img.explorer-picture")["y"] < height / 2, (width, box("img.explorer-picture"))
    assert wide[1920] >= 3 * 420 and wide[768] > 700, wide
    v.page.set_viewport_size(size)
    v.settle()


CONTRAST = """element => { const bright = colour => { const [r, g, b] = colour.match(/[0-9.]+/g).map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05 }, style = getComputedStyle(element), both = [bright(style.color), bright(style.backgroundColor)];
    return Math.max(...both) / Math.min(...both) }"""


def address(v: Visitor, url: str) -> None:
    "A query moves sliders and seed and darkens the page; the button copies it; what is no number is one sentence."
    page = v.page.context.new_page()
    page.goto(f"{url}?Omega_m=0.54&seed=4&ensemble=2&theme=dark")
    page.wait_for_selector(".explorer-warning")
    assert page.locator("input[type=number]").first.input_value() == "4" and page.locator("body").get_attribute("data-jp-theme-light") == "false"
    assert page.locator(".explorer-warning").evaluate(CONTRAST) >= 4.5
    page.get_by_role("button", name="copy link", exact=True).click()
    page.wait_for_selector("text=copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{url}/?seed=4&ensemble=2&Omega_m=0.54&sigma_8=0.8&A_SN1=1&A_AGN1=1&A_SN2=1&A_AGN2=1", copied
    page.goto(f"{url}?Omega_m=much")
    page.wait_for_selector("text=expected a number")
    page.close()


TESTS = (loads, widths, address, drag, latency, every_slider, seed_and_ensemble, fields_and_colours, compare, play, save, code, no_execution, loopback_only)


def failing_page(browser, shots) -> None:
    "An emulator that cannot be had is one sentence on the page, and an error in the page itself shows no traceback."
    from cmd_emulator.serve import page_notebook, voila_command

    for name, source, wanted in (("moon", None, "No explorer"), ("mock64", "raise RuntimeError('secret')", "")):
        with tempfile.TemporaryDirectory() as folder:
            path, port = page_notebook(name, Path(folder) / "explorer.ipynb"), free_port()
            if source:
                path.write_text(path.read_text().replace("from cmd_emulator.explorer import page", source))
            with server(voila_command(path, port), port, Path(folder)) as url:
                page = browser.new_page()
                page.set_default_timeout(120000)
                page.goto(url)
                page.wait_for_selector(".explorer-error" if wanted else "text=error when executing", timeout=120000)
                text = page.inner_text("body")
                assert wanted in text and "Traceback" not in text and "secret" not in text, text
                page.close()


def painting(browser, shots) -> None:
    "paint64 paints on simulated matter: feedback moves, matter stays, the simulation stands beside."
    port = free_port()
    words = [sys.executable, "-c", "import sys; from cmd_emulator.command import main; sys.exit(main(sys.argv[1:]))", "explore", "--emulator", "paint64", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, server(words, port, Path(folder)) as url:
        v = Visitor(browser.new_page(viewport={"width": 1250, "height": 1200}), shots)
        v.page.set_default_timeout(120000)
        v.page.goto(url)
        v.page.wait_for_selector("img.explorer-picture")
        v.settle()
        first = v.picture()
        v.press("PageUp", 1)  # the first slider is the region, the second A_SN1
        v.changed(first)
        moved = v.settle()
        v.button("simulation")
        v.page.wait_for_selector("text=painted, the sliders")
        v.settle("difference")
        assert v.picture("other") not in (first, moved)
        v.shot("painting")
        v.press("PageUp", 0)
        v.changed(moved)
        assert not v.errors and v.page.locator(".explorer-error").count() == 0
        v.page.close()


def main() -> int:
    missing = [name for name in ("voila", "playwright") if find_spec(name) is None] + ([] if CHROME else ["a Chromium (apt-get install chromium, or set CHROME)"])
    if missing:
        print(f"explorer in a browser: skipped, no {', no '.join(missing)}")
        return 0
    from playwright.sync_api import sync_playwright

    shots = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    failed = []

    def attempt(test, *args):
        print(test.__name__, flush=True)
        try:
            test(*args)
        except Exception:
            failed.append(test.__name__)
            traceback.print_exc()

    port = free_port()
    words = [sys.executable, "-c", "import sys; from cmd_emulator.command import main; sys.exit(main(sys.argv[1:]))", "explore", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, server(words, port, Path(folder)) as url, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROME, headless=True, args=FLAGS)
        context = browser.new_context(viewport={"width": 1250, "height": 960}, permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
        context.route("**/*", lambda route: route.continue_() if re.match(r"(http://127\.0\.0\.1|ws://127\.0\.0\.1|blob:|data:)", route.request.url) else route.abort())
        context.set_default_timeout(120000)  # busy machines are slow
        visitor = Visitor(context.new_page(), shots)
        assert url in (Path(folder) / "log").read_text(), "the address is printed"
        for test in TESTS:
            attempt(test, visitor, url)
        if visitor.errors:
            failed.append("script errors")
            print(visitor.errors)
        for test in (failing_page, painting):
            attempt(test, browser, shots)
        browser.close()
    print(f"{len(TESTS) + 2 - len(set(failed) - {'script errors'})} passed, {len(failed)} failed" + (": " + ", ".join(failed) if failed else ""))
    return bool(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
