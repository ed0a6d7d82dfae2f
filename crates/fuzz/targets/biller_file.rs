//! The fuzz target [`fuzz::biller_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::biller_file(bytes));
