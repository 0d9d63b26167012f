//! Slow consumers and stalled producers: server/client.go, `flushOutbound`, `queueOutbound`, `stalledWait`.

use super::super::close_reason::CloseReason;
use super::super::record::NoteKind;
use super::{ConnPhrase, leading_number, number_after, words};
use crate::parse::duration::go_duration;

pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "Slow Consumer Detected: MaxPending of ",
        implies: Some(CloseReason::SlowConsumerPendingBytes),
        note: |rest| {
            Some(NoteKind::SlowConsumerPending {
                max_pending: leading_number(rest),
            })
        },
    },
    ConnPhrase {
        head: "Slow Consumer Detected: WriteDeadline of ",
        implies: Some(CloseReason::SlowConsumerWriteDeadline),
        note: |rest| {
            Some(NoteKind::SlowConsumerDeadline {
                deadline_ns: go_duration(rest).map(|(ns, _)| ns),
                chunks: number_after(rest, "exceeded with "),
                bytes: number_after(rest, "chunks of "),
            })
        },
    },
    // Routes, gateways and leafnodes since 2.11.0: still open.
    ConnPhrase {
        head: "Slow Consumer State: ",
        implies: None,
        note: |rest| Some(NoteKind::SlowConsumerOpen(words(rest))),
    },
    ConnPhrase {
        head: "Slow Consumer Recovered: ",
        implies: None,
        note: |rest| Some(NoteKind::SlowConsumerOpen(words(rest))),
    },
    // Up to 1.1.0, when nothing said which limit it was.
    ConnPhrase {
        head: "Slow Consumer Detected",
        implies: None,
        note: |_| Some(NoteKind::SlowConsumerPending { max_pending: None }),
    },
    ConnPhrase {
        head: "Timed out of fast producer stall",
        implies: None,
        note: |_| Some(NoteKind::ProducerStalled),
    },
    ConnPhrase {
        head: "Producer was stalled for a total of ",
        implies: None,
        note: |_| Some(NoteKind::ProducerStalled),
    },
];
