//! JetStream, RAFT and the file store: signs of load, of lost quorum, and of disks that fail.

use super::super::record::{NoteKind, ServerEventKind};
use super::{ConnPhrase, ServerMessage, ServerPhrase, ServerSaid, Topic, words};

pub(super) const CONN: &[ConnPhrase] = &[ConnPhrase {
    head: "JetStream ",
    implies: None,
    note: |rest| Some(NoteKind::Other(words(rest))),
}];

const fn context(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, _| None,
    }
}

const fn pressure(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| Some(ServerSaid::Event(ServerEventKind::Pressure(words(text)))),
    }
}

const fn disabled(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| {
            Some(ServerSaid::Event(ServerEventKind::JetStreamDisabled(
                words(text),
            )))
        },
    }
}

pub(super) const SERVER: &[ServerPhrase] = &[
    context("Starting JetStream"),
    context("---------------- JETSTREAM"),
    context("----"),
    context("         https://docs.nats.io/"),
    // The four lines of art, the same in every version.
    context("    _ ___ _____ ___ _____"),
    context(" _ | | __|_   _/ __|_"),
    context("| || | _|  | | \\__ \\ |"),
    context(" \\__/|___| |_| |___/ |_|"),
    context("  Exports:"),
    context("     $"),
    context("Enabled JetStream for account"),
    context("  Max Memory:"),
    context("  Max Storage:"),
    context("  Store Directory:"),
    context("  Domain:"),
    context("  API Level:"),
    context("  Strict:"),
    context("  Key:"),
    context("  Encryption:"),
    context("  Restored "),
    context("  Starting restore"),
    context("  Recovering "),
    context("Took "),
    context("Restarting JetStream"),
    context("JetStream cluster bootstrapping"),
    context("JetStream cluster recovering state"),
    context("JetStream cluster new "),
    context("JetStream cluster no metadata leader"),
    context("Initiating JetStream Shutdown"),
    context("JetStream Shutdown"),
    context("JetStream initiating meta leader transfer"),
    context("JetStream cluster initialized"),
    disabled("JetStream out of "),
    disabled("JetStream being DISABLED"),
    disabled("File system permission denied while writing, disabling JetStream"),
    pressure("JetStream "),
    pressure("Metalayer "),
    pressure("Dropping messages due to excessive stream ingest rate"),
    pressure("Catchup for stream "),
    pressure("Resetting stream cluster state"),
    context("Temporary storage directory used"),
    // The levels tell load from chatter: RAFT prints elections and sizes at DBG.
    pressure("RAFT ["),
    pressure("Filestore ["),
];

/// `JetStream API queue limit reached, dropping 12 requests` under any queue's name (2.14+).
pub(super) fn with_leading_name(text: &str) -> Option<ServerMessage> {
    text.contains(" limit reached, dropping ")
        .then(|| ServerMessage {
            topic: Some(Topic::JetStream),
            said: Some(ServerSaid::Event(ServerEventKind::Pressure(words(text)))),
            implies: None,
        })
}
