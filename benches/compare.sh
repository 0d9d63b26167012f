#!/usr/bin/env bash
# Compares natsleuth with tcptrace, tshark, ripgrep, lnav and wc on generated inputs, all in one run, and prints the README's table.
# usage: benches/compare.sh [FOLDER]     inputs are made in FOLDER (a temporary one by default) where they are missing
# NATSLEUTH names another binary than target/release/natsleuth; RUNS how often each command is run (3), the middle one counts.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-3}
binary=${NATSLEUTH:-target/release/natsleuth}
if [ $# -gt 0 ]; then
  folder=$1
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
if [ ! -x /usr/bin/time ]; then
  echo "GNU time (/usr/bin/time) is not here: nothing can be measured" >&2
  exit 1
fi
[ -x "$binary" ] || cargo build --release --locked

make_input() {
  local file=$1 example=$2
  shift 2
  [ -s "$folder/$file" ] || cargo run -q --release --locked --example "$example" -- "$@" >"$folder/$file"
}
make_input a.pcap generate_capture busy 500
make_input b.pcap generate_capture storm 300
make_input b.log generate_capture log 300
make_input feed.pcap generate_capture feed 500
make_input dv.log trace_log 500

# One row: wall and user seconds of the middle run, and its peak memory.
row() {
  local label=$1
  shift
  if ! command -v "$1" >/dev/null; then
    echo "| \`$label\` | $1 is not installed | | |"
    return
  fi
  local run times
  times=$(for ((run = 0; run < runs; run++)); do
    /usr/bin/time -f '%e %U %M' -o "$folder/time" "$@" >/dev/null 2>&1 || true
    tail -1 "$folder/time"
  done | sort -n | sed -n "$(((runs + 1) / 2))p")
  echo "$times" | awk -v label="$label" '{ printf "| `%s` | %.2f s | %.2f s | %.0f MiB |\n", label, $1, $2, $3 / 1024 }'
}

echo "| command | wall | user | peak memory |"
echo "|---|---|---|---|"
for file in a.pcap b.pcap; do
  for threads in 1 2; do
    row "natsleuth analyze $file --summary --threads $threads" "$binary" analyze "$folder/$file" --summary --no-progress --threads $threads
    row "natsleuth conns $file --threads $threads" "$binary" conns "$folder/$file" --no-progress --threads $threads
  done
  row "tcptrace -n $file" tcptrace -n "$folder/$file"
  row "tshark -q -z conv,tcp -r $file" tshark -q -z conv,tcp -r "$folder/$file"
done
for threads in 1 2; do
  row "natsleuth analyze b.pcap b.log --summary --threads $threads" "$binary" analyze "$folder/b.pcap" "$folder/b.log" --summary --no-progress --threads $threads
done
for command in conns sessions; do
  row "natsleuth $command feed.pcap --threads 1" "$binary" "$command" "$folder/feed.pcap" --no-progress --threads 1
done
row "natsleuth analyze dv.log --summary" "$binary" analyze "$folder/dv.log" --summary --no-progress
row "wc -l dv.log" wc -l "$folder/dv.log"
row "rg -c closed dv.log" rg -c closed "$folder/dv.log"
row "lnav -n -c ':filter-in closed' dv.log" lnav -n -c ':filter-in closed' "$folder/dv.log"
