//! One line of a server's log through every layer of its grammar.
#![no_main]

use libfuzzer_sys::fuzz_target;
use natsleuth::parse::server_log::{
    client_prefix::client_prefix, glance::glance, line::line, message, stack,
};
use natsleuth::parse::{client_log, duration, host_log, timestamp};

fuzz_target!(|bytes: &[u8]| {
    let _ = glance(bytes);
    let _ = timestamp::timestamp(bytes);
    if let Some(seen) = line(bytes) {
        let _ = format!("{seen:?}");
    }
    let text = String::from_utf8_lossy(bytes);
    if let Some((tag, rest)) = client_prefix(&text) {
        let _ = format!("{tag:?} {:?}", message::conn(rest));
    }
    let _ = format!(
        "{:?} {:?}",
        message::server(&text),
        message::trace::trace(&text)
    );
    let _ = format!(
        "{:?} {:?} {:?}",
        stack::crash(&text),
        host_log::line(&text, None),
        host_log::victim(&text)
    );
    let _ = duration::go_duration(&text);
    let _ = format!("{:?}", client_log::of_trace(bytes));
});
