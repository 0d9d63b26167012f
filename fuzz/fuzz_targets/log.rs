//! A whole text source, read at once and in small pieces: the same result, whatever stands in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::log(bytes));
