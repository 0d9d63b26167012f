//! Limits and timers from reload lines: `Reloaded: max_payload = 8388608` (server/reload.go).

use super::server::Limits;
use crate::parse::duration::go_duration;
use crate::span::LogRef;

/// Sets one option as a reload line prints it. Unknown options and unreadable values change nothing.
pub fn set(limits: &mut Limits, option: &str, value: &str, at: &LogRef) {
    let value = value.trim().trim_matches('"');
    let number = value.parse::<i64>().ok();
    let duration = go_duration(value)
        .filter(|(_, used)| *used == value.len())
        .map(|(ns, _)| ns);
    let seconds = || duration.or_else(|| value.parse::<f64>().ok().map(|s| (s * 1e9) as i64));
    let changed = match option {
        "max_connections" => assign(&mut limits.max_connections, number),
        "max_payload" => assign(&mut limits.max_payload, number.map(|n| n.max(0) as u64)),
        "max_pending" => assign(&mut limits.max_pending, number.map(|n| n.max(0) as u64)),
        "max_control_line" => assign(
            &mut limits.max_control_line,
            number.map(|n| n.max(0) as u64),
        ),
        "max_subscriptions" => assign(&mut limits.max_subscriptions, number),
        "ping_interval" => assign(&mut limits.ping_interval, duration),
        "ping_max" => assign(&mut limits.ping_max, number),
        "write_deadline" => assign(&mut limits.write_deadline, duration),
        "auth_timeout" | "authorization timeout" => assign(&mut limits.auth_timeout, seconds()),
        "lame_duck_duration" => assign(&mut limits.lame_duck_duration, duration),
        "lame_duck_grace_period" => assign(&mut limits.lame_duck_grace_period, duration),
        _ => false,
    };
    if changed {
        limits.from.push(at.clone());
    }
}

fn assign<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let some = value.is_some();
    if some {
        *slot = value;
    }
    some
}
