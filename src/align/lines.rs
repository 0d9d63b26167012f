//! Every log line that the records keep: for spans of clocks, for wrappers' clocks.

use super::joined::Records;
use crate::span::LogRef;

/// Calls `see` with each kept line, in the order of the records.
pub fn each<'a>(records: &'a Records, mut see: impl FnMut(&'a LogRef)) {
    for life in &records.servers {
        let single = [
            &life.started,
            &life.ready,
            &life.first,
            &life.last,
            &life.end.at,
        ];
        single.into_iter().flatten().for_each(&mut see);
        life.events.iter().for_each(|event| see(&event.at));
        for conn in &life.conns {
            [&conn.opened, &conn.closed, &conn.last]
                .into_iter()
                .flatten()
                .for_each(&mut see);
            conn.notes.iter().for_each(|note| see(&note.at));
        }
    }
    for story in &records.clients {
        [&story.first, &story.last]
            .into_iter()
            .flatten()
            .for_each(&mut see);
        for event in &story.events {
            see(&event.at);
            event.first.iter().for_each(&mut see);
        }
    }
    records.host_events.iter().for_each(|event| see(&event.at));
}
