//! What one connection tells of others than its server.

use std::ops::ControlFlow;

use super::disconnect::Disconnect;
use super::server_gone::by_itself;
use super::stale;
use super::survival::Silences;
use crate::align::clock::When;

/// What one connection tells of others of its kind. Few have anything to say.
#[derive(Debug, Default)]
pub struct Aside {
    /// How long it waited for a greeting that never came, and when it left.
    pub wait: Option<(i64, i64)>,
    /// Which silences it lived through or died of.
    pub silences: Silences,
    /// When its client left, by its log, after the server had called it stale.
    pub stale_left: Option<When>,
    /// By itself it does not exclude that its server's process ended with it.
    pub may_be_gone: bool,
    /// Nobody listened.
    pub refused: bool,
}

impl Aside {
    /// Listens to one connection.
    pub fn new(disconnect: &Disconnect) -> Self {
        let wait = || {
            let view = disconnect.views.iter().find(|view| view.established())?;
            let wait = view
                .wait_for_greeting()
                .filter(|_| !view.greeted_in_time())?;
            Some((wait, disconnect.closed?.at.0))
        };
        let left = || disconnect.log(&disconnect.client_closed()?.at);
        Self {
            wait: wait(),
            silences: Silences::of(disconnect),
            stale_left: stale::stated(disconnect).then(left).flatten(),
            may_be_gone: !matches!(by_itself(disconnect), ControlFlow::Break(None)),
            refused: disconnect.refused().is_some(),
        }
    }
}

/// What all connections tell of others, by their indices in the case.
#[derive(Debug, Default)]
pub struct Asides {
    /// See [`Aside::wait`].
    pub waits: Vec<(u32, i64, i64)>,
    /// The silence that a connection died of.
    pub died: Vec<(u32, i64)>,
    /// The longest silence that it lived through.
    pub lived: Vec<(u32, i64)>,
    /// See [`Aside::stale_left`].
    pub stale_left: Vec<When>,
    /// See [`Aside::may_be_gone`].
    pub may_be_gone: Vec<u32>,
    /// See [`Aside::refused`].
    pub refused: Vec<u32>,
}

impl Asides {
    /// Takes what one connection tells.
    pub fn take(&mut self, index: usize, aside: &Aside) {
        let index = index as u32;
        self.waits
            .extend(aside.wait.map(|(wait, left)| (index, wait, left)));
        let Silences { died, lived } = aside.silences;
        self.died.extend(died.map(|died| (index, died)));
        self.lived.extend(lived.map(|lived| (index, lived)));
        self.stale_left.extend(aside.stale_left);
        self.may_be_gone.extend(aside.may_be_gone.then_some(index));
        self.refused.extend(aside.refused.then_some(index));
    }
}
