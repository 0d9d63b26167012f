//! The account of a connection that is over: who ended it, and how.

use super::{Follow, LiveConn, index};
use crate::reconstruct::conn::{Conn, ConnEnd, End, Manner};
use crate::reconstruct::flow::FlowState;

impl LiveConn {
    /// The connection as the capture shows it.
    pub fn finish(mut self: Box<Self>) -> Conn {
        for end in [End::Orig, End::Resp] {
            while self.flows[index(end)].present.has_holes() {
                self.skip_hole(end);
            }
        }
        let end = self.end();
        let session = match self.follow {
            Follow::Yes(builder) => builder.finish(self.last),
            Follow::No | Follow::Undecided(_) => None,
        };
        let seen = [0, 1].map(|index| self.flows[index].flow.packets > 0);
        let [orig, resp] = &mut self.flows;
        let tail = self.tail.finish();
        Conn {
            source: self.source,
            tuple: self.tuple,
            tunnel: self.tunnel.map(|tunnel| tunnel.to_string().into()),
            first: self.first,
            last: self.last,
            handshake: self.handshake,
            orig: orig.finish(self.last, seen[1]),
            resp: resp.finish(self.last, seen[0]),
            end,
            state: self.state.code(),
            history: self.state.history(),
            zeek_swaps: self.state.is_swapped(),
            rsts: self.rsts,
            icmp: self.icmp,
            anomalies: self.anomalies,
            samples: self.samples.finish(&tail),
            tail,
            longest_silence: self.longest_silence,
            last_silence: self.last_silence,
            session,
        }
    }

    pub(super) fn end(&self) -> ConnEnd {
        let [orig, resp] = &self.flows;
        let fins = usize::from(orig.fin_at.is_some()) + usize::from(resp.fin_at.is_some());
        let (by, at) = self.ended_by.unzip();
        let at = at.unwrap_or(self.last);
        let unanswered = self.handshake.syn.is_some() && resp.flow.packets == 0;
        let refused = self.handshake.syn.is_some()
            && self.handshake.syn_ack.is_none()
            && self.rsts.first().is_some_and(|rst| rst.from == End::Resp);
        let first_fin = [orig, resp]
            .into_iter()
            .filter_map(|flow| flow.flow.fin)
            .min();
        let first_rst = self.rsts.first().map(|rst| rst.at);
        let waiting = |flow: &FlowState| {
            flow.run().is_some() && flow.outstanding() > 0 || flow.unanswered_probes >= 2
        };
        let attempt = self.is_attempt();
        let manner = if refused {
            Manner::Refused
        } else if let Some(rst) = first_rst {
            if first_fin.is_some_and(|fin| fin <= rst) && fins == 2 && by.is_some() {
                // Both had said goodbye: the RST only answers a late packet.
                let both_before = [orig, resp]
                    .into_iter()
                    .all(|flow| flow.flow.fin.is_some_and(|fin| fin <= rst));
                if both_before {
                    Manner::Fin
                } else {
                    Manner::FinThenRst
                }
            } else if first_fin.is_some_and(|fin| fin <= rst) {
                Manner::FinThenRst
            } else {
                Manner::Rst
            }
        } else if fins == 2 {
            Manner::Fin
        } else if fins == 1 {
            Manner::HalfClosed
        } else if unanswered && attempt {
            if self.icmp.is_empty() {
                Manner::Unanswered
            } else {
                Manner::Unreachable
            }
        } else if self.replaced {
            Manner::Replaced
        } else if waiting(orig) || waiting(resp) {
            Manner::Silent
        } else {
            Manner::Open
        };
        let by = match manner {
            Manner::Unanswered => Some(End::Orig),
            Manner::Open | Manner::Silent | Manner::Replaced | Manner::Unreachable => None,
            _ => by,
        };
        ConnEnd { manner, by, at }
    }
}
