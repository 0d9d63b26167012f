//! The whole stage against small worlds whose clocks are wrong in known ways.

use proptest::prelude::*;

use super::world::{EPOCH, Life, World, Wrong};
use super::*;
use crate::reconstruct::client::{ClientEvent, ClientEventKind, ClientStory, Library, Trouble};
use crate::reconstruct::conn::{Conn, ConnEnd, End, Manner, Rst, RstOrigin};
use crate::span::Place;
use crate::time::{Bounds, SECOND};

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
        let when = clock.raw(Place::Line(super::world::place(at)), wrong.shows(at), 9);
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
    let alignment = align(
        &world.records,
        &[],
        &world.sources,
        &AlignOptions::default(),
    );
    let widest = holds(&alignment, log, &wrong, &right, 40 * SECOND);
    assert!(widest <= 23_000_000, "{widest}");
    assert_eq!(alignment.clocks[log.0 as usize].zone_s, Some(-8 * 3600));
    assert_eq!(alignment.joined.len(), 12);
    assert!(
        alignment
            .joined
            .iter()
            .all(|one| one.server().is_some() && one.conns.len() == 1)
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
    let alignment = align(
        &world.records,
        &[],
        &world.sources,
        &AlignOptions::default(),
    );
    assert_eq!(alignment.joined.len(), 6);
    for one in &alignment.joined {
        let server = one.server().map(|(_, conn)| conn);
        assert_eq!(server, one.client().map(|(story, _)| story));
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
    let alignment = align(
        &world.records,
        &[],
        &world.sources,
        &AlignOptions::default(),
    );
    assert_eq!(alignment.joined.len(), 6);
    assert!(
        alignment
            .joined
            .iter()
            .all(|one| one.server().is_some() && one.client().is_some())
    );
    assert_eq!(alignment.clocks[0].zone_s, Some(7200));
    let widest = holds(&alignment, clients[0], &off, &off, 40 * SECOND);
    assert!(widest < SECOND, "{widest}");
}

/// One client beside a capture taken at its host, both on a true clock; `change` makes its log and connection what they are.
fn beside_its_capture(change: impl Fn(&Life, &mut ClientStory, &mut Conn)) {
    let mut world = World::new(1, SECOND, 20 * SECOND, 10_000_000);
    let right = Wrong::default();
    world.capture(&right, 0.0, true);
    let log = world.client_log(0, &right);
    let (life, story) = (world.lives[0].clone(), &mut world.records.clients[0]);
    world
        .records
        .conns
        .change(0, |conn| change(&life, story, conn));
    let alignment = align(
        &world.records,
        &[],
        &world.sources,
        &AlignOptions::default(),
    );
    holds(&alignment, log, &right, &right, 20 * SECOND);
}

fn says_at(event: &mut ClientEvent, at: i64, kind: ClientEventKind) {
    let stamp = event.at.stamp.as_mut().expect("a stamp");
    stamp.ns = (EPOCH + at) / 1_000_000 * 1_000_000;
    event.at.cite.place = Place::Line(super::world::place(at));
    event.kind = kind;
}

#[test]
fn who_waits_for_no_pong_may_say_connected_before_it() {
    for (lang, library) in [("acme", Library::Unknown), ("ruby", Library::JsV2)] {
        beside_its_capture(|life, story, conn| {
            story.library = library;
            says_at(
                &mut story.events[0],
                life.created(),
                ClientEventKind::Connected,
            );
            let session = conn.session.as_mut().expect("a session");
            session.connect.as_mut().expect("CONNECT").lang = Some(lang.into());
        });
    }
}

#[test]
fn a_client_may_close_first_and_say_then_that_it_was_stale() {
    beside_its_capture(|life, story, _| {
        // Its callbacks are some milliseconds late, so that nothing else tells that the line is not before the FIN.
        let late = life.ready() + 6_000_000;
        says_at(&mut story.events[0], late, ClientEventKind::Connected);
        story.conns[0].intended = false;
        says_at(
            &mut story.events[1],
            life.close + 3_000_000,
            ClientEventKind::Stale,
        );
    });
}

#[test]
fn a_client_that_gave_up_may_be_answered_long_after() {
    beside_its_capture(|life, story, conn| {
        // Its own FIN is lost; seven seconds later the server answers a retransmission with a RST.
        let at = conn.orig.fin.take().expect("a FIN");
        conn.resp.fin = None;
        let late = Moment {
            ns: at.ns + 7 * SECOND,
            frame: at.frame + 70_000_000,
        };
        conn.rsts.push(Rst {
            at: late,
            from: End::Resp,
            seq_exact: Some(true),
            seq_distance: Some(0),
            ack: false,
            window: 0,
            ttl: 64,
            ip_id: Some(0),
            options: false,
            origin: RstOrigin::OwnNoSocket,
            signs: Vec::new(),
            after_own: None,
            after_peer: Some(0),
            in_reply: true,
        });
        conn.last = late;
        conn.end = ConnEnd {
            manner: Manner::Rst,
            by: Some(End::Resp),
            at: late,
        };
        story.conns[0].intended = false;
        story.conns[0].why = Vec::new();
        let said = ClientEventKind::Disconnected(Trouble::Unsaid);
        says_at(&mut story.events[2], life.close, said);
    });
}

/// On true clocks, `world` told by two captures, its server's log with connection `late` moved by `by`, and `logs` of clients;
/// the captures and the log bear out the truth to the end.
fn one_late(mut world: World, late: usize, by: i64, logs: usize) -> Alignment {
    let right = Wrong::default();
    world.capture(&right, 1.0, true);
    world.capture(&right, 0.0, true);
    world.server_log(&right);
    for life in 0..logs {
        world.client_log(life, &right);
    }
    world.mislead(late, by);
    let alignment = align(
        &world.records,
        &[],
        &world.sources,
        &AlignOptions::default(),
    );
    let until = world.lives.last().map_or(0, |life| life.close);
    for source in 0..3 {
        holds(&alignment, SourceId(source), &right, &right, until);
    }
    alignment
}

#[test]
fn a_line_that_its_own_clock_does_not_bear_out_bounds_no_other() {
    let world = World::new(8, SECOND / 1000, 20 * SECOND, 599_227);
    // As long as each of them lasts: the line of the close comes to lie a little before the handshake's last packet.
    let alignment = one_late(world, 2, -20 * SECOND, 0);
    let left_out = alignment.clocks.iter().map(|clock| clock.left_out);
    assert_eq!(left_out.collect::<Vec<_>>(), [0, 0, 2]);
}

#[test]
fn two_late_lines_before_the_last_two_are_no_step() {
    let world = World::new(19, 19_904_000_000, 20 * SECOND, 47_995_034);
    let alignment = one_late(world, 17, -21 * SECOND, 4);
    assert_eq!(alignment.clocks[2].steps().count(), 0);
}

/// Any zone in use and any skew that a clock without synchronisation may have.
fn wrong_clock() -> impl Strategy<Value = Wrong> {
    (
        -48_i64..=56,
        -95_000_000_000_i64..=95_000_000_000,
        -40.0..40.0_f64,
    )
        .prop_map(|(quarters, skew, ppm)| Wrong {
            offset: quarters * 900 * SECOND + skew,
            ppm,
            steps: Vec::new(),
        })
}

/// The reference of an alignment: the aligned clock that rests on no anchors.
fn reference<'a>(alignment: &Alignment, clocks: &'a [Wrong]) -> &'a Wrong {
    let index = alignment
        .clocks
        .iter()
        .position(|clock| clock.aligned && clock.anchors == 0);
    &clocks[index.expect("a reference")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_true_offset_lies_inside(
        clocks in proptest::collection::vec(wrong_clock(), 3),
        client in wrong_clock(),
        count in 3_usize..40,
        every in 1..20_000_i64,
        delay in 50_000..60_000_000_i64,
        wrong_lines in proptest::collection::vec((0_usize..40, -300..300_i64), 0..2),
    ) {
        let mut world = World::new(count, every * 1_000_000, 20 * SECOND, delay);
        world.capture(&clocks[0], 1.0, true);
        world.capture(&clocks[1], 0.0, true);
        world.server_log(&clocks[2]);
        for life in 0..count.min(4) {
            world.client_log(life, &Wrong { ppm: 0.0, ..client.clone() });
        }
        if count >= 8 {
            for (index, by) in wrong_lines {
                world.mislead(index % count, by * 1_000_000_000);
            }
        }
        let alignment = align(&world.records, &[], &world.sources, &AlignOptions::default());
        let truth = reference(&alignment, &clocks);
        let until = world.lives[count - 1].close;
        for source in 0..3 {
            let widest = holds(&alignment, SourceId(source), &clocks[source as usize], truth, until);
            // One round trip, and what the clocks may drift apart where nothing ties them.
            prop_assert!(widest <= 2 * delay + until / 10_000 + 1_000_000, "{widest}");
        }
        for one in &alignment.joined {
            prop_assert_eq!(one.conns.len(), 2);
            prop_assert!(one.server().is_some());
        }
    }

    #[test]
    fn a_step_of_the_logs_clock_is_found(step in prop_oneof![Just(3600_i64), Just(-3600), -90_i64..-2, 2_i64..90], wrong in wrong_clock()) {
        let mut world = World::new(30, 2 * SECOND, 5 * SECOND, 5_000_000);
        // Between two connections' events, as the stretch begins with the first event after the step.
        let stepped = Wrong { steps: vec![(30 * SECOND + SECOND / 2, step * SECOND)], ppm: 0.0, ..wrong };
        let right = Wrong::default();
        world.capture(&right, 0.5, true);
        let log = world.server_log(&stepped);
        let alignment = align(&world.records, &[], &world.sources, &AlignOptions::default());
        for life in &alignment.joined {
            let (_, conn) = life.server().expect("joined by cid");
            let told = &world.lives[conn];
            let entry = &world.records.servers[0].conns[conn];
            for (line, truth) in [(&entry.opened, told.created()), (&entry.closed, told.closed())] {
                let when = alignment.log(line.as_ref().expect("a line")).expect("a time");
                let truth = right.shows(truth);
                prop_assert!(when.bounds.low <= truth && truth <= when.bounds.high, "{} {}", when.at, truth);
                prop_assert!(when.bounds.width() < 50_000_000, "{}", when.bounds.width());
            }
        }
        prop_assert!(alignment.clocks[log.0 as usize].aligned);
    }
}
