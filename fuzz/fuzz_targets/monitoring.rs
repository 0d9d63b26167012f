//! Documents of monitoring endpoints, log exports and configurations.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::monitoring(bytes));
