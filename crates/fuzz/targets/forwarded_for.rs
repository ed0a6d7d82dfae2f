//! The fuzz target [`fuzz::forwarded_for`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::forwarded_for(bytes));
