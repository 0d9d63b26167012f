"""Scores the release binary over the labelled incidents and holds every view against floor.json.

The floor only rises: per view a minimum for cause and detail (percent of faults) and a maximum for blamed (percent of benign closes).
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).parent
shared = Path(sys.argv[1])
floor = json.loads((here / "floor.json").read_text())
with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "score.json"
    command = [
        sys.executable, str(shared / "tools/score.py"), str(shared / "corpus"),
        "--cmd", "target/release/natsleuth analyze {} --format json --no-progress",
        "--views", ",".join(floor), "--json", str(out),
    ]
    subprocess.run(command, check=True)
    scores = json.loads(out.read_text())
below = []
for view, limits in floor.items():
    got = scores[view]
    if got.get("failed"):
        below.append(f"{view}: {got['failed']} cases without a report")
    percent = lambda part, whole: 100 * got.get(part, 0) / max(1, got.get(whole, 0))
    for part, limit in (("cause", limits["cause"]), ("detail", limits["detail"])):
        if percent(part, "fault") < limit:
            below.append(f"{view}: {part} {percent(part, 'fault'):.1f} %, floor {limit} %")
    if percent("blamed", "benign") > limits["blamed"]:
        below.append(f"{view}: blamed {percent('blamed', 'benign'):.1f} %, at most {limits['blamed']} %")
print("\n".join(below) or "the score holds its floor")
sys.exit(bool(below))
