#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rumormill_tokio::property::rpc_client(data));
