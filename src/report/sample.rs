//! Sample analyses for the renderers' tests, modelled on recorded incidents: a server killed under its clients, a path that goes
//! silent, a full server, and one whose every string is hostile.

mod full;
mod hostile;
mod killed;
mod silent_path;
mod two_sided;

use std::net::SocketAddr;

use crate::align::clock::{Clock, Line, Stretch, When};
use crate::attribute::finding::{Evidence, SourceFacts};
use crate::source::{Hints, Kind, Source, SourceId};
use crate::span::{Cite, LogRef};
use crate::time::{Bounds, Instant, SECOND, Stamp};

pub use full::full;
pub use hostile::hostile;
pub use killed::killed;
pub use silent_path::silent_path;
pub use two_sided::two_sided;

/// 2026-11-23T05:19:00Z.
const MINUTE: i64 = 1_795_411_140 * SECOND;
const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// Microseconds after the minute.
fn us(us: i64) -> i64 {
    MINUTE + us * 1_000
}

fn when(us_after: i64, digits: u8, spread_us: i64) -> When {
    let at = us(us_after);
    When {
        at: Instant(at),
        bounds: Bounds {
            low: at - spread_us * 1_000,
            high: at + spread_us * 1_000,
        },
        digits,
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address in a sample")
}

fn source(id: u32, path: &str, kind: Kind, bytes: u64) -> Source {
    Source {
        id: SourceId(id),
        path: path.to_owned(),
        kind,
        bytes,
        hints: Hints::default(),
    }
}

fn clock(id: u32, offset_us: i64, within_us: i64, anchors: usize) -> Clock {
    Clock {
        stretches: vec![Stretch {
            corners: [-within_us, within_us]
                .map(|us| Line {
                    offset: us as f64 * 1e3,
                    slope: 0.0,
                })
                .to_vec(),
            ..Stretch::exact(offset_us * 1_000)
        }],
        anchors,
        aligned: true,
        how: format!("{anchors} accepts and closes that the reference capture also saw"),
        ..Clock::own(SourceId(id))
    }
}

fn log(id: u32, line: u64, us_after: i64, digits: u8, text: &str) -> LogRef {
    LogRef {
        stamp: Some(Stamp::utc(us(us_after), digits)),
        outer: None,
        cite: Cite::line(SourceId(id), line),
        text: text.into(),
    }
}

fn says(cite: Cite, at: When, text: &str) -> Evidence {
    Evidence {
        cite,
        at: Some(at),
        says: text.to_owned(),
        supports: true,
    }
}

fn against(evidence: Evidence) -> Evidence {
    Evidence {
        supports: false,
        ..evidence
    }
}

fn facts(records: u64) -> SourceFacts {
    SourceFacts {
        records,
        ..SourceFacts::default()
    }
}
