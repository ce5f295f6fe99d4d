#!/usr/bin/env bash
# The Debian package of the program `rumor`: deb.sh [FOLDER [VERSION]] builds it into FOLDER (target/packages), as VERSION (that of Cargo.toml).
# Needs a Rust toolchain and Debian's dpkg-dev; cargo-deb is installed into target/tools unless CARGO_DEB names one.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-target/packages}
version=${2:-}
tool=${CARGO_DEB:-target/tools/bin/cargo-deb}

# Made once; it packs, and need not be fast.
if ! [ -x "$tool" ]; then
  cargo install --quiet --locked cargo-deb@3.8.0 --no-default-features --root target/tools --target-dir target/tools/build \
    --config profile.release.opt-level=1 --config profile.release.lto=false --config profile.release.codegen-units=16 \
    --config profile.release.debug=false
  rm -rf target/tools/build
fi

cargo build --release --quiet -p rumormill-tokio
rm -rf target/release/dist
target/release/rumor man target/release/dist/man
gzip -9n target/release/dist/man/*
for shell in bash zsh fish; do
  target/release/rumor completions "$shell" target/release/dist/completions
done
mkdir -p "$folder"
"$tool" deb --no-build --quiet --strip --package rumormill-tokio --output "$folder/" ${version:+--deb-version "$version"}
