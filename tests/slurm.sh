#!/usr/bin/env bash
# A real single-node Slurm runs fixtures/batch/slurm-array.sh over 200 bundles: the output is what one process gives.
# usage: tests/slurm.sh BINARY     (as root, with slurmctld, slurmd and munge installed; it starts and stops its own)
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "$1")
folder=$(mktemp -d)
chmod 755 "$folder"
export SLURM_CONF=$folder/slurm.conf

stop() {
  status=$?
  [ $status = 0 ] || tail -n 20 "$folder"/*.log "$folder"/slurm-*.out 2>/dev/null || true
  for pid in "$folder"/*.pid; do
    [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
  done
  rm -rf "$folder"
  exit $status
}
trap stop EXIT

# 200 bundles: the incidents of the fixtures over and over, as folders and as archives by turns; and one that is broken.
mkdir "$folder/in" "$folder/bin"
ln -s "$binary" "$folder/bin/natsleuth"
incidents=(fixtures/incidents/*/)
for number in $(seq 0 199); do
  incident=${incidents[number % ${#incidents[@]}]}
  name=$(printf 'bundle-%03d' "$number")
  if [ $((number % 2)) = 0 ]; then
    cp -r "$incident" "$folder/in/$name"
  else
    tar -C "$incident" -czf "$folder/in/$name.tgz" .
  fi
done
mkdir "$folder/in/broken"
head -c 4096 /dev/zero >"$folder/in/broken/zeros.bin"

# Munge and Slurm of our own, on this host only.
host=$(hostname -s)
dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2>/dev/null
chmod 600 "$folder/munge.key"
/usr/sbin/munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
  --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
cat >"$SLURM_CONF" <<CONF
ClusterName=natsleuth
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4096 State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
/usr/sbin/slurmctld
/usr/sbin/slurmd

# The array, as its file is, but for sizes that fit this node.
PATH=$folder/bin:$PATH sbatch --wait --array=0-7 --cpus-per-task=1 --mem=0 --chdir="$folder" \
  fixtures/batch/slurm-array.sh "$folder/in" "$folder/out"

status=0
"$binary" batch "$folder/in" -o "$folder/alone" --no-progress 2>/dev/null || status=$?
[ $status = 65 ] || { echo "one process: exit status $status, and 65 was expected: a bundle is broken"; exit 1; }
diff -r "$folder/out" "$folder/alone"
tasks=$(ls "$folder"/slurm-*.out | wc -l)
records=$(ls "$folder/out/manifest" | wc -l)
rows=$(ls "$folder"/out/data/closes/*/*.parquet | wc -l)
[ "$tasks" = 8 ] && [ "$records" = 201 ] || { echo "$tasks tasks, $records records"; exit 1; }
echo "201 bundles, 8 Slurm tasks, $rows files of closes: the same as one process gives"
