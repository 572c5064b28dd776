"""Write docs/fidelity.md from docs/fidelity/*.json, the blind exams of the packaged emulators.

Run: python docs/make_fidelity.py                      the page again, from what is there
     python docs/make_fidelity.py figures/x/metrics.json ...   first take over the exams of these reports (of `cmd_emulator evaluate`)
     python docs/make_fidelity.py --check              exit status 1 if the page is not what the files say
"""
import json
import sys
from pathlib import Path

from cmd_emulator.exam import fidelity_page

HERE = Path(__file__).resolve().parent


def take_over(path: Path) -> Path:
    "The exam of one metrics.json, in a file of its own."
    exam = json.loads(path.read_text(encoding="utf-8"))["exam"]
    if "about" not in exam:
        raise SystemExit(f"{path} holds no blind exam: {exam.get('skipped', 'it was left out')}")
    target = HERE / "fidelity" / f"{exam['about']['judged']}.json"
    target.parent.mkdir(exist_ok=True)
    text = json.dumps(exam, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")
    return target


def page() -> str:
    "The page that the committed files say."
    files = sorted((HERE / "fidelity").glob("*.json"))
    return fidelity_page({path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files})


def main(arguments: list[str]) -> int:
    target = HERE / "fidelity.md"
    if arguments == ["--check"]:
        same = target.is_file() and target.read_text(encoding="utf-8") == page()
        print(f"{target.name} {'is' if same else 'is NOT'} what docs/fidelity/*.json say" + ("" if same else ": run python docs/make_fidelity.py"))
        return not same
    for path in arguments:
        print(take_over(Path(path)))
    target.write_text(page(), encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
