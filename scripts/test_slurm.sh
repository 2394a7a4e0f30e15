#!/usr/bin/env bash
# Tests scripts/slurm_sweep.sbatch, and training on several ranks with srun. Starts a Slurm cluster of one node in a
# temporary directory. Exits with 77 (skipped) if Slurm (Debian: slurm-wlm, munge) is missing, if the script does not run
# as root, which slurmd requires, or if the system does not permit something that Slurm needs to start.
#   test_slurm.sh SLOPEGAN
set -euo pipefail
cd "$(dirname "$0")/.."
slopegan=$(realpath "$1")
skip() { echo "skipped: $*" >&2; exit 77; }
PATH=$PATH:/usr/sbin
for program in munged slurmctld slurmd sbatch srun scontrol; do
  command -v "$program" >/dev/null || skip "$program is not installed; SLOPEGAN_SLURM=1 scripts/setup.sh installs it"
done
((EUID == 0)) || skip "slurmd needs root"

dir=$(mktemp -d)
daemons=()
stop() {
  local daemon
  for daemon in "${daemons[@]}"; do kill "$daemon" 2>/dev/null || true; done
  for daemon in "${daemons[@]}"; do wait "$daemon" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap stop EXIT
fail() { echo "failed: $*" >&2; tail -n 15 "$dir"/*.log >&2; exit 1; }
free_ports() {   # prints two ports, which differ because both sockets are open at the same time
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("", 0))
print(*(s.getsockname()[1] for s in sockets))'
}
did_not_start() {
  local refusals='Operation not permitted|Permission denied|Read-only file system|Function not implemented'
  if grep -hE "$refusals" "$dir"/*.log >&2; then skip "the system does not permit Slurm to start"; fi
  fail "Slurm did not start: $1"
}

chmod 711 "$dir"   # munge's socket must be reachable
mkdir -m 755 "$dir/state" "$dir/spool"
(umask 077 && head -c 128 /dev/urandom >"$dir/munge.key")
read -r controller_port node_port < <(free_ports)
cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$(hostname) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP OverSubscribe=FORCE:8
CONF
export SLURM_CONF=$dir/slurm.conf
munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
  --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>"$dir/munged_errors.log" & daemons+=($!)
for ((i = 0; i < 50; ++i)); do [[ -S $dir/munge.socket ]] && break; sleep 0.1; done
slurmctld -D >"$dir/slurmctld.log" 2>&1 & daemons+=($!)
slurmd -D >"$dir/slurmd.log" 2>&1 & daemons+=($!)
is_idle() { sinfo --noheader --format=%T 2>/dev/null | grep -q '^idle'; }
for ((i = 0; i < 300; ++i)); do
  if is_idle; then break; fi
  for daemon in "${daemons[@]}"; do kill -0 "$daemon" 2>/dev/null || did_not_start "a daemon has ended"; done
  sleep 0.2
done
is_idle || did_not_start "the node is not idle after a minute"

# --- A sweep of six arms in three tasks --------------------------------------------------------------------------------
export SLOPEGAN=$slopegan
values=(run.output_dir="$dir/outputs" training.total_images=640 samples.every_images=320 training.threads=1
  training.precision=float32 sweep.seeds='[0, 1]' sweep.negative_slope='[0, 0.1, 0.2]')
submit() {
  timeout 180 sbatch --wait --cpus-per-task=1 --chdir="$PWD" --output="$dir/task-%a.log" "$@" \
    scripts/slurm_sweep.sbatch configs/smoke.yaml "${values[@]}" >"$dir/sbatch.log"
}
submit --array=1-3 || fail "the array job failed"
results=$dir/outputs/smoke/results.csv
[[ $(grep -c ',done,640,' "$results") == 6 ]] || fail "not all six arms are done: $(<"$results")"
before=$(stat -c %Y%n "$dir"/outputs/smoke/runs/*/run.json)
submit --array=1-2 || fail "the second array job failed"   # a different number of shards; all arms are already finished
[[ $before == $(stat -c %Y%n "$dir"/outputs/smoke/runs/*/run.json) ]] || fail "an arm was trained twice"
grep -qE '[0-9]+ of [0-9]+ arms needs? no more training' "$dir/task-1.log" || fail "the second array did not recognise the finished arms"

# --- Two ranks under srun; an ordinary run in a batch job with two tasks -----------------------------------------------
train=("$slopegan" train configs/smoke.yaml run.output_dir="$dir/outputs" training.total_images=640 training.threads=1)
timeout 120 srun --ntasks=2 --overcommit "${train[@]}" run.name=ranks >"$dir/srun.log" 2>&1 || fail "srun failed"
grep -q '2 ranks' "$dir/srun.log" || fail "the tasks of srun did not train together"
timeout 120 sbatch --wait --ntasks=2 --overcommit --output="$dir/batch.log" --wrap "$(printf '%q ' "${train[@]}" run.name=batch)" \
  >"$dir/sbatch.log" || fail "an ordinary run in a batch job with two tasks failed"
! grep -q 'ranks' "$dir/batch.log" || fail "the run in the batch script waited for other ranks"
echo "Slurm: six arms in three tasks, none trained twice; two ranks under srun; an ordinary run in a batch script"
