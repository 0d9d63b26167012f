//! One frame of any link type to its layers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::packet(bytes));
