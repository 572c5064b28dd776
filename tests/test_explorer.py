"""The explorer in a real browser: every mode is used as a visitor would, and nothing may be executed or shown that is not meant to be.

Run: python tests/test_explorer.py [FOLDER FOR SCREENSHOTS] [NAME OF A TEST ...] (exit status 1 when something fails). Needs voila, playwright and a Chromium
(`apt-get install chromium`, or its path in CHROME); without them it says so and skips. axe-core, which looks for barriers to accessibility, is fetched by npm.
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
AXE = ROOT / "tests" / "node_modules" / "axe-core" / "axe.min.js"
SUM = """async image => { const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, bytes.length) }"""
DRAWN = r"""() => { const said = document.querySelector('img.explorer-picture').alt.split('. ')[0], at = [...said.matchAll(/= ([-\d.e]+)/g)].map(found => +found[1])
    const sliders = [...document.querySelectorAll('.explorer-parameter .widget-readout')].map(value => +value.textContent)
    return at.length !== sliders.length || at.every((value, i) => Math.abs(value - sliders[i]) <= 0.006 * Math.abs(sliders[i])) }"""  # the picture is where the sliders are


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(command: list[str], port: int, folder: Path, page: str = "voila/static/voila.js"):
    "A server's address while it runs, which is when it has this page; its log is in folder/log."
    env = os.environ | {"JUPYTER_CONFIG_DIR": f"{folder}/c", "JUPYTER_DATA_DIR": f"{folder}/d", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
    env["JUPYTER_PATH"] = str(folder)  # the page's template
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(1500):  # five minutes, for busy machines
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=2)
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
        self.until(DRAWN)
        now = self.picture(name)
        while True:
            self.page.wait_for_timeout(self.calm)
            before, now = now, self.picture(name)
            if before == now:
                return now

    def back(self, wanted: int, name: str = "picture", seconds: float = 60) -> bool:
        "Wait until an image is what it was before."
        end = time.time() + seconds
        while self.picture(name) != wanted and time.time() < end:
            self.page.wait_for_timeout(10)
        return self.picture(name) == wanted

    @property
    def bars(self) -> str:
        "What the colour bars say."
        return self.page.locator(".explorer-bars:visible").first.inner_text()

    def until(self, script: str, arg=None) -> None:
        "Wait until a function of the page is true."
        self.page.wait_for_function(script, arg=arg)

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
    assert v.page.locator(".noUi-handle").count() == 8 and v.images == 3
    before, start = v.settle(), time.time()
    v.press("ArrowRight")
    v.changed(before)
    v.calm = max(500, 4e3 * (time.time() - start))
    v.button("fiducial universe")
    assert v.back(before)
    v.shot("explorer")


def drag(v: Visitor, url: str) -> None:
    before, curves, bars = v.settle(), v.picture("curves"), v.bars
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
    assert after != before and v.picture("curves") != curves and v.bars == bars, "maps and curves change, the colour scale does not"
    print(f"  {len(seen)} pictures in a drag of 30 steps")
    v.shot("drag")
    v.button("fiducial universe")
    assert v.changed(after) and v.back(before), "the fiducial universe comes back, byte by byte"


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
    assert v.changed(other) and v.back(before)


def fields_and_colours(v: Visitor, url: str) -> None:
    before, bars = v.settle(), v.bars
    for name, back in (("per map", "fixed"), ("CMD's colours", "CMD's colours")):
        v.button(name)
        v.changed(before)
        assert (v.bars == bars) == (name == back), "other colours, the same scale; another scale"
        v.shot(name.replace(" ", "_"))
        v.button(back)
        assert v.back(before)
    v.button("Mgas")
    v.changed(before)
    assert "Mgas" not in v.bars
    v.shot("two_fields")
    for name in ("HI", "B"):
        v.button(name)
        v.settle()
    assert v.images == 3, "one field always stays"
    for name in ("HI", "B"):
        v.button(name)
        v.settle()
    assert v.back(before)


def compare(v: Visitor, url: str) -> None:
    first = v.settle()
    v.button("compare")
    v.page.wait_for_selector("img.explorer-difference")
    assert v.images == 5 and v.back(first, "other") and v.back(first)
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
    assert v.back(second, "other") and v.back(first)
    v.button("compare")
    v.page.wait_for_selector("img.explorer-difference", state="hidden")
    assert v.images == 3 and v.back(first)


def play(v: Visitor, url: str) -> None:
    before = v.settle()
    buttons = v.page.locator(".widget-play button")
    buttons.nth(2).click()  # again and again, however few pictures a slow machine draws on the way
    buttons.first.click()
    seen = set()
    for turns in range(1, 1200):
        v.page.wait_for_timeout(100)
        seen.add(v.picture())
        if len(seen) > 5:
            break
    assert len(seen) > 5, "the sweep does not play"
    buttons.nth(1).click()
    buttons.nth(2).click()
    print(f"  {len(seen)} pictures in the time of {turns} looks")
    v.settle()
    v.button("fiducial universe")
    assert v.back(before)


def save(v: Visitor, url: str) -> None:
    import numpy as np
    import xarray as xr
    from PIL import Image

    from cmd_emulator.emulator import Emulator

    v.settle()
    content = {}
    v.page.evaluate("""() => { const look = () => { const box = document.querySelector('.explorer-busy')
        window.signed ||= box && getComputedStyle(box, '::before').visibility === 'visible'; requestAnimationFrame(look) }; look() }""")
    for label, name in (("picture (PNG)", "maps.png"), ("netCDF", "maps.nc"), ("Zarr (zip)", "maps.zarr.zip"), ("CMD .npy (zip)", "maps_npy.zip"), ("sweep (GIF)", "sweep.gif")):
        v.page.locator("select").nth(1).select_option(label=label)
        v.button("make file")
        v.page.wait_for_selector(f'a.explorer-file[download="{name}"]', timeout=60000)
        with v.page.expect_download() as download:
            v.page.locator("a.explorer-file").click()
        assert download.value.suggested_filename == name
        content[name] = Path(download.value.path()).read_bytes()
    v.until("() => signed && !document.querySelector('.explorer-busy')")  # an animation takes longer than 0.3 s: the page says that it works, and when no longer
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
    v.page.wait_for_selector("text=copied")
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


def readable(page, part: str) -> None:
    "Text and ground of a part of the page differ enough; what is being exchanged is waited for."
    page.wait_for_function(f"part => {{ const found = document.querySelector(part); return found && getComputedStyle(found).color && ({CONTRAST})(found) >= 4.5 }}", arg=part)


def address(v: Visitor, url: str) -> None:
    "A query moves sliders and seed and darkens the page; the button copies it; what is no number is one sentence."
    page = v.page.context.new_page()
    page.goto(f"{url}?Omega_m=0.54&seed=4&ensemble=2&theme=dark")
    page.wait_for_selector(".explorer-warning")
    assert page.locator("input[type=number]").first.input_value() == "4" and page.locator("body").get_attribute("data-jp-theme-light") == "false"
    readable(page, ".explorer-warning")
    page.get_by_role("button", name="copy link", exact=True).click()
    page.wait_for_selector("text=copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{url}/?seed=4&ensemble=2&Omega_m=0.54&sigma_8=0.8&A_SN1=1&A_AGN1=1&A_SN2=1&A_AGN2=1", copied
    page.goto(f"{url}?Omega_m=much")
    page.wait_for_selector("text=expected a number")
    page.close()


def numbers(v: Visitor, name: str = "picture"):
    "What the numbers of a picture are, from its own chunk, and what it says of them."
    import numpy as np

    content = bytes(v.page.locator(f"img.explorer-{name}").evaluate("async image => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]"))
    about = v.page.locator(f"img.explorer-{name}").evaluate("image => ({...image.about, numbers: 0})")
    start = content.index(b"maPs") + 4
    return np.frombuffer(content[start : start + 4 * len(about["names"]) * about["size"] ** 2], "<f4").reshape(-1, about["size"], about["size"]), about


def point(v: Visitor, panel: int, x: float, y: float, wanted: str, name: str = "picture") -> str:
    "Move the mouse to a place of a panel, shares of its side from the lower left, and wait until the page says what is there."
    box, (side, gap) = v.page.locator(f"img.explorer-{name}").bounding_box(), v.page.locator(f"img.explorer-{name}").evaluate("i => [(i.naturalWidth - i.about.gap * (i.about.names.length - 1)) / i.about.names.length, i.about.gap]")
    scale = box["height"] / side
    v.page.mouse.move(box["x"] + scale * (panel * (side + gap) + side * x), box["y"] + scale * side * (1 - y))
    v.until("wanted => document.querySelector('.explorer-readout').innerText.includes(wanted)", wanted)
    return v.page.inner_text(".explorer-readout")


def mouse(v: Visitor, url: str) -> None:
    "Position and value of every field under one cursor, exact; one zoom for all; one scale of P(k) alone."
    import numpy as np

    from cmd_emulator.emulator import Emulator

    before = v.settle()
    v.page.locator("img.explorer-picture").scroll_into_view_if_needed()
    v.until("() => document.querySelector('img.explorer-picture').about?.numbers")
    values, about = numbers(v)
    expected = Emulator.load("mock64").sample(1, seed=0)
    assert all(np.allclose(values[i], expected[name][0], rtol=1e-2) for i, name in enumerate(about["names"])) and about["box"] == 25
    text = point(v, 1, 16.5 / 64, 48.5 / 64, "x = 6.45, y = 18.95 Mpc/h")
    said = [float(re.search(rf"{name} (\S+)", text)[1]) for name in about["names"]]
    assert said == [float(f"{value:.3e}") for value in values[:, 48, 16]] and text.count("(Msun/h)/(Mpc/h)^2") == 2 and "Gauss" in text, text
    drawn = "() => [...document.querySelectorAll('.explorer-maps canvas')].map(c => c.width * c.height && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((sum, x) => sum + x, 0))"
    assert max(v.page.evaluate(drawn)) > 0
    v.shot("hover")
    v.page.mouse.wheel(0, -600)  # 1.2 to the sixth, about the mouse
    v.until("() => document.querySelector('img.explorer-picture').zoomed > 2.9")
    point(v, 1, 16.5 / 64 + 2.986 * 4 / 64, 48.5 / 64, "x = 8.01, y = 18.95 Mpc/h")  # four pixels further are three times as far
    v.shot("zoom")
    at = v.page.locator("img.explorer-picture").bounding_box()
    v.page.mouse.down()
    point(v, 1, 16.5 / 64, 48.5 / 64, "x = 8.01, y = 18.95 Mpc/h")  # dragged, the same place stays below the mouse
    v.page.mouse.up()
    v.page.mouse.dblclick(at["x"] + 9, at["y"] + 9)
    v.until("() => document.querySelector('img.explorer-picture').zoomed === 1")
    point(v, 0, 16.5 / 64, 48.5 / 64, "x = 6.45, y = 18.95 Mpc/h")
    v.button("compare")
    v.page.wait_for_selector("img.explorer-difference")
    v.press("PageUp", 0)
    v.changed(before)
    v.settle()
    v.until("() => document.querySelector('img.explorer-difference').about?.numbers && document.querySelector('img.explorer-other').about?.numbers")
    lines = point(v, 2, 0.51, 0.51, "B − A: x", "other").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["A", "B, the sliders", "B − A"] and "dex" in lines[2], lines
    v.button("compare")
    v.button("fiducial universe")
    v.settle()
    spectra = v.page.locator("img.explorer-curves")
    left, low, width, height = spectra.evaluate("image => image.about.axes[1]")
    k, (first, last) = spectra.evaluate("image => [image.about.k, image.about.range]")
    where = {"x": left + width * np.log(k[5] / first) / np.log(last / first), "y": 1 - low - height / 2}
    spectra.scroll_into_view_if_needed()
    box = spectra.bounding_box()
    click = lambda: spectra.click(position={"x": where["x"] * box["width"], "y": where["y"] * box["height"]})
    click()
    v.changed(before)
    assert v.page.locator(".explorer-band select").evaluate("menu => menu.selectedIndex") == 6 and "δ HI" in v.bars
    passed = numbers(v)[0]
    waves = np.abs(np.fft.rfft2(passed[1].astype(float)))
    far = np.rint(np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)) * 64)
    assert waves[far != 6].max() < 1e-4 * waves.max(), "only waves of that bin are left"
    v.shot("one_scale")
    shown = v.picture()
    click()
    v.changed(shown)
    assert v.back(before)


def pinch(v: Visitor, url: str) -> None:
    "Two fingers zoom all maps about the place between them; one finger reads values."
    v.page.locator("img.explorer-picture").scroll_into_view_if_needed()
    fingers, box = v.page.context.new_cdp_session(v.page), v.page.locator("img.explorer-picture").bounding_box()
    x, y = box["x"] + 0.25 * box["height"], box["y"] + 0.75 * box["height"]  # a quarter from the lower left

    def touch(kind: str, *apart: float) -> None:
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x + shift, "y": y, "id": i} for i, shift in enumerate(apart)]})

    touch("touchStart", -20, 20)
    for far in range(25, 65, 5):
        touch("touchMove", -far, far)
    v.until("() => Math.abs(document.querySelector('img.explorer-picture').zoomed - 3) < 0.01")
    v.shot("pinch")
    touch("touchEnd")
    touch("touchStart", 0)
    touch("touchEnd")
    v.until("() => /x = 6.[0-9]+, y = 6.[0-9]+ Mpc/.test(document.querySelector('.explorer-readout').innerText)")  # the same place stays between the fingers
    v.page.keyboard.press("0")
    v.until("() => document.querySelector('img.explorer-picture').zoomed === 1")


def undo(v: Visitor, url: str) -> None:
    "Each rest of the sliders is a step back, by the button, by a key, and by the browser; the address follows."
    first = v.settle()
    for back in (lambda: v.page.go_back(), lambda: v.button("undo"), lambda: v.page.keyboard.press("u")):
        before, where = v.settle(), v.page.evaluate("location.search")
        v.press("PageUp", 2)
        v.changed(before)
        v.until("before => location.search !== before && document.querySelector('[data-query]').dataset.query === location.search.slice(1)", where)
        back()
        v.until("before => location.search === before", where)
        v.until("value => document.querySelectorAll('.explorer-parameter .widget-readout')[2].textContent === value", "1.000")
        for _ in range(600):
            if v.picture() == first:
                break
            v.page.wait_for_timeout(100)
        assert v.picture() == first, "the maps come back byte by byte"


def hints(v: Visitor, url: str) -> None:
    "A first visit is shown three steps, until one has seen them; ? lists keys and what parameters mean; keys can be switched off."
    assert v.page.locator(".explorer-hint li").count() == 3
    v.button("got it")
    assert v.page.locator(".explorer-hint").count() == 0 and v.page.evaluate("localStorage.getItem('explorer-seen')")
    v.page.locator("h2").first.click()
    v.page.keyboard.press("?")
    text = v.page.inner_text("dialog.explorer-help")
    assert "undo" in text and "Share of matter in the energy of the universe" in text
    v.shot("help")
    v.page.locator("dialog input").uncheck()
    v.button("close")
    v.page.keyboard.press("c")
    assert v.page.locator("button.explorer-compare").get_attribute("aria-pressed") == "false"
    v.page.keyboard.press("?")
    v.page.locator("dialog input").check()
    v.page.keyboard.press("Escape")
    for pressed, state in (("true", "visible"), ("false", "hidden")):
        v.page.keyboard.press("c")
        v.page.wait_for_selector(f"button.explorer-compare[aria-pressed={pressed}]")
        v.page.wait_for_selector("img.explorer-difference", state=state)


def barriers(page) -> list[str]:
    "What axe-core finds against WCAG, levels A and AA."
    if not AXE.is_file() and shutil.which("npm"):
        subprocess.run(["npm", "install", "--prefix", AXE.parents[2], "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent", "axe-core@4.10.3"], check=False)
    if not AXE.is_file():
        print("  axe-core: skipped, no npm to fetch it")
        return []
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]


def accessible(v: Visitor, url: str) -> None:
    "Controls have names and physical values, pictures have words, and axe-core finds nothing, in light and in dark, which follows the system."
    v.settle()
    handles = v.page.locator(".noUi-handle")
    v.until("() => document.querySelectorAll('.noUi-handle')[2].getAttribute('aria-valuetext') === '1.000'")
    v.press("Home", 2)
    v.until("() => document.querySelectorAll('.noUi-handle')[2].getAttribute('aria-valuetext') === '0.189'")
    v.page.wait_for_selector(".explorer-warning")
    assert "galactic-wind energy" in handles.nth(2).get_attribute("aria-label")
    assert v.page.locator("button.widget-toggle-button:not([aria-pressed])").count() == 0
    v.button("compare")
    v.page.wait_for_selector("img.explorer-difference")
    v.settle("difference")
    v.until("() => [...document.querySelectorAll('img')].filter(i => i.offsetParent).every(i => i.alt.length > 40)")
    assert "A_SN1 = 0.189" in v.page.locator("img.explorer-picture").get_attribute("alt") and "gas surface density: half of it between" in v.page.locator("img.explorer-picture").get_attribute("alt")
    found = barriers(v.page)
    assert not found, "\n".join(found)
    v.button("compare")
    v.button("fiducial universe")
    v.settle()
    page = v.page.context.browser.new_context(color_scheme="dark").new_page()
    page.set_default_timeout(120000)
    page.goto(f"{url}?A_SN1=0.2")
    page.wait_for_selector(".explorer-warning")
    page.wait_for_selector("img.explorer-curves[alt^=Power]")
    assert page.locator(".explorer-dark body[data-jp-theme-light=false]").count() == 1
    for part in ("body", ".explorer-warning"):
        readable(page, part)
    assert page.locator(".explorer-bars").first.evaluate("bars => getComputedStyle(bars).color.match(/[0-9]+/g).every(x => x > 170)"), "bars have the page's own ink"
    Visitor(page, v.shots).shot("dark")
    found = barriers(page)
    page.context.close()
    assert not found, "\n".join(found)


TESTS = (loads, hints, widths, address, drag, latency, every_slider, seed_and_ensemble, fields_and_colours, compare, mouse, pinch, undo, accessible, play, save, code, no_execution, loopback_only)


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


def lost(browser, shots) -> None:
    "The process of a visitor who does nothing is ended; the page says so, and comes back where it was."
    from cmd_emulator.serve import page_notebook, voila_command

    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with server(voila_command(page_notebook("mock64", Path(folder) / "explorer.ipynb"), port, idle=8), port, Path(folder)) as url:
            v = Visitor(browser.new_page(), shots)
            v.page.set_default_timeout(180000)
            v.page.goto(url)
            v.page.wait_for_selector("img.explorer-curves[alt^=Power]")
            v.press("End", 0)
            v.until("() => location.search.includes('Omega_m=0.54')")
            v.page.wait_for_selector(".explorer-lost")
            assert "has ended" in v.page.inner_text("[role=alert]") and v.images == 3, "pictures stay"
            v.shot("lost")
            v.button("reconnect")
            v.page.wait_for_selector(".explorer-lost", state="detached")
            v.page.wait_for_selector("img.explorer-curves[alt*='Omega_m = 0.54']")
            v.page.close()


def lab(browser, shots) -> None:
    "In JupyterLab: sliders draw; the notebook, saved and opened again without its kernel, shows the picture where they were left."
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder) / "explore.ipynb", free_port()
        source = "from cmd_emulator.emulator import Emulator\nfrom cmd_emulator.explorer import explore\nexplore(Emulator.load('mock64'))"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata={"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}), path)
        words = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}", "--allow-root"]
        with server(words, port, Path(folder), "api") as url:
            v = Visitor(browser.new_page(viewport={"width": 1500, "height": 1100}), shots)
            v.page.set_default_timeout(120000)
            v.page.goto(f"{url}/lab/tree/explore.ipynb")
            v.page.locator(".jp-CodeCell .cm-content").click()
            v.page.wait_for_selector("text=(ipykernel) | Idle")
            v.page.keyboard.press("Shift+Enter")
            v.page.wait_for_selector("img.explorer-curves[alt^=Power]")
            assert not v.page.locator(".jp-RenderedImage img").is_visible(), "the still picture hides behind the sliders"
            before = v.settle()
            v.press("End", 0)
            v.changed(before)
            v.settle("curves")
            v.shot("lab")
            v.page.keyboard.press("Control+s")
            said = ""
            while "Omega_m = 0.54" not in said:
                v.page.wait_for_timeout(500)
                v.page.keyboard.press("Control+s")
                outputs = json.loads(path.read_text())["cells"][0]["outputs"]
                said = "".join("".join(one.get("data", {}).get("text/plain", "")) for one in outputs)
            assert v.page.request.delete(f"{url}/api/sessions/{v.page.request.get(f'{url}/api/sessions').json()[0]['id']}").ok
            v.page.goto(f"{url}/lab/tree/explore.ipynb?reset")
            v.page.wait_for_selector(".jp-RenderedImage img:visible")
            assert v.page.locator(".jp-RenderedImage img").first.bounding_box()["width"] > 700 and not v.page.locator("img.explorer-picture").count()
            v.shot("lab_reopened")
            v.page.close()


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
        v.until("() => location.search.includes('region=')")
        v.settle()
        there = v.page.locator(".widget-readout:visible").all_inner_texts()
        v.page.goto(v.page.evaluate("location.href"))
        v.until("""there => { const here = [...document.querySelectorAll('.widget-readout')].filter(x => x.offsetParent).map(x => +x.innerText)
            return here.length === there.length && here.every((x, i) => Math.abs(x - there[i]) < 0.01 * Math.max(1, there[i])) }""", [float(text) for text in there])  # a browser rounds to the slider's steps
        assert not v.errors and v.page.locator(".explorer-error").count() == 0
        v.page.close()


def main() -> int:
    missing = [name for name in ("voila", "playwright") if find_spec(name) is None] + ([] if CHROME else ["a Chromium (apt-get install chromium, or set CHROME)"])
    if missing:
        print(f"explorer in a browser: skipped, no {', no '.join(missing)}")
        return 0
    from playwright.sync_api import sync_playwright

    others = (failing_page, lost, painting)
    chosen = {test.__name__ for test in (*TESTS, *others, lab)} & set(sys.argv[1:])
    folders = [word for word in sys.argv[1:] if word not in chosen]
    shots = Path(folders[0]).resolve() if folders else None
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
        strangers = []
        context.on("request", lambda request: re.match(r"(http://127\.0\.0\.1|ws://127\.0\.0\.1|blob:|data:)", request.url) or strangers.append(request.url))
        context.set_default_timeout(120000)  # busy machines are slow
        visitor = Visitor(context.new_page(), shots)
        assert url in (Path(folder) / "log").read_text(), "the address is printed"
        if chosen & {test.__name__ for test in TESTS} and "loads" not in chosen:
            attempt(loads, visitor, url)
        for test in TESTS:
            if not chosen or test.__name__ in chosen:
                attempt(test, visitor, url)
        assert "TCP" not in (Path(folder) / "log").read_text(), "nothing is said about sockets"
        if strangers:
            failed.append("other hosts")
            print(strangers)
        if visitor.errors:
            failed.append("script errors")
            print(visitor.errors)
        for test in (*others, lab):
            if not chosen and test is not lab or test.__name__ in chosen:
                attempt(test, browser, shots)
        browser.close()
    print(f"{len(chosen or (*TESTS, *others)) - len(set(failed) - {'script errors', 'other hosts'})} passed, {len(failed)} failed" + (": " + ", ".join(failed) if failed else ""))
    return bool(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
