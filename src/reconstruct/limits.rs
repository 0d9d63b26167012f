//! Limits and timers from whatever sets or shows them: reload lines (`Reloaded: max_payload = 8388608`), configuration
//! files, `/varz`.

use super::server::Limits;
use crate::parse::duration::go_duration;
use crate::parse::server_config::size;
use crate::span::LogRef;
use crate::time::SECOND;

/// Sets one option, if it is one that matters and its value can be read. Returns whether it did.
pub fn set(limits: &mut Limits, option: &str, value: &str, at: &LogRef) -> bool {
    let value = value.trim().trim_matches('"');
    let changed = match option {
        "max_connections" | "max_conn" => assign(&mut limits.max_connections, size(value)),
        "max_payload" => assign(&mut limits.max_payload, bytes(value)),
        "max_pending" => assign(&mut limits.max_pending, bytes(value)),
        "max_control_line" => assign(&mut limits.max_control_line, bytes(value)),
        "max_subscriptions" | "max_subs" => assign(&mut limits.max_subscriptions, size(value)),
        "ping_interval" => assign(&mut limits.ping_interval, duration(value)),
        "ping_max" => assign(&mut limits.ping_max, size(value)),
        "write_deadline" => assign(&mut limits.write_deadline, duration(value)),
        "authorization.timeout" | "auth_timeout" | "authorization timeout" => {
            assign(&mut limits.auth_timeout, duration(value))
        }
        "tls.timeout" | "tls_timeout" => assign(&mut limits.tls_timeout, duration(value)),
        "lame_duck_duration" => assign(&mut limits.lame_duck_duration, duration(value)),
        "lame_duck_grace_period" => assign(&mut limits.lame_duck_grace_period, duration(value)),
        "tls" => assign(&mut limits.tls, (value != "disabled").then_some(true)),
        _ => false,
    };
    if changed && limits.from.last() != Some(at) && limits.from.len() < FROM {
        limits.from.push(at.clone());
    }
    changed
}

/// How many places are kept to cite.
const FROM: usize = 32;

/// Takes from `other` what `limits` does not know.
pub fn fill(limits: &mut Limits, other: &Limits) {
    let before = limits.clone();
    keep(&mut limits.max_connections, other.max_connections);
    keep(&mut limits.max_payload, other.max_payload);
    keep(&mut limits.max_pending, other.max_pending);
    keep(&mut limits.max_control_line, other.max_control_line);
    keep(&mut limits.max_subscriptions, other.max_subscriptions);
    keep(&mut limits.ping_interval, other.ping_interval);
    keep(&mut limits.ping_max, other.ping_max);
    keep(&mut limits.write_deadline, other.write_deadline);
    keep(&mut limits.auth_timeout, other.auth_timeout);
    keep(&mut limits.tls_timeout, other.tls_timeout);
    keep(&mut limits.lame_duck_duration, other.lame_duck_duration);
    keep(
        &mut limits.lame_duck_grace_period,
        other.lame_duck_grace_period,
    );
    keep(&mut limits.tls, other.tls);
    if *limits != before {
        limits.from.extend(other.from.iter().cloned());
        limits.from.truncate(FROM);
    }
}

fn keep<T>(slot: &mut Option<T>, other: Option<T>) {
    if slot.is_none() {
        *slot = other;
    }
}

fn assign<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let some = value.is_some();
    if some {
        *slot = value;
    }
    some
}

fn bytes(value: &str) -> Option<u64> {
    size(value).and_then(|bytes| u64::try_from(bytes).ok())
}

/// A Go duration, or a bare number of seconds.
fn duration(value: &str) -> Option<i64> {
    match go_duration(value) {
        Some((ns, used)) if used == value.len() => Some(ns),
        _ => value
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.is_finite())
            .map(|seconds| (seconds * SECOND as f64) as i64),
    }
}
