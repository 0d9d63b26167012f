//! Any bytes as a capture: read with every option, then printed every way.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::capture(bytes));
