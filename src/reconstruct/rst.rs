//! Who sent a RST: its fingerprint against its claimed sender's own segments.
//!
//! A Linux kernel has two honest shapes. Actively (abort, unread data at close, SO_LINGER 0; `tcp_send_active_reset`) the
//! RST goes through the socket: ACK flag, the socket's window, its timestamps, the next IP identification. For a socket
//! that is gone (`tcp_v4_send_reset`) it answers a packet: window 0, no options, IP identification 0, and the number that
//! the answered packet asked for. Windows counts identifications up in both cases and sends window 0, without timestamps.
//! BSDs and macOS keep the socket's window in an active reset, macOS and older BSDs leave its timestamps out
//! (`tcp_output`), and their identifications are random or 0; a reply for a socket that is gone (`tcp_respond`) has window 0
//! and such an identification. A firewall's `tcp-reset` copies Linux's second shape, but from its own place in the path, and
//! while the end is alive.

use super::conn::{End, Rst, RstOrigin};
use super::flow::{FlowState, ID_STEP};
use crate::parse::packet::{ACK, FIN, SYN, Segment};
use crate::span::Moment;

/// What is known when a RST arrives.
pub struct Context<'a> {
    /// The claimed sender.
    pub from: End,
    /// Its own segments.
    pub own: &'a FlowState,
    /// The other end's.
    pub peer: &'a FlowState,
    /// Smallest and largest hop count of the claimed sender's host on its other connections.
    pub host_ttl: Option<(u8, u8)>,
    /// The claimed sender had sent a RST before.
    pub reset_before: bool,
    /// The packet right before this one: sender, flags, payload length, moment.
    pub previous: Option<(End, u8, u32, Moment)>,
    /// Round trip of the handshake, nanoseconds.
    pub rtt: Option<i64>,
    /// When the other end last sent a packet that acknowledged just as far as this RST's number, where it has no ACK itself.
    pub asked: Option<Moment>,
    /// There were retransmissions without an answer just before: a FIN may have been lost unseen.
    pub lossy: bool,
}

/// An end that spoke this recently has a socket, unless it said goodbye.
const ALIVE: i64 = 10 * crate::time::SECOND;

/// A device in the path answers what passes through it sooner than this.
const LATE: i64 = crate::time::SECOND / 5;

/// Judges a RST.
pub fn fingerprint(segment: &Segment, at: Moment, context: &Context<'_>) -> Rst {
    let Context { own, peer, .. } = *context;
    let position = own
        .place
        .map(|place| place.position(super::seq::Seq(segment.seq)));
    let syn_only = own.flow.packets == 0 || own.habits.packets == 0;
    let distance = position.filter(|_| !syn_only).map(|position| {
        // The receiver takes a RST only at the number it expects (RFC 5961 section 3): what it acknowledged last, or
        // what was sent last, whichever fits better.
        let awaited = peer.last_ack.unwrap_or(own.next);
        let nearest = [own.next, awaited]
            .into_iter()
            .map(|next| position - next)
            .min_by_key(|distance| distance.abs());
        nearest
            .unwrap_or(0)
            .clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    });
    let after_own = own.flow.last_packet.map(|last| at.ns - last.ns);
    let after_peer = peer.flow.last_packet.map(|last| at.ns - last.ns);
    let in_reply = context.previous.is_some_and(|(from, flags, len, before)| {
        let soon = context.rtt.unwrap_or(0).max(50_000_000) * 2;
        from != context.from
            && at.ns - before.ns <= soon
            && (len > 0 || flags & (SYN | FIN | ACK) != 0)
    });
    let mut rst = Rst {
        at,
        from: context.from,
        seq_exact: distance.map(|distance| distance == 0),
        seq_distance: distance,
        ack: segment.has(ACK),
        window: segment.window,
        ttl: segment.ttl,
        ip_id: segment.ip_id,
        options: segment.options.len > 0,
        origin: RstOrigin::Unknown,
        signs: Vec::new(),
        after_own,
        after_peer,
        in_reply,
    };
    let (origin, signs) = judge(segment, &rst, context);
    rst.origin = origin;
    rst.signs = signs.into_iter().map(String::into_boxed_str).collect();
    rst
}

