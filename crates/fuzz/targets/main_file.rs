//! The fuzz target [`fuzz::main_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::main_file(bytes));
