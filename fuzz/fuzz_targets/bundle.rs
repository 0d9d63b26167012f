//! A small bundle of any files, analysed and reported in every format.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
        // One thread: a finding must repeat, and a run must be short.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    }, |bytes: &[u8]| natsleuth_fuzz::bundle(bytes));
