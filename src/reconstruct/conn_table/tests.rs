//! When a table lets connections go.

use super::*;
use crate::parse::packet::FIN;

/// A table that keeps of each connection the time of its last packet.
fn table() -> ConnTable<i64, fn(Conn) -> i64> {
    let interest = Interest {
        ports: vec![4222],
        ..Interest::default()
    };
    ConnTable::new(SourceId(0), interest, Arc::default(), |conn| conn.last.ns)
}

/// Segments of one client's connections, by its port: time in milliseconds, from the client, flags, seq, ack.
fn feed<T, F: FnMut(Conn) -> T>(
    table: &mut ConnTable<T, F>,
    port: u16,
    segments: &[(i64, bool, u8, u32, u32)],
) {
    let [client, server] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(Host::v4);
    for (ms, from_client, flags, seq, ack) in segments {
        let (src, dst, ports) = if *from_client {
            (client, server, (port, 4222))
        } else {
            (server, client, (4222, port))
        };
        let segment = Segment {
            src,
            dst,
            src_port: ports.0,
            dst_port: ports.1,
            seq: *seq,
            ack: *ack,
            flags: *flags,
            window: 500,
            ttl: 64,
            ..Segment::default()
        };
        let at = Moment {
            ns: ms * 1_000_000,
            frame: *ms as u64 + 1,
        };
        table.segment(&segment, b"", at, 0);
    }
}

#[test]
fn what_is_over_is_let_go_when_its_time_is_up() {
    let mut table = table();
    feed(
        &mut table,
        41_000,
        &[
            (0, true, SYN, 100, 0),
            (1, false, SYN | ACK, 500, 101),
            (2, true, ACK, 101, 501),
            (3, true, FIN | ACK, 101, 501),
            (4, false, FIN | ACK, 501, 102),
            (5, true, ACK, 102, 502),
        ],
    );
    let live = |table: &ConnTable<_, _>| table.live.iter().flatten().count();
    // Its last acknowledgement came after its end was noticed, and nothing that waits longer holds it up.
    feed(&mut table, 41_001, &[(3_004, true, SYN, 900, 0)]);
    assert_eq!((live(&table), table.gone.len()), (2, 0));
    feed(&mut table, 41_001, &[(3_006, true, SYN, 900, 0)]);
    assert_eq!((live(&table), table.gone.len()), (1, 1));
    // What still comes of it begins no connection, for a minute.
    feed(&mut table, 41_000, &[(20_000, true, ACK, 102, 502)]);
    assert_eq!((live(&table), table.found.facts.stragglers), (1, 1));
    feed(&mut table, 41_000, &[(70_000, true, ACK, 102, 502)]);
    assert_eq!((live(&table), table.gone.len()), (2, 0));
    let done = table.finish().done;
    assert_eq!(done.len(), 3);
    assert_eq!(done[0].conn, 5_000_000);
}

#[test]
fn one_that_waits_long_holds_up_no_other() {
    let mut table = table();
    // An attempt that nobody answers, and a FIN that nobody acknowledges.
    feed(&mut table, 41_000, &[(0, true, SYN, 100, 0)]);
    let open = |at: i64| {
        [
            (at, true, SYN, 100, 0),
            (at + 1, false, SYN | ACK, 500, 101),
            (at + 2, true, ACK, 101, 501),
            (at + 3, true, FIN | ACK, 101, 501),
            (at + 4, false, FIN | ACK, 501, 102),
        ]
    };
    feed(&mut table, 41_001, &open(10));
    // Those that end well after both were looked at first.
    for (port, at) in [(41_002, 4_000), (41_003, 5_000)] {
        feed(&mut table, port, &open(at));
        feed(&mut table, port, &[(at + 5, true, ACK, 102, 502)]);
    }
    feed(&mut table, 41_004, &[(8_100, true, SYN, 900, 0)]);
    assert_eq!(table.gone.len(), 2);
    assert_eq!(table.live.iter().flatten().count(), 3);
}
