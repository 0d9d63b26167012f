//! Values of flags: from the words of the command line to what the library takes, with errors that show the right form.

use anyhow::{Context, bail, ensure};
use globset::{Glob, GlobMatcher};
use natsleuth::attribute::catalogue::{self, CATALOGUE};
use natsleuth::attribute::finding::Close;
use natsleuth::report::explain::distance;

/// `--ports`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Ports to follow.
    pub ports: Vec<u16>,
    /// `auto` was among them.
    pub auto: bool,
}

/// `4222,6222`, `auto`, or both.
pub fn ports(text: &str) -> anyhow::Result<Ports> {
    let mut found = Ports {
        ports: Vec::new(),
        auto: false,
    };
    for port in text.split(',').map(str::trim) {
        if port == "auto" {
            found.auto = true;
        } else if let Some(port) = port.parse().ok().filter(|port| *port > 0) {
            found.ports.push(port);
        } else {
            bail!("{port:?} is no port; give them as 4222,6222 or auto");
        }
    }
    Ok(found)
}

/// `SOURCE=ZONE`: a path or glob, and seconds east of UTC.
pub fn zone_of_source(pair: &str) -> anyhow::Result<(String, i32)> {
    let (source, zone) = split(pair, "SOURCE=ZONE, such as client.log=+05:30")?;
    Ok((source, zone_seconds(zone)?))
}

/// `SOURCE=OFFSET`: a path or glob, and nanoseconds to add.
pub fn clock_of_source(pair: &str) -> anyhow::Result<(String, i64)> {
    let (source, offset) = split(pair, "SOURCE=OFFSET, such as client.log=+1.5s")?;
    Ok((source, offset_ns(offset)?))
}

fn split<'a>(pair: &'a str, form: &str) -> anyhow::Result<(String, &'a str)> {
    match pair.rsplit_once('=') {
        Some((source, value)) if !source.is_empty() => Ok((source.to_owned(), value)),
        _ => bail!("expected {form}"),
    }
}

/// `Z`, `UTC`, `+05:30`, `-8`, `+0530` in seconds east of UTC.
fn zone_seconds(zone: &str) -> anyhow::Result<i32> {
    if matches!(zone, "Z" | "z" | "UTC" | "utc") {
        return Ok(0);
    }
    let (sign, digits) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => (1, zone),
    };
    let digits = digits.replace(':', "");
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(
        plain,
        "{zone:?} is no zone; give it as +05:30, -8 or Z (names such as Europe/Berlin change with the seasons)"
    );
    let number: i32 = digits.parse().context("digits")?;
    let (hours, minutes) = if digits.len() <= 2 {
        (number, 0)
    } else {
        (number / 100, number % 100)
    };
    ensure!(
        hours <= 14 && minutes <= 59,
        "{zone:?} is no zone: hours go to 14, minutes to 59"
    );
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// `+1.5s`, `-200ms`, `3` (seconds) in nanoseconds.
fn offset_ns(offset: &str) -> anyhow::Result<i64> {
    let (number, unit) = ["ms", "us", "ns", "m", "h", "s"]
        .iter()
        .find_map(|unit| Some((offset.strip_suffix(unit)?, *unit)))
        .unwrap_or((offset, "s"));
    let value: Option<f64> = number.parse().ok().filter(|value: &f64| value.is_finite());
    let value =
        value.with_context(|| format!("{offset:?} is no offset; give it as +1.5s or -200ms"))?;
    let scale = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "m" => 60e9,
        "h" => 3600e9,
        _ => 1e9,
    };
    Ok((value * scale).round() as i64)
}

/// RFC 3339 to nanoseconds since the epoch.
pub fn instant(text: &str) -> anyhow::Result<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| anyhow::anyhow!("no RFC 3339 time such as 2026-11-23T05:18:30Z"))?;
    time.timestamp_nanos_opt()
        .context("out of range: years go from 1678 to 2261")
}

/// A glob over names and addresses; `*` also takes `/`, as names may hold one.
pub fn glob(text: &str) -> anyhow::Result<GlobMatcher> {
    Ok(Glob::new(text)?.compile_matcher())
}

/// A number of bytes: `1048576`, `512M`, `4GiB`. Units are powers of 1024.
pub fn bytes(text: &str) -> anyhow::Result<u64> {
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => bail!("{unit:?} is no unit; give it as 512M or 4G"),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| anyhow::anyhow!("no number of bytes such as 512M"))?;
    number.checked_mul(1 << shift).context("too large")
}

