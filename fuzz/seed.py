#!/usr/bin/env python3
"""Fills fuzz/corpus/TARGET from the fixtures: real captures, logs and whole incidents as first inputs.

    python3 fuzz/seed.py     then     cargo +nightly fuzz run TARGET
"""
import hashlib
from pathlib import Path

here = Path(__file__).parent
fixtures = here.parent / "fixtures"
NAMES = ["server.log", "client-a.log", "client.pcap", "server.pcap", "kern.log", "server.stderr", "connz.json", "nats.conf"]
LARGEST = 64 << 10  # a longer input teaches a fuzzer little and costs it much


def put(target, data):
    if data and len(data) <= 4 * LARGEST:
        folder = here / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def frames(capture):
    """Link type and packets of a classic little-endian capture."""
    word = lambda at: int.from_bytes(capture[at:at + 4], "little")
    if capture[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return
    at = 24
    while at + 16 <= len(capture):
        length = word(at + 8)
        yield word(20), capture[at + 16:at + 16 + length]
        at += 16 + length


LINKS = [0, 1, 9, 12, 50, 51, 101, 105, 108, 113, 127, 228, 276, 999]
for path in sorted(fixtures.rglob("*.pcap*")):
    data = path.read_bytes()
    for how in (2, 3):
        put("capture", bytes([how]) + data[:LARGEST])
    for link, frame in list(frames(data))[:6]:
        if link in LINKS:
            put("packet", bytes([LINKS.index(link)]) + frame)
    put("archive", data[:LARGEST])
logs = [p for kind in ("*.log", "*.stderr") for p in sorted(fixtures.rglob(kind))]
for path in logs:
    data = path.read_bytes()
    put("log", data[:4096])
    put("log", data[-4096:])
    for line in data.splitlines()[::40]:
        put("server_log", line[line.find(b"] - ") + 4:] if b"] - " in line else line)
for row in (fixtures / "facts/server-log-lines.tsv").read_text().splitlines()[1:]:
    put("server_log", row.split("\t")[0].encode())
for path in sorted(fixtures.rglob("*.json")):
    put("monitoring", b"\0" + path.read_bytes())
for path in sorted(fixtures.rglob("*.conf")):
    put("monitoring", b"\1" + path.read_bytes())
for case in sorted((fixtures / "incidents").iterdir()):
    bundle = b""
    for path in sorted(case.iterdir()) if case.is_dir() else []:
        ending = path.suffix
        name = {".stderr": "server.stderr", ".json": "connz.json", ".conf": "nats.conf"}.get(ending)
        if ending == ".pcap":
            name = "client.pcap" if path.name.startswith("client") else "server.pcap"
        elif ending == ".log":
            name = "client-a.log" if path.name.startswith("client") else "kern.log" if "kern" in path.name else "server.log"
        if name:
            data = path.read_bytes()[:20_000]
            bundle += bytes([NAMES.index(name)]) + len(data).to_bytes(2, "little") + data
    put("bundle", bundle)
