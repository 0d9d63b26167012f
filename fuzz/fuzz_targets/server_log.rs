//! One line of a server's log through every layer of its grammar.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| natsleuth_fuzz::server_log(bytes));
