//! One frame of any link type to its layers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use natsleuth::parse::packet::packet;

/// Link types that are decoded, and one that is not.
const LINKS: [u32; 14] = [0, 1, 9, 12, 50, 51, 101, 105, 108, 113, 127, 228, 276, 999];

fuzz_target!(|bytes: &[u8]| {
    let Some((&link, frame)) = bytes.split_first() else {
        return;
    };
    let _ = format!(
        "{:?}",
        packet(LINKS[usize::from(link) % LINKS.len()], frame)
    );
});
