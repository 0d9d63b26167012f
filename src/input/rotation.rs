//! Rotated pieces of one log or one capture, put in order.
//!
//! A piece is recognised by its name: the same name but for a number or a date that a rotating program adds. Pieces of
//! a capture are ordered by their first packets, since ring buffers reuse names; all others by the number or date.

use std::collections::BTreeMap;

use super::piece::Piece;
use crate::source::{Kind, Source, SourceId};

/// The pieces of one log or one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The path without what rotation added.
    pub name: String,
    /// Oldest first.
    pub members: Vec<SourceId>,
}

/// Groups all sources that are not `Unknown`, in the order of their first paths; `first_packets` are the times of
/// captures' first packets, by source.
pub fn groups(sources: &[Source], first_packets: &[Option<i128>]) -> Vec<Group> {
    let mut families: BTreeMap<(String, Kind), Vec<(Piece, SourceId)>> = BTreeMap::new();
    for source in sources.iter().filter(|s| s.kind != Kind::Unknown) {
        let piece = match source.kind {
            Kind::Capture => Piece::of_capture(&source.path),
            Kind::Log => Piece::of_log(&source.path),
            _ => Piece::whole(&source.path),
        };
        families
            .entry((piece.base.clone(), source.kind))
            .or_default()
            .push((piece, source.id));
    }
    let mut groups = Vec::new();
    for ((name, kind), mut members) in families {
        members.sort();
        if kind == Kind::Capture {
            if !is_one_capture(&members) {
                groups.extend(members.iter().map(|(_, id)| Group {
                    name: sources[id.0 as usize].path.clone(),
                    members: vec![*id],
                }));
                continue;
            }
            let time = |id: &SourceId| first_packets.get(id.0 as usize).copied().flatten();
            if members.iter().all(|(_, id)| time(id).is_some()) {
                members.sort_by_key(|(_, id)| time(id));
            }
        }
        groups.push(Group {
            name,
            members: members.into_iter().map(|(_, id)| id).collect(),
        });
    }
    groups.sort_by_key(|g| g.members.iter().min().copied());
    groups
}

