//! Silences of many connections to one server: which of them a connection lived through, and which it died of. Between
//! the two lies the timer of a device in the path.

use super::disconnect::Disconnect;
use super::path::dead_path;
use crate::reconstruct::conn::Silence;

/// The silences at each server.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    /// Server, and the silence that a connection to it died of, ascending.
    died: Vec<(u32, i64)>,
    /// Server, and the longest silence that a connection to it lived through, ascending.
    lived: Vec<(u32, i64)>,
}

/// The number of a server in [`Survival`]: that of its endpoint counted from 1, 0 where it is not known.
fn server(endpoint: Option<usize>) -> u32 {
    endpoint.map_or(0, |endpoint| endpoint as u32 + 1)
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

/// One connection's silences, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    /// The one that it died of.
    pub died: Option<i64>,
    /// The longest that it lived through.
    pub lived: Option<i64>,
}

impl Silences {
    /// Of one connection.
    pub fn of(disconnect: &Disconnect) -> Self {
        if let Some(dead) = dead_path(disconnect) {
            let (idle, longest) = dead.idle_before();
            return Self {
                died: Some(idle),
                lived: Some(longest),
            };
        }
        let Some(view) = disconnect.views.first() else {
            return Self::default();
        };
        Self {
            died: None,
            lived: view.conn.survived_silence().map(Silence::length),
        }
    }
}

impl Survival {
    /// From the silences of connections by their indices; `endpoint` is where each went.
    pub fn new(
        mut died: Vec<(u32, i64)>,
        mut lived: Vec<(u32, i64)>,
        endpoint: impl Fn(u32) -> Option<usize>,
    ) -> Self {
        for silences in [&mut died, &mut lived] {
            for (of, _) in silences.iter_mut() {
                *of = server(endpoint(*of));
            }
            silences.sort_unstable();
        }
        Self { died, lived }
    }

    /// The timer at a server of which a connection died after `idle`: its deaths are those within a fifth of that.
    pub fn timer(&self, endpoint: Option<usize>, idle: i64) -> Timer {
        let endpoint = server(endpoint);
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

#[cfg(test)]
mod tests {
    use super::{Survival, Timer};

    fn survival(died: &[(u32, i64)], lived: &[(u32, i64)]) -> Survival {
        Survival::new(died.to_vec(), lived.to_vec(), |of| Some(of as usize))
    }

    #[test]
    fn the_timer_lies_between_the_last_survived_and_the_first_deadly_silence() {
        let survival = survival(
            &[(0, 95), (0, 100), (0, 400), (1, 97)],
            &[(0, 30), (0, 80), (0, 200), (1, 90)],
        );
        let timer = Timer {
            deaths: 2,
            above: Some(80),
            below: 95,
        };
        assert_eq!(survival.timer(Some(0), 100), timer);
        let alone = survival.timer(Some(0), 400);
        assert_eq!((alone.deaths, alone.above), (1, Some(200)));
    }

    #[test]
    fn another_servers_silences_bound_nothing() {
        let survival = survival(&[(1, 100)], &[(0, 80), (1, 0)]);
        let timer = survival.timer(Some(1), 100);
        assert_eq!((timer.deaths, timer.above, timer.below), (1, None, 100));
        assert_eq!(survival.timer(Some(2), 50).deaths, 0);
    }
}
