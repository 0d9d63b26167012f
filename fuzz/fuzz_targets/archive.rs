//! Any bytes as a file of a bundle: found out, unpacked within its limits, read.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::archive(bytes));
