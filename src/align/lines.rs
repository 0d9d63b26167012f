//! Every log line that the records keep: for spans of clocks, for wrappers' clocks.

use super::joined::Records;
use crate::reconstruct::client::ClientStory;
use crate::reconstruct::server::ServerLife;
use crate::span::LogRef;

/// Calls `see` with each kept line, in the order of the records.
pub fn each<'a>(records: &'a Records, mut see: impl FnMut(&'a LogRef)) {
    for life in &records.servers {
        of_life(life, &mut see);
    }
    for story in &records.clients {
        of_story(story, &mut see);
    }
    records.host_events.iter().for_each(|event| see(&event.at));
}

/// Calls `see` with each kept line of one server process.
pub fn of_life<'a>(life: &'a ServerLife, mut see: impl FnMut(&'a LogRef)) {
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

/// Calls `see` with each kept line of one client.
pub fn of_story<'a>(story: &'a ClientStory, mut see: impl FnMut(&'a LogRef)) {
    [&story.first, &story.last]
        .into_iter()
        .flatten()
        .for_each(&mut see);
    for event in &story.events {
        see(&event.at);
        event.first.iter().for_each(&mut see);
    }
}
