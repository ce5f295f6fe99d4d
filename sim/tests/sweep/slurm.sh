#!/usr/bin/env bash
# A sweep as a real Slurm array on this machine: controller and daemon of Debian's packages, with a configuration of their own in a temporary
# folder, run an array of 8 tasks; the answer has the same bytes as that of one process.
#
# Needs root and Debian's slurm-wlm and munge. Touches nothing outside its folder, and ends what it started. Usage: slurm.sh RUMOR_SIM
set -euo pipefail

sim=$(realpath "${1:?usage: slurm.sh RUMOR_SIM}")
cd "$(dirname "$0")/../../.."
for tool in munged slurmctld slurmd sbatch; do
  if ! PATH=$PATH:/usr/sbin command -v $tool >/dev/null; then
    echo "$tool is not there (Debian: apt-get install slurm-wlm munge)" >&2
    exit 1
  fi
done
[ "$(id -u)" = 0 ] || { echo "needs root: slurmd starts tasks as their users" >&2; exit 1; }
export PATH=$PATH:/usr/sbin
dir=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
# munged wants its way to be closed to others' writes, and its clients want to walk it.
chmod 755 "$dir"
mkdir -m 755 "$dir/munge" "$dir/state" "$dir/spool" "$dir/log"

dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
chmod 600 "$dir/munge/key"
munged --foreground --force --key-file "$dir/munge/key" --socket "$dir/munge/socket" --pid-file "$dir/munge/pid" \
  --seed-file "$dir/munge/seed" --log-file "$dir/log/munged" >"$dir/log/munged.out" 2>&1 &
started+=($!)

host=$(hostname -s)
cat >"$dir/slurm.conf" <<CONF
ClusterName=rumor
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
# No limits are asked of control groups; releases before 23.11 cannot be told to leave them alone, but do not look for those of v1 either.
case $(slurmd -V) in
  *" 2"[0-2].* | *" 23.0"*) echo "CgroupPlugin=cgroup/v1" ;;
  *) echo "CgroupPlugin=disabled" ;;
esac >"$dir/cgroup.conf"
export SLURM_CONF=$dir/slurm.conf

for _ in $(seq 100); do [ -S "$dir/munge/socket" ] && break; sleep 0.1; done
slurmctld -D >"$dir/log/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D >"$dir/log/slurmd.out" 2>&1 &
started+=($!)
is_idle() { sinfo --noheader --format %T 2>/dev/null | grep -qx idle; }
for _ in $(seq 100); do is_idle && break; sleep 0.3; done
is_idle || { tail -n 20 "$dir"/log/*; exit 1; }
sinfo

"$sim" sweep plan scenarios/lan-1000.toml --set cluster.nodes=20 --set duration=60s --set 'fault[0].nodes={ pick = 2 }' \
  --vary cluster.config.suspicion_mult=2,4,6 --vary cluster.config.gossip_nodes=2..4 --seeds 6 --out "$dir/plan.json"
timeout 120 sbatch --wait --array=1-8 --ntasks=1 --output="$dir/log/task-%a" \
  --wrap "$sim sweep run $dir/plan.json --out $dir/cells --jobs 1 --quiet" || { tail -n 20 "$dir"/log/*; exit 1; }
cat "$dir"/log/task-* | grep '^share' | sed "s|$dir|DIR|g"
"$sim" sweep merge "$dir/plan.json" "$dir/cells" --out "$dir/answer" >"$dir/text"

# The same in one process, which is no task of an array.
"$sim" sweep run "$dir/plan.json" --out "$dir/cells-1" --quiet >/dev/null
"$sim" sweep merge "$dir/plan.json" "$dir/cells-1" --out "$dir/answer-1" >"$dir/text-1"
diff -r "$dir/answer" "$dir/answer-1"
echo "$(sinfo --version): an array of 8 tasks and one process: the same bytes"
