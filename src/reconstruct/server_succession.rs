//! Which server process follows which in one source: a restart, or another server that logs to the same place.

use std::collections::BTreeMap;

use super::server::ServerLife;
use super::server_life::LifeBuilder;

/// Ends all lives of a source. A life is followed by the next one of its stream that begins, with a banner, after its
/// last line; where lines of several servers mix, only by one of the same name or listener.
pub fn finish(lives: Vec<LifeBuilder>) -> Vec<ServerLife> {
    let mut streams: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, life) in lives.iter().enumerate() {
        streams
            .entry(life.stream.as_deref())
            .or_default()
            .push(index);
    }
    let mut next: Vec<Option<usize>> = vec![None; lives.len()];
    for members in streams.values_mut() {
        members.sort_by_key(|index| lives[*index].first_line);
        let mixed = members
            .windows(2)
            .any(|pair| lives[pair[1]].first_line < lives[pair[0]].last_line);
        for (at, index) in members.iter().enumerate() {
            let life = &lives[*index];
            next[*index] = members[at + 1..].iter().copied().find(|other| {
                let other = &lives[*other];
                other.has_start()
                    && other.first_line > life.last_line
                    && (!mixed || other.same_server(life))
            });
        }
    }
    lives
        .into_iter()
        .zip(next)
        .map(|(life, next)| {
            let mut life = life.finish(next.is_some());
            life.end.next = next;
            life
        })
        .collect()
}
