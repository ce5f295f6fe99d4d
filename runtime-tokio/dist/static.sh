#!/usr/bin/env bash
# `rumor` as one file that needs no library: target/x86_64-unknown-linux-musl/release/rumor, by musl. Needs a Rust toolchain by rustup.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=x86_64-unknown-linux-musl
rustup --quiet target add "$target" 2>/dev/null || rustup target add "$target"
cargo build --release --quiet -p rumormill-tokio --bin rumor --target "$target"
program=target/$target/release/rumor
strip "$program"
# Whoever copies it must be able to rely on that.
if readelf --program-headers "$program" | grep --quiet INTERP || readelf --dynamic "$program" | grep --quiet NEEDED; then
  echo "$program needs libraries" >&2
  exit 1
fi
"$program" version
echo "$program: static, $(stat --format %s "$program") bytes"
