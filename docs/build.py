"""Gathers README, notebooks, documents and model cards into _pages, builds them into _site, and checks every link of it.

Run: python docs/build.py (or `make docs`). Notebooks appear as they are committed; none is run. Pages of the API come from docstrings.
"""
import base64
import io
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urldefrag

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES, SITE = ROOT / "_pages", ROOT / "_site"
WINGS = {"00": "Data and simulation", "01": "Data set", "02": "Network", "03": "Losses, files, scores", "04": "Training, use, tests of fidelity", "05": "Evaluation", "06": "Explorer", "07": "Command line", "08": "The paper's GAN"}
MATHJAX = """window.MathJax = {
  tex2jax: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], displayMath: [["$$", "$$"], ["\\\\[", "\\\\]"]], processEscapes: true},
  "HTML-CSS": {availableFonts: [], webFont: "STIX-Web", imageFont: null, scale: 92},
  showMathMenu: false, messageStyle: "none"};
"""


def title_of(path: Path) -> str:
    "First heading of a notebook or a page."
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")
    return re.search(r"^# (.+)$", text, re.M).group(1)


def gather() -> dict[str, list[Path]]:
    "Copy everything that becomes a page, in the repository's own layout, so that relative links hold."
    shutil.rmtree(PAGES, ignore_errors=True)
    notebooks = sorted((ROOT / "nbs").glob("*.ipynb"))
    wings = {"tutorials": sorted((ROOT / "nbs" / "tutorials").glob("*.ipynb")), "notebooks": notebooks, "documents": sorted((ROOT / "docs").glob("*.md")),
             "experiments": sorted((ROOT / "docs" / "experiments").glob("*.md")), "cards": sorted((ROOT / "cmd_emulator" / "pretrained").glob("*.md"))}
    for path in [*sum(wings.values(), []), *(ROOT / "figures").glob("*.*"), ROOT / "CITATION.cff"]:
        (PAGES / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, PAGES / path.relative_to(ROOT))
    for path in PAGES.rglob("*.ipynb"):
        rewrite_notebook(path)
    shutil.copytree(str(files("jupyter_server_mathjax") / "static"), PAGES / "mathjax", ignore=shutil.ignore_patterns("localization", "SVG", "a11y"))
    (PAGES / "mathjax" / "settings.js").write_text(MATHJAX, encoding="utf-8")
    return wings


