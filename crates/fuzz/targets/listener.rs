//! The fuzz target [`fuzz::listener`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::listener(bytes));
