//! Stamps that lack a part: syslog's missing year is taken from dated stamps of the bundle; times since boot and times of
//! day without a date are dropped (the quoted text keeps them), so that no later stage compares what cannot be compared.

use chrono::{DateTime, Datelike};

use super::log::LogResult;
use super::server::ServerEvent;
use crate::span::LogRef;
use crate::time::{Basis, SECOND, Stamp};

/// A day, in nanoseconds.
const DAY: i64 = 86_400 * SECOND;

/// Completes or drops partial stamps in all parts.
pub fn resolve(parts: &mut [LogResult]) {
    let mut dated: Vec<i64> = Vec::new();
    for part in parts.iter_mut() {
        each_ref(part, &mut |at| {
            // One line may carry both: that settles it by itself.
            if let (Some(inner), Some(outer)) = (at.stamp, at.outer)
                && outer.basis == Basis::YearLess
                && whole(inner)
            {
                at.outer = Some(with_year(outer, inner.ns));
            }
            dated.extend(
                [at.stamp, at.outer]
                    .into_iter()
                    .flatten()
                    .filter(|stamp| whole(*stamp))
                    .map(|stamp| stamp.ns),
            );
        });
    }
    dated.sort_unstable();
    let reference = dated.get(dated.len() / 2).copied();
    for part in parts.iter_mut() {
        each_ref(part, &mut |at| {
            at.stamp = at.stamp.and_then(|stamp| complete(stamp, reference));
            at.outer = at.outer.and_then(|stamp| complete(stamp, reference));
        });
    }
}

fn whole(stamp: Stamp) -> bool {
    matches!(stamp.basis, Basis::Utc | Basis::Civil)
}

fn complete(stamp: Stamp, reference: Option<i64>) -> Option<Stamp> {
    match stamp.basis {
        Basis::Utc | Basis::Civil => Some(stamp),
        // Without any dated stamp only order within the source counts: the year of the basis will do.
        Basis::YearLess => Some(with_year(stamp, reference.unwrap_or(stamp.ns))),
        Basis::TimeOfDay | Basis::Boot => None,
    }
}

/// The year that brings a stamp nearest to a dated one.
fn with_year(stamp: Stamp, near: i64) -> Stamp {
    let year = DateTime::from_timestamp_nanos(near).year();
    let moved = (year - 1..=year + 1).filter_map(|year| {
        let date = DateTime::from_timestamp_nanos(stamp.ns).with_year(year)?;
        date.timestamp_nanos_opt()
    });
    let best = moved.min_by_key(|ns| (ns.saturating_sub(near).abs() / DAY, *ns));
    Stamp {
        ns: best.unwrap_or(stamp.ns),
        basis: Basis::Civil,
        digits: stamp.digits,
    }
}

/// Every reference to a line that servers and host events hold.
fn each_ref(part: &mut LogResult, each: &mut impl FnMut(&mut LogRef)) {
    let event = |event: &mut ServerEvent, each: &mut dyn FnMut(&mut LogRef)| {
        each(&mut event.at);
        if let Some(first) = &mut event.first {
            each(first);
        }
    };
    for host in &mut part.host_events {
        event(host, each);
    }
    for life in &mut part.servers {
        for at in [
            &mut life.started,
            &mut life.ready,
            &mut life.first,
            &mut life.last,
            &mut life.end.at,
            &mut life.end.lame_duck,
        ]
        .into_iter()
        .flatten()
        {
            each(at);
        }
        life.end.evidence.iter_mut().for_each(&mut *each);
        life.limits.from.iter_mut().for_each(&mut *each);
        for one in &mut life.events {
            event(one, each);
        }
        for conn in &mut life.conns {
            for at in [&mut conn.opened, &mut conn.closed, &mut conn.last]
                .into_iter()
                .flatten()
            {
                each(at);
            }
            for note in &mut conn.notes {
                each(&mut note.at);
            }
        }
    }
}
