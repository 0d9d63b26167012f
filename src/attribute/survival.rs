//! Silences of many connections to one server: which of them a connection lived through, and which it died of. Between
//! the two lies the timer of a device in the path.

use super::disconnect::Disconnect;
use super::endpoint::Endpoints;
use super::path::dead_path;

/// The silences at each server.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    /// Endpoint, and the silence that a connection died of, ascending.
    died: Vec<(Option<usize>, i64)>,
    /// Endpoint, and the longest silence that a connection of it lived through, ascending.
    lived: Vec<(Option<usize>, i64)>,
}

/// A device's idle timer, as far as the deaths and survivals of one server's connections bound it; nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Connections that died of about the same silence.
    pub deaths: usize,
    /// Longest silence that a connection lived through and that is shorter than every death's.
    pub above: Option<i64>,
    /// Shortest silence that killed one.
    pub below: i64,
}

impl Survival {
    /// Of all connections.
    pub fn new(disconnects: &[Disconnect], endpoints: &Endpoints) -> Self {
        let mut survival = Self::default();
        for disconnect in disconnects {
            let of = endpoints.of[disconnect.index];
            if let Some(dead) = dead_path(disconnect) {
                let (idle, longest) = dead.idle_before();
                survival.died.push((of, idle));
                survival.lived.push((of, longest));
                continue;
            }
            let Some(view) = disconnect.views.first() else {
                continue;
            };
            // The last silence may be the one that a reset ended.
            let silence = view.conn.longest_silence.filter(|longest| {
                view.conn
                    .last_silence
                    .is_none_or(|last| longest.until < last.until)
            });
            let lived = silence.map(|silence| silence.until.ns - silence.from.ns);
            survival.lived.extend(lived.map(|lived| (of, lived)));
        }
        survival.died.sort_unstable();
        survival.lived.sort_unstable();
        survival
    }

    /// The timer at a server of which a connection died after `idle`: its deaths are those within a fifth of that.
    pub fn timer(&self, endpoint: Option<usize>, idle: i64) -> Timer {
        let fifth = idle / 5;
        let died = &self.died;
        let from = died.partition_point(|dead| *dead < (endpoint, idle.saturating_sub(fifth)));
        let until = died.partition_point(|dead| *dead < (endpoint, idle.saturating_add(fifth + 1)));
        let below = died.get(from).filter(|_| from < until);
        let below = below.map_or(idle, |(_, shortest)| (*shortest).min(idle));
        let longest = self
            .lived
            .partition_point(|lived| *lived < (endpoint, below))
            .checked_sub(1);
        let above = longest
            .map(|index| self.lived[index])
            .filter(|(of, lived)| *of == endpoint && *lived > 0)
            .map(|(_, lived)| lived);
        Timer {
            deaths: until.saturating_sub(from),
            above,
            below,
        }
    }
}
