//! What is said of a clock: how it was found, which records were left out, and where it was stepped.

use std::fmt::Write;

use super::clock::{Clock, Stretch};
use crate::span::{Cite, Place};
use crate::time::SECOND;

/// Brings a citation to the number that its record has in its file.
pub type Located<'a> = &'a dyn Fn(Cite) -> Cite;

/// At most this many records or steps are told.
const TOLD: usize = 4;

/// Smaller differences between stretches are drift that changed.
const STEP_TOLD: i64 = 5_000_000;

/// Tells of a clock as it was solved. What is already said of the reference, or of one that was given, stays in front.
pub fn tell(clock: &mut Clock, is_capture: bool, located: Located) {
    if clock.aligned && clock.how.is_empty() {
        clock.how = anchors(clock, located);
    }
    for step in steps(clock, is_capture, located) {
        clock.how.push_str(&step);
    }
}

fn anchors(clock: &Clock, located: Located) -> String {
    let mut how = format!("from {} anchors", clock.anchors);
    if clock.left_out == 0 {
        how.push_str(", all in agreement");
        return how;
    }
    let cited = clock.rejected.iter().take(TOLD);
    let places: Vec<String> = cited.map(|cite| place(*cite, located)).collect();
    let more = if clock.left_out > places.len() {
        ", ..."
    } else {
        ""
    };
    let _ = write!(
        how,
        "; {} disagree and were left out ({}{more})",
        clock.left_out,
        places.join(", ")
    );
    how
}

/// The steps of a clock that happened in this file.
fn steps(clock: &Clock, is_capture: bool, located: Located) -> Vec<String> {
    let step = |(new, by): (&Stretch, i64)| {
        let number = new.from.checked_sub(clock.place(Place::Byte(0)))?;
        if number >= clock.place(Place::Byte(u64::MAX)) || by.abs() < STEP_TOLD {
            return None;
        }
        let way = if by > 0 { "forward" } else { "back" };
        let seconds = by.abs() as f64 / SECOND as f64;
        let cite = if is_capture {
            Cite::frame(clock.source, number)
        } else {
            Cite::line(clock.source, number)
        };
        let place = place(cite, located);
        Some(format!("; set {way} by {seconds:.3} s before {place}"))
    };
    clock.steps().filter_map(step).take(TOLD).collect()
}

/// A place as its file numbers it. Of a set of captures only the first file is named where this is read, so that a frame of
/// the others keeps its number in the whole.
fn place(cite: Cite, located: Located) -> String {
    let own = located(cite);
    if own.source != cite.source
        && let Place::Frame(frame) = cite.place
    {
        return format!("frame {frame} of all its files");
    }
    own.place.to_string()
}
