//! Go durations (`2m0s`, `10s`, `1.5ms`), as nats-server and Go clients print and accept them.

/// Units, longest first where one starts with another.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86400e9),
];

/// The duration at the start of a text in nanoseconds, and the bytes it takes. `d` is nats-server's own (uptimes).
pub fn go_duration(text: &str) -> Option<(i64, usize)> {
    let negative = text.starts_with('-');
    let mut at = usize::from(negative);
    let mut total = 0.0_f64;
    let mut any = false;
    while let Some((value, used)) = component(&text[at..]) {
        total += value;
        at += used;
        any = true;
    }
    if !any && text.get(at..=at) == Some("0") {
        return Some((0, at + 1));
    }
    let ns = if negative { -total } else { total };
    any.then_some((ns.round() as i64, at))
}

/// A number with its unit.
fn component(text: &str) -> Option<(f64, usize)> {
    let digits = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'.')
        .count();
    let number: f64 = text[..digits].parse().ok()?;
    let rest = &text[digits..];
    let (unit, factor) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
    Some((number * factor, digits + unit.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_prints_them() {
        for (text, ns, used) in [
            ("2m0s", 120_000_000_000, 4),
            ("10s exceeded", 10_000_000_000, 3),
            ("1.5ms", 1_500_000, 5),
            ("4.352µs)", 4_352, 8),
            ("1h2m3.5s", 3_723_500_000_000, 8),
            ("1d2h", 93_600_000_000_000, 4),
            ("0s", 0, 2),
            ("0", 0, 1),
            ("-3s", -3_000_000_000, 3),
        ] {
            assert_eq!(go_duration(text), Some((ns, used)), "{text}");
        }
        for text in ["", "s", "x", "12", "1.2.3s", "-"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }
}
