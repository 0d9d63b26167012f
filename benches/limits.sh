#!/usr/bin/env bash
# Runs natsleuth at its limits and prints what each takes, as a table: 150 000 connections, one connection of 20 GB, ten million log
# lines of one client, 5 000 files in a bundle, a bundle of broken files, and a capture ten times as large as another, from a pipe.
# usage: benches/limits.sh [FOLDER]     NATSLEUTH names another binary than target/release/natsleuth
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${NATSLEUTH:-target/release/natsleuth}
if [ $# -gt 0 ]; then
  folder=$1
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
[ -x "$binary" ] || cargo build --release --locked
cargo build -q --release --locked --examples
examples=target/release/examples

row() {
  local label=$1
  shift
  # Exit status 65 says that nothing could be analysed, which broken files deserve.
  /usr/bin/time -f '%e %M' -o "$folder/time" "$binary" analyze "$@" --summary --no-progress >/dev/null 2>"$folder/stderr" ||
    [ "$(sed -n 's/.*status //p' "$folder/time" | head -1)" = 65 ] || { cat "$folder/stderr"; exit 1; }
  tail -1 "$folder/time" | awk -v label="$label" '{ printf "| %s | %.1f s | %.0f MiB |\n", label, $1, $2 / 1024 }'
}

echo "| input | wall | peak memory |"
echo "|---|---|---|"
"$examples/generate_capture" storm 307 >"$folder/storm.pcap" 2>/dev/null
row "150 000 connections (307 MB capture)" "$folder/storm.pcap"
rm "$folder/storm.pcap"
"$examples/generate_limits" connection 20 | row "one connection of 20 GB, headers only, from a pipe" -
"$examples/generate_capture" one 20000 2>/dev/null | row "one connection of 20 GB with every byte, from a pipe" -
"$examples/generate_limits" client-log 10000000 >"$folder/client.log"
row "10 000 000 lines of one client's log ($(($(stat -c %s "$folder/client.log") / 1000000)) MB)" "$folder/client.log"
rm "$folder/client.log"
"$examples/generate_limits" bundle 5000 "$folder/bundle"
row "5 000 logs of clients in a folder" "$folder/bundle"
"$examples/generate_limits" broken 5000 "$folder/broken"
row "5 000 broken files in a folder" "$folder/broken"
"$examples/generate_capture" busy 500 2>/dev/null | row "a busy capture of 500 MB, from a pipe" -
"$examples/generate_capture" busy 5000 2>/dev/null | row "a busy capture of 5 000 MB, from a pipe" -
