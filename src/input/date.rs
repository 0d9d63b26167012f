//! Dates in file names, as rotating programs write them.

/// Separators between the parts of a date.
const SEPARATORS: &[u8] = b"-_.:T ";

/// The name without its date (and dumpcap's count beside it), and the date's digits, which sort by time.
///
/// Understood are four digits of a year, two of month and day, and perhaps hour, minute, second and a fraction, with or
/// without separators: logrotate's `dateext`, nats-server's own rotation (`server/log.go`: `.2006.01.02.15.04.05.` and
/// nanoseconds), kubelet, lumberjack, tcpdump -G, dumpcap.
pub fn find_date(name: &str) -> Option<(String, String)> {
    let bytes = name.as_bytes();
    for start in 0..bytes.len() {
        let behind_digit = start > 0 && bytes[start - 1].is_ascii_digit();
        if behind_digit || !bytes[start].is_ascii_digit() {
            continue;
        }
        let Some((end, mut digits)) = date(bytes, start) else {
            continue;
        };
        let mut from = start;
        let mut to = end;
        // dumpcap: NAME_00001_DATE, and NAME_DATE_00001 with its nametimenum option.
        if let Some(count) = count_before(bytes, start) {
            from = count;
        } else if let Some(count_end) = count_after(bytes, end) {
            digits.push_str(&name[end + 1..count_end]);
            to = count_end;
        }
        if from > 0 && SEPARATORS.contains(&bytes[from - 1]) {
            from -= 1;
        }
        let without = format!("{}{}", &name[..from], &name[to..]);
        return Some((without, digits));
    }
    None
}

/// Where a date that begins at `start` ends, and its digits.
fn date(bytes: &[u8], start: usize) -> Option<(usize, String)> {
    let mut digits = String::new();
    let (mut at, year) = part(bytes, start, 4, false, &mut digits)?;
    if !(1990..2100).contains(&year) {
        return None;
    }
    let (next, month) = part(bytes, at, 2, true, &mut digits)?;
    at = next;
    let (next, day) = part(bytes, at, 2, true, &mut digits)?;
    at = next;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    for limit in [24, 60, 61] {
        let before = digits.len();
        match part(bytes, at, 2, true, &mut digits) {
            Some((next, value)) if value < limit => at = next,
            _ => {
                digits.truncate(before);
                return ends(bytes, at).then_some((at, digits));
            }
        }
    }
    // A fraction, or the zone's letter.
    if bytes.get(at) == Some(&b'.') {
        let fraction = bytes[at + 1..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if (3..=9).contains(&fraction) {
            digits.extend(bytes[at + 1..=at + fraction].iter().map(|&b| char::from(b)));
            at += fraction + 1;
        }
    }
    if bytes.get(at) == Some(&b'Z') {
        at += 1;
    }
    ends(bytes, at).then_some((at, digits))
}

/// A date is not the beginning of a longer number.
fn ends(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_digit)
}

fn part(
    bytes: &[u8],
    at: usize,
    width: usize,
    separated: bool,
    digits: &mut String,
) -> Option<(usize, u32)> {
    let skip = usize::from(separated && bytes.get(at).is_some_and(|b| SEPARATORS.contains(b)));
    let from = at + skip;
    let text = std::str::from_utf8(bytes.get(from..from + width)?).ok()?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.push_str(text);
    Some((from + width, text.parse().ok()?))
}

/// The start of `00001` in `_00001_DATE`.
fn count_before(bytes: &[u8], date: usize) -> Option<usize> {
    let end = date.checked_sub(1)?;
    let digits = bytes[..end]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let start = end - digits;
    let framed = bytes[end] == b'_' && start > 0 && bytes[start - 1] == b'_';
    (digits >= 5 && framed).then_some(start)
}

/// The end of `00001` in `DATE_00001`.
fn count_after(bytes: &[u8], date_end: usize) -> Option<usize> {
    let rest = bytes.get(date_end..)?.strip_prefix(b"_")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    (digits >= 5).then_some(date_end + 1 + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_names() {
        for (name, want) in [
            (
                "f.log.2026.11.23.00.11.37.449762641",
                Some(("f.log", "20261123001137449762641")),
            ),
            ("x.log-20261123", Some(("x.log", "20261123"))),
            ("x.log-2026112305", Some(("x.log", "2026112305"))),
            ("0.log.20261123-051118", Some(("0.log", "20261123051118"))),
            (
                "app-2026-11-23T05-11-18.123.log",
                Some(("app.log", "20261123051118123")),
            ),
            (
                "c-2026-11-23_05:11:18.pcap",
                Some(("c.pcap", "20261123051118")),
            ),
            (
                "c_00001_20261123051118.pcap",
                Some(("c.pcap", "20261123051118")),
            ),
            (
                "c_20261123051118_00012.pcap",
                Some(("c.pcap", "2026112305111800012")),
            ),
            ("20261123.log", Some((".log", "20261123"))),
            ("x.log.1", None),
            ("order-20269923.log", None),
            ("order-123456789012.log", None),
            ("v2026.1.log", None),
            ("2026", None),
            ("", None),
        ] {
            let got = find_date(name);
            let got = got.as_ref().map(|(n, d)| (n.as_str(), d.as_str()));
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn any_name_cut_anywhere() {
        let name = "c_00001_20261123051118.123456789Z_00001.größe";
        for end in (0..=name.len()).filter(|&i| name.is_char_boundary(i)) {
            if let Some((without, digits)) = find_date(&name[..end]) {
                assert!(without.len() + digits.len() <= end);
            }
        }
    }
}
