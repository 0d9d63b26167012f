//! What a capture says of itself, in words: drops, cuts, comments, interfaces.

use super::excerpt::visible;
use super::phrase::count;
use crate::attribute::finding::Analysis;
use crate::reconstruct::capture::CaptureFacts;
use crate::source::SourceId;

/// What is known of the capture that begins with `source`.
pub fn of(analysis: &Analysis, source: SourceId) -> Option<&CaptureFacts> {
    let captures = &analysis.records.captures;
    captures.iter().find(|facts| facts.source == source)
}

/// What makes a capture worth less than it looks: every reader should know.
pub fn warnings(facts: &CaptureFacts) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(dropped) = facts.dropped.filter(|&dropped| dropped > 0) {
        let packets = count(dropped as usize, "packet", "packets");
        said.push(format!("its system dropped {packets}"));
    }
    if facts.snapped {
        said.push("packets cut by the snap length".to_owned());
    }
    if facts.cut_short {
        said.push("ends inside a record".to_owned());
    }
    said
}

/// What else it says: interfaces with their filters and counts, comments, names, secrets.
pub fn remarks(facts: &CaptureFacts) -> Vec<String> {
    let notes = &facts.notes;
    let mut said = Vec::new();
    for interface in &notes.interfaces {
        let mut parts = Vec::new();
        if let Some(filter) = &interface.filter {
            parts.push(format!("filter \"{}\"", visible(filter)));
        }
        if let Some(received) = interface.received {
            parts.push(format!("{received} received"));
        }
        if let Some(dropped) = interface.dropped {
            parts.push(format!("{dropped} dropped"));
        }
        let name = interface.name.as_deref().unwrap_or("without a name");
        if !parts.is_empty() {
            said.push(format!("interface {}: {}", visible(name), parts.join(", ")));
        }
    }
    for (frame, comment) in &notes.comments {
        let place = match frame {
            0 => "comment".to_owned(),
            frame => format!("comment at #{frame}"),
        };
        said.push(format!("{place}: {}", visible(comment)));
    }
    for (address, name) in &notes.names {
        said.push(format!("{address} is named {}", visible(name)));
    }
    if !notes.tls_secrets.is_empty() {
        said.push("holds TLS secrets, which carved captures keep".to_owned());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::pcap::{InterfaceNotes, Notes};

    #[test]
    fn drops_and_cuts_are_warnings_and_the_rest_remarks() {
        let facts = CaptureFacts {
            dropped: Some(17),
            cut_short: true,
            notes: Box::new(Notes {
                interfaces: vec![
                    InterfaceNotes {
                        name: Some("eth0".into()),
                        filter: Some("tcp port 4222".into()),
                        received: Some(90),
                        dropped: Some(17),
                    },
                    InterfaceNotes::default(),
                ],
                comments: vec![(0, "switch\u{1b}[2J".into()), (7, "here".into())],
                names: vec![([10, 0, 0, 1].into(), "nats-1".into())],
                tls_secrets: vec![Box::from(&b"x"[..])],
            }),
            ..CaptureFacts::default()
        };
        assert_eq!(
            warnings(&facts),
            ["its system dropped 17 packets", "ends inside a record"]
        );
        let said = remarks(&facts);
        assert_eq!(
            said[0],
            "interface eth0: filter \"tcp port 4222\", 90 received, 17 dropped"
        );
        assert!(
            said[1].starts_with("comment: switch") && !said[1].contains('\u{1b}'),
            "{said:?}"
        );
        assert_eq!(
            said[2..],
            [
                "comment at #7: here",
                "10.0.0.1 is named nats-1",
                "holds TLS secrets, which carved captures keep"
            ]
        );
        assert!(warnings(&CaptureFacts::default()).is_empty());
    }
}