def rewrite_notebook(path: Path) -> None:
    "Links of a notebook's prose to other pages, as the site has them; widgets, whose code would come from another host, give way to the pictures beside them."
    book = json.loads(path.read_text(encoding="utf-8"))
    book["metadata"].pop("widgets", None)
    for cell in book["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if "application/vnd.jupyter.widget-view+json" not in output.get("data", {})]
        if cell["cell_type"] == "markdown":
            cell["source"] = re.sub(r"(\]\((?!https?:)[^)#\s]+)\.(ipynb|md)", r"\1.html", "".join(cell["source"]))
    path.write_text(json.dumps(book), encoding="utf-8")


def thumbnail(path: Path) -> str:
    "A tutorial's title below its first picture, as a link to it."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    made = (base64.b64decode(output["data"]["image/png"]) for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {}))
    shown = (path.parent / link for cell in cells for link in re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", "".join(cell["source"])))
    content = next(made, None) or next((link.read_bytes() for link in shown), None)
    title, picture = title_of(path), ""
    if content:
        small = Image.open(io.BytesIO(content)).convert("RGB")
        small.thumbnail((400, 1200))
        small.crop((0, 0, small.width, min(small.height, 170))).save(PAGES / "thumbnails" / f"{path.stem}.png")
        picture = f'<img src="thumbnails/{path.stem}.png" alt="First picture of: {title}" style="width:200px;height:85px;object-fit:cover;object-position:top"><br>'
    return f'<a href="{path.relative_to(ROOT).with_suffix(".html")}" style="width:200px">{picture}{title}</a>'


def write_index(tutorials: list[Path]) -> None:
    "README as the first page; links to folders go to their lists."
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder, page in (("docs/experiments/", "docs/experiments/README.md"), ("cmd_emulator/pretrained/", "cmd_emulator/pretrained/index.md")):
        text = text.replace(f"]({folder})", f"]({page})")
    if tutorials:
        (PAGES / "thumbnails").mkdir()
        text += '\n## Tutorials\n\n<div style="display:flex;flex-wrap:wrap;gap:16px">\n' + "\n".join(map(thumbnail, tutorials)) + "\n</div>\n"
    (PAGES / "index.md").write_text(text, encoding="utf-8")


def write_lists(wings: dict[str, list[Path]]) -> None:
    "Pages that list the model cards and the modules of the API."
    cards = "\n".join(f"- [{title_of(path)}]({path.name})" for path in wings["cards"])
    (PAGES / "cmd_emulator" / "pretrained" / "index.md").write_text(f"# Model cards\n\n{cards}\n", encoding="utf-8")
    (PAGES / "api").mkdir()
    for name in modules():
        (PAGES / "api" / f"{name}.md").write_text(f"# {name}\n\n::: cmd_emulator.{name}\n    options:\n      show_root_heading: false\n", encoding="utf-8")


def modules() -> list[str]:
    "Modules in the order of their notebooks."
    found = [re.search(r"#\| *default_exp +(\w+)", path.read_text(encoding="utf-8")) for path in sorted((ROOT / "nbs").glob("[0-9]*.ipynb"))]
    return [match.group(1) for match in found if match]


def navigation(wings: dict[str, list[Path]]) -> list:
    "The site's table of contents."
    page = lambda path: {title_of(path): str(path.relative_to(ROOT))}
    by_wing = [{name: [page(path) for path in wings["notebooks"] if path.name.startswith(number) and not path.stem.endswith("_tests")]} for number, name in WINGS.items()]
    tutorials = [{"Tutorials": [page(path) for path in wings["tutorials"]]}] if wings["tutorials"] else []
    cards = [{"Model cards": ["cmd_emulator/pretrained/index.md", *map(page, wings["cards"])]}]
    experiments = {"Experiments": [page(path) for path in sorted(wings["experiments"], key=lambda path: path.name != "README.md")]}
    return [{"Home": "index.md"}, *tutorials, {"Notebooks": by_wing}, {"Documents": [*map(page, wings["documents"]), experiments, *cards]}, {"API": [{name: f"api/{name}.md"} for name in modules()]}]


class Links(HTMLParser):
    "Links and anchors of a page."

    def __init__(self, text: str):
        super().__init__()
        self.targets, self.anchors, self.foreign = [], set(), set(re.findall(r"https?://[\w./@*-]+\.js\b", text))  # scripts that a script would fetch, too
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(value)
                if re.match(r"(https?:)?//", value) and (tag not in ("a", "link") or dict(attrs).get("rel") in ("stylesheet", "preconnect", "preload", "icon")):
                    self.foreign.add(value)
            if name in ("id", "name") and value:
                self.anchors.add(value)


def broken_links() -> list[str]:
    "Links within the site that lead nowhere, and what a page would fetch from another host."
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html")}
    broken = []
    for path, links in pages.items():
        broken += [f"{path.relative_to(SITE)}: {target}, of another host" for target in links.foreign]
        for target in links.targets:
            address, anchor = urldefrag(target)
            if re.match(r"[a-z]+:|//|/", address):
                continue
            there = (path.parent / unquote(address).split("?")[0]).resolve() if address else path
            there = there / "index.html" if there.is_dir() else there
            if not there.exists() or anchor and there in pages and unquote(anchor) not in pages[there].anchors:
                broken.append(f"{path.relative_to(SITE)}: {target}")
    return sorted(set(broken))


def main() -> int:
    wings = gather()
    write_lists(wings)
    write_index(wings["tutorials"])
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8") + "nav: " + json.dumps(navigation(wings)) + "\n"
    written = ROOT / ".mkdocs_written.yml"
    written.write_text(config, encoding="utf-8")
    try:
        done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(written)], cwd=ROOT)
    finally:
        written.unlink()
    broken = broken_links() if done.returncode == 0 else []
    print(*(f"leads nowhere: {line}" for line in broken), sep="\n", end="\n" if broken else "")
    print(f"{len(list(SITE.rglob('*.html')))} pages in {SITE.relative_to(ROOT)}, {len(broken)} links that lead nowhere")
    return done.returncode or bool(broken)


if __name__ == "__main__":
    sys.exit(main())
