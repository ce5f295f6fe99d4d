#!/usr/bin/env bash
# Runs every command of the operator's page: page.sh OLD.deb NEW.deb: two versions of the package, the
# second one higher. How is said at the top of the page.
source "$(dirname "$0")/machine.sh"

old=$(realpath "$1") new=$(realpath "$2")
page=$(realpath "$(dirname "$0")/../../docs/operating.md")
sources=$(realpath "$(dirname "$0")/../../..")
hosts=(web1 web2 web3)
blocks=$machines/blocks
printed=$machines/printed
variables=$machines/variables
steps=0
: >"$printed"
: >"$variables"

# Cuts the page: files 001.run, 002.text and so on, whose first line says what they are, and where they stand.
cut_page() {
  mkdir "$blocks"
  awk -v folder="$blocks" '
    function open(kind, where) { file = sprintf("%s/%03d.%s", folder, ++count, kind); print where > file; print NR > file }
    function shut() { if (file) close(file); file = "" }
    file && /^(```|-->)$/ { shut(); next }
    file { print > file; next }
    /^```sh$/ { open("run", "web1"); next }
    /^```sh / { open("run", $2); next }
    /^```text$/ { open("text", ""); next }
    /^```/ { print "line " NR ": a block of an unknown kind: " $0 > "/dev/stderr"; exit 1 }
    /^<!-- test / { open("run", $3); next }
    /^<!-- set / { open("set", $3); sub(/^<!-- set [A-Z]*: /, ""); sub(/ -->$/, ""); print > file; shut() }
  ' "$page" || fail "the page cannot be cut"
}

# Runs a block on one machine, and notes what it prints.
run_on() {
  { cat "$variables"; tail -n +3 "$2"; } >"$machines/block"
  put "$1" "$machines/block" /run/block
  on "$1" bash -euo pipefail /run/block </dev/null >>"$printed" 2>&1 ||
    fail "the block at line $(sed -n 2p "$2") on $1: $(cat "$printed")"
}

# Whether the static program can be built: its target comes with rustup, from a place that not everybody reaches.
has_musl() {
  rustup target list --installed 2>/dev/null | grep --quiet --line-regexp x86_64-unknown-linux-musl ||
    rustup target add x86_64-unknown-linux-musl >/dev/null 2>&1
}

run() {
  local where host
  where=$(head -n 1 "$1")
  : >"$printed"
  case $where in
    source)
      if grep --quiet dist/static.sh "$1" && ! has_musl; then
        echo "line $(sed -n 2p "$1") was not run: rustup gives no x86_64-unknown-linux-musl here" >&2
        return
      fi
      (cd "$sources" && bash -euo pipefail -c "$(tail -n +3 "$1")" </dev/null) >>"$printed" 2>&1 || fail "line $(sed -n 2p "$1"): $(cat "$printed")"
      ;;
    all) for host in "${hosts[@]}"; do run_on "$host" "$1"; done ;;
    web[123]) run_on "$where" "$1" ;;
    *) fail "line $(sed -n 2p "$1"): a block for nobody: $where" ;;
  esac
  steps=$((steps + 1))
}

# Each line of a text was printed, whatever the blanks; "..." stands for anything.
was_printed() {
  local line pattern
  while IFS= read -r line; do
    pattern=$(sed -e 's/[][\\.*^$]/\\&/g' -e 's/\\\.\\\.\\\./.*/g' -e 's/^ *//' -e 's/  */ */g' <<<"$line")
    sed 's/^[[:blank:]]*//' "$printed" | grep --quiet "^$pattern\$" ||
      fail "line $(sed -n 2p "$1"): \"$line\" was not printed, but: $(cat "$printed")"
  done < <(tail -n +3 "$1")
}

# A value that is the same on all machines.
set_variable() {
  local value
  value=$(on web1 bash -c "$(tail -n 1 "$1")")
  echo "export $(head -n 1 "$1" | tr -d :)='$value'" >>"$variables"
}

cut_page
hub_start
for number in 1 2 3; do
  machine_start "web$number" systemd "10.0.0.1$number/24"
  put "web$number" "$old" "/root/$(basename "$old")"
  on "web$number" mkdir /root/.next
  put "web$number" "$new" "/root/.next/$(basename "$new")"
done
for block in "$blocks"/*; do
  case $block in
    *.run) run "$block" ;;
    *.text) was_printed "$block" ;;
    *.set) set_variable "$block" ;;
  esac
done
[ "$steps" -gt 40 ] || fail "only $steps blocks were found"
echo "the operator's page: $steps blocks were run, and all held"
