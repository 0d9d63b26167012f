//! The whole stage against small worlds whose clocks are wrong in known ways.

use super::world::{EPOCH, World, Wrong};
use super::*;
use crate::time::SECOND;

/// The error of `source`'s clock relative to the reference, which is `reference`, lies in the reported interval at
/// every moment of the world. Returns the widest interval.
fn holds(
    alignment: &Alignment,
    source: SourceId,
    wrong: &Wrong,
    reference: &Wrong,
    until: i64,
) -> i64 {
    let clock = &alignment.clocks[source.0 as usize];
    assert!(clock.aligned, "{}", clock.how);
    let mut widest = 0;
    for step in 0..=50 {
        let at = SECOND + (until - SECOND) / 50 * step;
        let when = clock.raw(wrong.shows(at), 9);
        let truth = reference.shows(at);
        assert!(
            when.bounds.low <= truth && truth <= when.bounds.high,
            "at {} s the clock says {:?}, truth {} ({})",
            at / SECOND,
            Bounds {
                low: when.bounds.low - truth,
                high: when.bounds.high - truth
            },
            truth - EPOCH,
            clock.how
        );
        widest = widest.max(when.bounds.width());
    }
    widest
}

#[test]
fn capture_and_server_log_in_another_zone() {
    let mut world = World::new(12, 2 * SECOND, 20 * SECOND, 10_000_000);
    let (right, wrong) = (
        Wrong::default(),
        Wrong::by(-8 * 3600 * SECOND + 63 * SECOND),
    );
    world.capture(&right, 0.0, true);
    let log = world.server_log(&wrong);
    let alignment = align(&world.records, &world.sources, &AlignOptions::default());
    let widest = holds(&alignment, log, &wrong, &right, 40 * SECOND);
    assert!(widest <= 23_000_000, "{widest}");
    assert_eq!(alignment.clocks[log.0 as usize].zone_s, Some(-8 * 3600));
    assert_eq!(alignment.joined.len(), 12);
    assert!(
        alignment
            .joined
            .iter()
            .all(|one| one.server.is_some() && one.conns.len() == 1)
    );
}

#[test]
fn two_captures_and_all_logs_join_into_one() {
    let mut world = World::new(6, 3 * SECOND, 30 * SECOND, 5_000_000);
    let clocks = [
        Wrong::by(80 * SECOND),
        Wrong::default(),
        Wrong::by(19800 * SECOND - 94 * SECOND),
        Wrong::by(-61 * SECOND),
    ];
    world.capture(&clocks[0], 1.0, true);
    world.capture(&clocks[1], 0.0, true);
    let log = world.server_log(&clocks[2]);
    let clients: Vec<SourceId> = (0..6)
        .map(|life| world.client_log(life, &clocks[3]))
        .collect();
    let alignment = align(&world.records, &world.sources, &AlignOptions::default());
    assert_eq!(alignment.joined.len(), 6);
    for one in &alignment.joined {
        let server = one.server.map(|(_, conn)| conn);
        assert_eq!(server, one.client.map(|(story, _)| story));
        assert_eq!(one.conns.len(), 2);
    }
    // Which capture is the reference is not the point: all others must agree with it.
    let reference = &clocks[alignment
        .clocks
        .iter()
        .position(|clock| clock.anchors == 0)
        .unwrap_or(0)];
    assert!(holds(&alignment, SourceId(0), &clocks[0], reference, 40 * SECOND) <= 11_000_000);
    assert!(holds(&alignment, SourceId(1), &clocks[1], reference, 40 * SECOND) <= 11_000_000);
    assert!(holds(&alignment, log, &clocks[2], reference, 40 * SECOND) <= 11_000_000);
    for client in clients {
        assert!(holds(&alignment, client, &clocks[3], reference, 40 * SECOND) <= 50_000_000);
    }
}

#[test]
fn logs_alone() {
    let mut world = World::new(6, 3 * SECOND, 30 * SECOND, 5_000_000);
    let (zone, off) = (Wrong::by(7200 * SECOND), Wrong::default());
    world.server_log(&zone);
    let clients: Vec<SourceId> = (0..6).map(|life| world.client_log(life, &off)).collect();
    let alignment = align(&world.records, &world.sources, &AlignOptions::default());
    assert_eq!(alignment.joined.len(), 6);
    assert!(
        alignment
            .joined
            .iter()
            .all(|one| one.server.is_some() && one.client.is_some())
    );
    assert_eq!(alignment.clocks[0].zone_s, Some(7200));
    let widest = holds(&alignment, clients[0], &off, &off, 40 * SECOND);
    assert!(widest < SECOND, "{widest}");
}
