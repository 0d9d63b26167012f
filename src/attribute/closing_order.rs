//! The order in which a server's connections were closed at one instant: what it tells of the process.
//!
//! A Linux kernel closes the descriptors of a dead process in reverse (`exit_files` queues them ascending,
//! `task_work_run` takes the last first), some 10 µs apart. nats-server closes its connections itself in Go's map order
//! (`Shutdown` in server/server.go), each by its own write loop. Of 240 real deaths by SIGKILL and SIGQUIT (2.9.10 and
//! 2.12.8, 3 to 20 connections) every one without reused descriptors was in reverse; of 240 stops by SIGTERM and SIGINT
//! 5 of 48 with three connections, none of 192 with more.

use std::collections::{BTreeSet, HashMap};

use crate::source::SourceId;
use crate::time::SECOND;

/// Closes further apart than this are not one process's last act: both a kernel and a stopping server need well under a
/// millisecond a connection.
const APART: i64 = SECOND / 20;

/// A connection in the server's hands.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Index of the disconnect.
    pub disconnect: u32,
    /// When the server could accept it, in nanoseconds of the common line.
    pub taken: i64,
    /// When it was closed, in nanoseconds of the common line.
    pub closed: i64,
}

/// A connection that the server's side closed, without a reason and a session being up.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// Index of the disconnect.
    pub disconnect: u32,
    /// The capture that shows it: only one capture's times tell microseconds apart.
    pub source: SourceId,
    /// When, in nanoseconds of that capture.
    pub ns: i64,
}

/// How many connections were closed in one go, and whether in exact reverse of their descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// How many.
    pub count: usize,
    /// In reverse.
    pub reverse: bool,
}

/// The order of each close that was one of several, by disconnect.
#[derive(Clone, Debug, Default)]
pub struct ClosingOrder {
    of: HashMap<u32, Order>,
}

impl ClosingOrder {
    /// Of those that a server closed, among all whose handshake tells when it took them.
    pub fn new(held: &[Held], closed: &[Closed]) -> Self {
        if closed.is_empty() {
            return Self::default();
        }
        let descriptors = descriptors(held);
        let mut ends: Vec<_> = closed
            .iter()
            .map(|one| {
                let descriptor = descriptors.get(&one.disconnect).copied();
                (one.source, one.ns, descriptor, one.disconnect)
            })
            .collect();
        // Of one time the highest first: a capture that rounds its times shows no order among them.
        ends.sort_by_key(|(source, ns, descriptor, _)| {
            (*source, *ns, std::cmp::Reverse(*descriptor))
        });
        let mut of = HashMap::new();
        for together in ends.chunk_by(|a, b| a.0 == b.0 && b.1 - a.1 <= APART) {
            let known = together.iter().all(|(_, _, known, _)| known.is_some());
            if together.len() < 2 || !known {
                continue;
            }
            let order = Order {
                count: together.len(),
                reverse: together.windows(2).all(|pair| pair[0].2 > pair[1].2),
            };
            of.extend(together.iter().map(|(.., disconnect)| (*disconnect, order)));
        }
        Self { of }
    }

    /// The order in which a connection was closed with others; `None` where it was alone, or where one's descriptor is not
    /// known.
    pub fn of(&self, disconnect: usize) -> Option<Order> {
        self.of.get(&(disconnect as u32)).copied()
    }
}

/// A new connection gets the lowest free descriptor (accept(2)): their order, from the connections alone. What else
/// the process opens in between may shift them.
fn descriptors(held: &[Held]) -> HashMap<u32, u32> {
    let mut steps: Vec<(i64, bool, usize)> = Vec::new();
    for (index, one) in held.iter().enumerate() {
        steps.push((one.taken, true, index));
        steps.push((one.closed.max(one.taken), false, index));
    }
    // At one time what is closed first can be used again.
    steps.sort_unstable();
    let (mut free, mut next) = (BTreeSet::new(), 0);
    let mut had = HashMap::new();
    for (_, opens, index) in steps {
        let disconnect = held[index].disconnect;
        if opens {
            let descriptor = free.pop_first().unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            had.insert(disconnect, descriptor);
        } else if let Some(descriptor) = had.get(&disconnect) {
            free.insert(*descriptor);
        }
    }
    had
}

#[cfg(test)]
mod tests {
    use super::{Closed, ClosingOrder, Held, Order};
    use crate::source::SourceId;

    /// Each connection: taken, closed, by the server.
    fn order(connections: &[(i64, i64, bool)]) -> Option<Order> {
        let connections = || connections.iter().zip(0..);
        let held = connections().map(|((taken, closed, _), disconnect)| Held {
            disconnect,
            taken: *taken,
            closed: *closed,
        });
        let closed = connections().filter(|((.., by_server), _)| *by_server);
        let closed = closed.map(|((_, ns, _), disconnect)| Closed {
            disconnect,
            source: SourceId(0),
            ns: *ns,
        });
        ClosingOrder::new(&held.collect::<Vec<_>>(), &closed.collect::<Vec<_>>()).of(1)
    }

    #[test]
    fn the_last_taken_closes_first() {
        let closes = [(1, 1_030, true), (2, 1_020, true), (3, 1_010, true)];
        let reverse = true;
        assert_eq!(order(&closes), Some(Order { count: 3, reverse }));
    }

    #[test]
    fn a_descriptor_used_again_keeps_its_place() {
        // The first connection leaves; the fourth gets its descriptor and closes last.
        let closes = [
            (1, 10, false),
            (2, 1_020, true),
            (3, 1_010, true),
            (20, 1_030, true),
        ];
        let reverse = true;
        assert_eq!(order(&closes), Some(Order { count: 3, reverse }));
    }

    #[test]
    fn two_ends_of_a_process_are_not_one() {
        let second = 1_000_000_000;
        let closes = [(1, 10, true), (2, second, true), (3, 2 * second, true)];
        assert_eq!(order(&closes), None);
    }

    #[test]
    fn any_other_order_is_not_in_reverse() {
        let closes = [(1, 1_010, true), (2, 1_030, true), (3, 1_020, true)];
        let reverse = false;
        assert_eq!(order(&closes), Some(Order { count: 3, reverse }));
        assert_eq!(order(&closes[1..2]), None, "one close has no order");
    }
}
