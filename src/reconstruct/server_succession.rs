//! Which server process follows which in one source: a restart, or another server that logs to the same place.

use super::server::ServerLife;
use super::server_life::LifeBuilder;

/// Ends all lives of a source. A life is followed by the next one of its stream that begins, with a banner, after its
/// last line; where lines of several servers mix, only by one of the same name or listener.
pub fn finish(lives: Vec<LifeBuilder>) -> Vec<ServerLife> {
    let next: Vec<Option<usize>> = (0..lives.len())
        .map(|index| successor(&lives, index))
        .collect();
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

fn successor(lives: &[LifeBuilder], index: usize) -> Option<usize> {
    let life = &lives[index];
    let in_stream = |other: &&LifeBuilder| other.stream == life.stream;
    let mixed = lives.iter().filter(in_stream).enumerate().any(|(at, a)| {
        lives
            .iter()
            .filter(in_stream)
            .skip(at + 1)
            .any(|b| a.first_line < b.last_line && b.first_line < a.last_line)
    });
    lives
        .iter()
        .enumerate()
        .filter(|(_, other)| {
            in_stream(other)
                && other.has_start()
                && other.first_line > life.last_line
                && (!mixed || other.same_server(life))
        })
        .min_by_key(|(_, other)| other.first_line)
        .map(|(at, _)| at)
}
