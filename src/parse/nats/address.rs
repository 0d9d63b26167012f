//! Subject and reply subject of a client protocol's message, from its control line.

use super::op::Verb;

/// Where a message goes, and where an answer to it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// Its subject.
    pub subject: &'a [u8],
    /// Its reply subject.
    pub reply: Option<&'a [u8]>,
}

/// Reads `PUB subj [reply] N`, `HPUB subj [reply] N N`, `MSG subj sid [reply] N`, `HMSG subj sid [reply] N N`; `None` for
/// other lines, and for the HMSG of servers among themselves where its arguments are of another number.
pub fn address(verb: Verb, line: &[u8]) -> Option<Address<'_>> {
    // Arguments before the reply subject, and sizes behind it.
    let (before, behind) = match verb {
        Verb::Pub => (1, 1),
        Verb::Hpub => (1, 2),
        Verb::Msg => (2, 1),
        Verb::Hmsg => (2, 2),
        _ => return None,
    };
    let mut words = [&line[..0]; 6];
    let (mut count, mut start) = (0, 0);
    let blanks = memchr::memchr2_iter(b' ', b'\t', line);
    for end in blanks.chain([line.len()]) {
        if end > start {
            *words.get_mut(count)? = &line[start..end];
            count += 1;
        }
        start = end + 1;
    }
    // The verb is a word too.
    let reply = match count.checked_sub(1 + before + behind)? {
        0 => None,
        1 => Some(words[1 + before]),
        _ => return None,
    };
    Some(Address {
        subject: words[1],
        reply,
    })
}

/// Libraries make up subjects of this form for answers, a new one for each request; JetStream's acknowledgements are
/// answers too.
pub fn is_inbox(subject: &[u8]) -> bool {
    [&b"_INBOX."[..], b"_R_.", b"$JS.ACK."]
        .iter()
        .any(|prefix| subject.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{Address, address};
    use crate::parse::nats::op::Verb;
    use crate::parse::nats::op::tests::SAMPLES;

    #[test]
    fn with_and_without_a_reply_subject() {
        for (line, verb, subject, reply) in [
            ("PUB a 5", Verb::Pub, "a", None),
            ("PUB a _INBOX.x 5", Verb::Pub, "a", Some("_INBOX.x")),
            ("hpub\ta\t12\t17", Verb::Hpub, "a", None),
            ("HPUB a re 12 17", Verb::Hpub, "a", Some("re")),
            ("MSG a 1 5", Verb::Msg, "a", None),
            ("MSG a 1  re 5 ", Verb::Msg, "a", Some("re")),
            ("HMSG a 1 12 17", Verb::Hmsg, "a", None),
            ("HMSG a 1 re 12 17", Verb::Hmsg, "a", Some("re")),
        ] {
            let is = Address {
                subject: subject.as_bytes(),
                reply: reply.map(str::as_bytes),
            };
            assert_eq!(address(verb, line.as_bytes()), Some(is), "{line}");
        }
    }

    #[test]
    fn lines_without_or_cut_at_every_byte() {
        for (line, verb, ..) in SAMPLES {
            let whole = address(*verb, line.as_bytes());
            let client = matches!(verb, Verb::Pub | Verb::Hpub | Verb::Msg | Verb::Hmsg);
            assert!(client || whole.is_none(), "{line}");
            for cut in 0..line.len() {
                address(*verb, &line.as_bytes()[..cut]);
            }
        }
        assert_eq!(address(Verb::Hmsg, b"HMSG $G a.b + re q1 q2 12 17"), None);
        assert_eq!(address(Verb::Pub, b"PUB a"), None);
    }
}