fn judge(segment: &Segment, rst: &Rst, context: &Context<'_>) -> (RstOrigin, Vec<String>) {
    let Context { own, .. } = *context;
    let mut signs = Vec::new();
    let closed_before = own.flow.fin.is_some() || context.reset_before;
    let reply_shape =
        segment.window == 0 && segment.options.len == 0 && matches!(segment.ip_id, None | Some(0));

    // Where in the path it came from.
    let (ttl, whose) = match own.flow.ttl {
        Some(ttl) => (Some(ttl), "this end's own packets"),
        None => (context.host_ttl, "this host's packets on other connections"),
    };
    let mut foreign_ttl = false;
    if let Some((low, high)) = ttl {
        foreign_ttl = !(low..=high).contains(&segment.ttl);
        if foreign_ttl {
            let theirs = if low == high {
                format!("{low}")
            } else {
                format!("{low} to {high}")
            };
            signs.push(format!("TTL {} where {whose} have {theirs}", segment.ttl));
        } else {
            signs.push(format!("TTL {} as {whose}", segment.ttl));
        }
    }
    let mut doubts = 0;
    if let Some(distance) = rst.seq_distance
        && distance != 0
    {
        signs.push(format!("sequence number off by {distance}"));
        doubts += 1;
    }
    let mut continues = false;
    if let (Some(id), Some(last)) = (segment.ip_id, own.habits.ip_id)
        && own.habits.ids_count_up()
    {
        continues = id != 0 && id.wrapping_sub(last).wrapping_sub(1) < ID_STEP;
        if continues {
            signs.push(format!("IP ID {id} goes on from this end's {last}"));
        } else if id == 0 {
            signs.push(format!("IP ID 0 where this end counts up (last {last})"));
        } else {
            signs.push(format!("IP ID {id} does not go on from this end's {last}"));
            doubts += 1;
        }
    }
    let carries_stamp = segment.options.timestamps.is_some();
    if own.habits.timestamps && carries_stamp {
        signs.push("carries timestamps as this end's packets do".to_owned());
    } else if own.habits.timestamps && segment.window != 0 {
        signs.push("no timestamps where this end's packets carry them".to_owned());
        doubts += 1;
    }
    if foreign_ttl {
        if reply_shape {
            signs.push("window 0, no options, IP ID 0: made for no socket".to_owned());
        }
        return (RstOrigin::Injected, signs);
    }

    // A stranger would have to know the number and the window, and sit as many hops away.
    let repeats_window = segment.window != 0 && own.raw_window == Some(segment.window);
    let is_sockets = repeats_window && rst.seq_exact == Some(true);
    if carries_stamp || continues || is_sockets || segment.window != 0 && doubts == 0 {
        if repeats_window {
            signs.push(format!("window {} as advertised before", segment.window));
        }
        let origin = if doubts > 1 {
            RstOrigin::Unknown
        } else {
            RstOrigin::OwnActive
        };
        return (origin, signs);
    }
    if !reply_shape {
        let bare = segment.window == 0 && segment.options.len == 0;
        if bare && closed_before && doubts == 0 {
            signs.push("window 0, no options: the reply for a socket that is gone".to_owned());
            signs.push("this end had closed before".to_owned());
            return (RstOrigin::OwnNoSocket, signs);
        }
        let origin = if doubts > 1 {
            RstOrigin::Injected
        } else {
            RstOrigin::Unknown
        };
        return (origin, signs);
    }
    signs.push("window 0, no options, IP ID 0: the reply for a socket that is gone".to_owned());
    let answers_syn = context
        .previous
        .is_some_and(|(_, flags, _, _)| flags & (SYN | ACK) == SYN);
    if own.habits.packets == 0 && answers_syn || closed_before {
        if closed_before {
            signs.push("this end had closed before".to_owned());
        }
        return (RstOrigin::OwnNoSocket, signs);
    }
    if own.habits.packets == 0 {
        return (RstOrigin::Unknown, signs);
    }
    // The number is that of a packet which waited on a slow path, and not the one that the other end awaits by now: no
    // device in the path answers that late, and a forger would use the newest.
    let round_trip = context.rtt.unwrap_or(0).max(LATE);
    if let Some(asked) = context
        .asked
        .filter(|_| rst.seq_distance.is_some_and(|d| d < 0))
        && rst.at.ns - asked.ns > round_trip
    {
        signs.push(format!(
            "it answers the packet of {} ms before, whose acknowledgement it repeats",
            (rst.at.ns - asked.ns) / 1_000_000
        ));
        return (RstOrigin::OwnNoSocket, signs);
    }
    if rst.after_own.is_some_and(|after| after < ALIVE) && !context.lossy {
        // A kernel does not lose a socket without a FIN or RST of its own.
        signs.push(format!(
            "this end was alive {} ms before and had not closed",
            rst.after_own.unwrap_or(0) / 1_000_000
        ));
        return (RstOrigin::Injected, signs);
    }
    if !rst.in_reply {
        signs.push("it answers no packet".to_owned());
        return (RstOrigin::Injected, signs);
    }
    signs.push("no close of this end was seen".to_owned());
    (RstOrigin::Unknown, signs)
}
