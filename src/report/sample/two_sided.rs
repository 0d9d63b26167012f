//! One connection in two captures.

use super::{clock, facts, killed, source, us};
use crate::align::joined::{CaptureFacts, Leg, Near};
use crate::attribute::finding::Analysis;
use crate::reconstruct::conn::{End, TailPacket};
use crate::source::{Kind, SourceId};
use crate::span::Moment;

/// [`killed`]'s first connection with a second capture at the client, whose clock is 1.5 s behind; a last segment of the server
/// is in the server's capture only.
pub fn two_sided() -> Analysis {
    let mut analysis = killed();
    analysis
        .sources
        .push(source(5, "client.pcap", Kind::Capture, 94_000));
    analysis.source_facts.push(facts(718));
    analysis.clocks.push(clock(5, 1_500_000, 50, 300));
    let mut twin = (*analysis.records.conns.whole(0)).clone();
    twin.source = SourceId(5);
    let moved = |moment: Moment, from_server: bool| Moment {
        ns: moment.ns - 1_500_000_000 + if from_server { 300_000 } else { -300_000 },
        frame: moment.frame + 1,
    };
    for packet in &mut twin.tail {
        packet.at = moved(packet.at, packet.from == End::Resp);
    }
    let capture = &analysis.records.captures[0];
    analysis.records.captures.push(CaptureFacts {
        source: SourceId(5),
        packets: 718,
        first: moved(capture.first, true),
        last: moved(capture.last, true),
        ..CaptureFacts::default()
    });
    twin.session = None;
    let lost = TailPacket {
        at: Moment {
            ns: us(24_311_492),
            frame: 350,
        },
        seq: 4_146,
        note: "retransmission",
        ..analysis.records.conns.whole(0).tail[4]
    };
    analysis
        .records
        .conns
        .change(0, |conn| conn.tail.push(lost));
    analysis.records.conns.push(twin);
    let conn = analysis.records.conns.len() - 1;
    analysis.joined[0].conns.push(Leg::new(conn, Near::Client));
    analysis
}
