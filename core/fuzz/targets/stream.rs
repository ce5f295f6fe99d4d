#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rumormill_core_fuzz::stream::check(data));