/// A cause, a detail, or both: what `--cause` and `--fail-on` take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    cause: Option<String>,
    detail: Option<String>,
}

impl Selector {
    /// Whether it names a close's verdict.
    pub fn holds(&self, close: &Close) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        same(&self.cause, close.cause) && same(&self.detail, close.detail)
    }
}

/// `network`, `network/idle-timeout` or `idle-timeout`.
pub fn cause(text: &str) -> anyhow::Result<Selector> {
    let wanted = text.trim().to_ascii_lowercase().replace('_', "-");
    let (cause, detail) = match wanted.split_once('/') {
        Some((cause, detail)) if catalogue::find(cause, detail).is_some() => {
            (Some(cause.to_owned()), Some(detail.to_owned()))
        }
        None if CATALOGUE.iter().any(|entry| entry.cause == wanted) => (Some(wanted), None),
        None if !wanted.is_empty() && CATALOGUE.iter().any(|entry| entry.detail == wanted) => {
            (None, Some(wanted))
        }
        _ => {
            let names = CATALOGUE.iter().flat_map(|entry| {
                let name = entry.name();
                [
                    (distance(&wanted, entry.cause), entry.cause.to_owned()),
                    (distance(&wanted, entry.detail), name.clone()),
                    (distance(&wanted, &name), name),
                ]
            });
            let near = names.min().map_or_else(String::new, |(_, name)| name);
            bail!("no such cause; did you mean {near}? `natsleuth explain` lists them");
        }
    };
    Ok(Selector { cause, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_hours_and_minutes() {
        for (text, seconds) in [
            ("+05:30", 19800),
            ("+0530", 19800),
            ("-8", -28800),
            ("-03:30", -12600),
            ("2", 7200),
            ("Z", 0),
            ("UTC", 0),
        ] {
            assert_eq!(zone_seconds(text).unwrap(), seconds, "{text}");
        }
        for text in ["Mars", "", "+", "+15", "+05:60", "--3", "+é", "+12345"] {
            assert!(zone_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn offsets_have_signs_and_units() {
        for (text, ns) in [
            ("+1.5s", 1_500_000_000),
            ("-200ms", -200_000_000),
            ("3", 3_000_000_000),
            ("-1h", -3_600_000_000_000),
            ("2m", 120_000_000_000),
            ("7us", 7000),
            ("-1ns", -1),
        ] {
            assert_eq!(offset_ns(text).unwrap(), ns, "{text}");
        }
        for text in ["", "s", "1.5x", "nan", "inf", "1,5s"] {
            assert!(offset_ns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_source_may_hold_an_equals_sign() {
        let (source, zone) = zone_of_source("date=2026-11-23/nats.log=+1").unwrap();
        assert_eq!((source.as_str(), zone), ("date=2026-11-23/nats.log", 3600));
        assert!(zone_of_source("nats.log").is_err() && clock_of_source("=+1s").is_err());
    }

    #[test]
    fn ports_and_auto() {
        let found = ports("4222, auto,6222").unwrap();
        assert_eq!((found.ports, found.auto), (vec![4222, 6222], true));
        for text in ["", "0", "70000", "nats", "4222,"] {
            assert!(ports(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_have_units() {
        for (text, count) in [
            ("10", 10),
            ("2k", 2048),
            ("4GiB", 4 << 30),
            ("1 M", 1 << 20),
        ] {
            assert_eq!(bytes(text).unwrap(), count, "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "3X", "99999999999T"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn causes_are_those_of_the_catalogue() {
        let close = |cause, detail| Close {
            cause,
            detail,
            ..Close::default()
        };
        let idle = close("network", "idle-timeout");
        for text in [
            "network",
            "network/idle-timeout",
            "idle-timeout",
            "Network/IDLE_timeout",
        ] {
            assert!(cause(text).unwrap().holds(&idle), "{text}");
            assert!(
                !cause(text).unwrap().holds(&close("operator", "kicked")),
                "{text}"
            );
        }
        assert!(!cause("network/reset").unwrap().holds(&idle));
        let unknown = close("unexplained", "no-server-log");
        assert!(cause("unexplained/no-server-log").unwrap().holds(&unknown));
        for (text, near) in [
            ("netwrok", "network"),
            ("network/idle-timout", "network/idle-timeout"),
            ("oomkill", "overload/oom-kill"),
        ] {
            let error = cause(text).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean {near}?")), "{error}");
        }
        assert!(cause("").is_err() && cause("/").is_err());
    }
}
