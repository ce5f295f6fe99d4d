//! The reader is the program's own, which is no library: its modules are taken in as they are.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the program uses more of its modules than their reader of settings"
)]

#[path = "../../src/bin/rumor/args/mod.rs"]
mod args;
#[path = "../../src/bin/rumor/config/mod.rs"]
mod config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| config::property::config(data));
