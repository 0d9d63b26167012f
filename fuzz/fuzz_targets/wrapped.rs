//! A line in one or several wrappers: what comes out is what went in.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use natsleuth::parse::wrapper::Unwrapper;
use natsleuth::source::SourceId;

#[derive(Arbitrary, Debug)]
struct Case {
    text: String,
    wrappers: Vec<Wrapper>,
    noise: Vec<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wrapper {
    Docker,
    Cri,
    Kubectl,
    Syslog,
    Compose,
}

fn wrap(line: &str, wrapper: Wrapper) -> String {
    match wrapper {
        Wrapper::Docker => serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-03-01T10:00:00.123456789Z"}).to_string(),
        Wrapper::Cri => format!("2026-03-01T10:00:00.123456789Z stderr F {line}"),
        Wrapper::Kubectl => format!("2026-03-01T10:00:00.123456789Z {line}"),
        Wrapper::Syslog => format!("<30>Mar  1 10:00:00 host nats-server[7]: {line}"),
        Wrapper::Compose => format!("nats-1  | {line}"),
    }
}

fuzz_target!(|case: Case| {
    let text: String = case.text.chars().filter(|c| !c.is_control()).collect();
    let line = format!(
        "[7] 2026/03/01 10:00:00.123456 [INF] Server is ready {}",
        text.trim()
    );
    let mut wrapped = line.clone();
    for wrapper in case.wrappers.iter().take(2) {
        wrapped = wrap(&wrapped, *wrapper);
    }
    let mut unwrapper = Unwrapper::new(SourceId(0));
    let mut got = Vec::new();
    unwrapper.line(1, wrapped.as_bytes(), |line, _| {
        got.push(line.body.to_vec())
    });
    unwrapper.finish(|line, _| got.push(line.body.to_vec()));
    assert_eq!(got, [line.as_bytes().to_vec()], "{wrapped}");
    // And whatever follows does no harm.
    for (number, raw) in case.noise.split(|byte| *byte == b'\n').enumerate() {
        unwrapper.line(number as u64 + 2, raw, |_, _| {});
    }
    unwrapper.finish(|_, _| {});
});