/// Bare numbers (`cap00`, `cap01`: tcpdump -W) also tell hosts apart. They are taken for one capture only when they
/// count from zero without a gap and with the same width, as tcpdump writes them.
fn is_one_capture(members: &[(Piece, SourceId)]) -> bool {
    let bare: Vec<_> = members.iter().filter_map(|(p, _)| p.bare).collect();
    if bare.is_empty() {
        return true;
    }
    bare.len() == members.len()
        && bare
            .iter()
            .all(|b| b.width == bare[0].width && b.width >= 2)
        && bare.iter().zip(0..).all(|(b, n)| b.number == n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Hints;

    fn grouped(kind: Kind, names: &[&str], times: &[Option<i128>]) -> Vec<Vec<String>> {
        let mut names: Vec<_> = names.iter().zip(times).collect();
        names.sort_by_key(|(n, _)| **n);
        let sources: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, (name, _))| Source {
                id: SourceId(i as u32),
                path: (**name).to_owned(),
                kind,
                bytes: 1,
                hints: Hints::default(),
            })
            .collect();
        let times: Vec<_> = names.iter().map(|(_, t)| **t).collect();
        groups(&sources, &times)
            .into_iter()
            .map(|g| {
                g.members
                    .iter()
                    .map(|m| sources[m.0 as usize].path.clone())
                    .collect()
            })
            .collect()
    }

    /// Each table is one group in this order.
    #[test]
    fn logs_in_order() {
        let tables: [&[&str]; 11] = [
            &[
                "b/x.log.10.gz",
                "b/x.log.9.gz",
                "b/x.log.2.gz",
                "b/x.log.1",
                "b/x.log",
            ],
            &[
                "f.log.2026.11.22.23.59.59.999999999",
                "f.log.2026.11.23.00.11.37.449762641",
                "f.log",
            ],
            &["nats.log-20261121.xz", "nats.log-20261122.xz", "nats.log"],
            &[
                "app-2026-11-22T05-11-18.123.log.gz",
                "app-2026-11-23T05-11-18.123.log.gz",
                "app.log",
            ],
            &["app-2026-11-22.log", "app-2026-11-23.log"],
            &["app.log.2026-11-22", "app.log.2026-11-23", "app.log"],
            &["app.log.old", "app.log"],
            &[
                "pods/logs/ns/nats-0/nats-previous.log",
                "pods/logs/ns/nats-0/nats.log",
            ],
            &["syslog.7.gz", "syslog.1", "syslog"],
            &[
                "b.tgz!/var/log/pods/ns_nats-0_uid/nats/0.log",
                "b.tgz!/var/log/pods/ns_nats-0_uid/nats/1.log.20261123-051118.gz",
                "b.tgz!/var/log/pods/ns_nats-0_uid/nats/1.log.20261123-061118",
                "b.tgz!/var/log/pods/ns_nats-0_uid/nats/1.log",
                "b.tgz!/var/log/pods/ns_nats-0_uid/nats/2.log",
            ],
            &[
                "mg/namespaces/ns/pods/nats-0/nats/nats/logs/previous.log",
                "mg/namespaces/ns/pods/nats-0/nats/nats/logs/current.log",
            ],
        ];
        for table in tables {
            let got = grouped(Kind::Log, table, &vec![None; table.len()]);
            assert_eq!(got, [table], "{table:?}");
        }
    }

    #[test]
    fn different_logs_stay_apart() {
        let names = [
            "a/server.log",
            "b/server.log",
            "client-orders-0.log",
            "client-orders-1.log",
            "nats-1.log",
            "nats-2.log",
            "nats-server-v2.10",
            "nats-server-v2.11",
            "server-1-2026-11-23.log",
            "server-2-2026-11-23.log",
            "x.log",
            "x.txt",
            "z.zip!/x.log.1",
        ];
        let got = grouped(Kind::Log, &names, &vec![None; names.len()]);
        assert_eq!(got.len(), names.len(), "{got:?}");
    }

    #[test]
    fn captures_in_order_of_their_first_packets() {
        let tables: [&[&str]; 7] = [
            &["c.pcap", "c.pcap1", "c.pcap2", "c.pcap10"],
            &["c.pcap.gz", "c.pcap1.gz"],
            &["cap02", "cap00", "cap01"],
            &["c.pcap1", "c.pcap2", "c.pcap0"],
            &["c_00001_20261123051118.pcap", "c_00002_20261123051218.pcap"],
            &["c-2026-11-23_05:11:18.pcap", "c-2026-11-23_06:11:18.pcap"],
            &[
                "c_20261123051118_00001.pcapng",
                "c_20261123051218_00002.pcapng",
            ],
        ];
        for table in tables {
            let times: Vec<_> = (0..table.len() as i128).map(Some).collect();
            assert_eq!(grouped(Kind::Capture, table, &times), [table], "{table:?}");
        }
    }

    #[test]
    fn different_captures_stay_apart() {
        let names = [
            "client.pcap",
            "server.pcap",
            "server-1.pcap",
            "server-2.pcap",
            "node1",
            "node2",
            "host01",
            "host02",
            "a-20261123.pcap",
            "b-20261123.pcap",
        ];
        let times: Vec<_> = (0..names.len() as i128).map(Some).collect();
        let got = grouped(Kind::Capture, &names, &times);
        assert_eq!(got.len(), names.len(), "{got:?}");
    }

    #[test]
    fn pieces_without_a_packet_are_ordered_by_name() {
        let names = ["c.pcap", "c.pcap1", "c.pcap2"];
        let times = [Some(9), Some(5), None];
        assert_eq!(grouped(Kind::Capture, &names, &times), [names]);
    }
}
