//! What the client's log says about the end of one connection.

use crate::reconstruct::client::{ClientEvent, ClientEventKind, ClientOutcome, Trouble};

use super::disconnect::Disconnect;
use super::finding::Evidence;
use super::wire::Side;

impl<'a> Disconnect<'a> {
    /// The event that made this connection in the client's log.
    pub fn client_opened(&self) -> Option<&'a ClientEvent> {
        self.story?.events.get(self.client?.opened?)
    }

    /// The event that ended it in the client's log.
    pub fn client_closed(&self) -> Option<&'a ClientEvent> {
        self.story?.events.get(self.client?.closed?)
    }

    /// All events of the client's log that tell why it ended.
    pub fn client_why(&self) -> impl Iterator<Item = &'a ClientEvent> + '_ {
        let story = self.story;
        self.client
            .into_iter()
            .flat_map(|conn| conn.why.iter().copied().chain(conn.closed))
            .filter_map(move |at| story?.events.get(at))
    }

    /// What went wrong in the client's words.
    pub fn troubles(&self) -> impl Iterator<Item = (&'a ClientEvent, &'a Trouble)> + '_ {
        self.client_why().filter_map(|event| match &event.kind {
            ClientEventKind::Disconnected(trouble)
            | ClientEventKind::Closed(trouble)
            | ClientEventKind::ConnectFailed(trouble)
            | ClientEventKind::Error(trouble) => Some((event, trouble)),
            ClientEventKind::Stale => Some((event, &Trouble::Stale)),
            _ => None,
        })
    }

    /// The client's log line with a trouble of this kind.
    pub fn trouble(&self, wanted: impl Fn(&Trouble) -> bool) -> Option<&'a ClientEvent> {
        self.troubles()
            .find(|(_, trouble)| wanted(trouble))
            .map(|(event, _)| event)
    }

    /// The client decided itself that the connection was stale: its log says so in words that its library uses for
    /// that alone, or its last PINGs went unanswered and it closed first.
    pub fn client_gave_up_waiting(&self) -> Option<Evidence> {
        let spoken = self
            .client_why()
            .find(|event| matches!(event.kind, ClientEventKind::Stale));
        let wire = self.views.iter().find_map(|view| {
            let unanswered = view.unanswered(Side::Client)?;
            let close = view.closer()?;
            (close.side == Side::Client && unanswered.count >= 1).then(|| {
                view.evidence(
                    unanswered.first,
                    format!(
                        "first of {} PINGs of the client that no PONG answers",
                        unanswered.count
                    ),
                )
            })
        });
        wire.or_else(|| spoken.map(|event| self.quote(&event.at)))
    }

    /// The application meant the close, by its log.
    pub fn intended(&self) -> bool {
        self.client.is_some_and(|conn| conn.intended)
    }

    /// The client's log tells of a loss: its library came back by itself, or tried to.
    pub fn lost_by_log(&self) -> bool {
        self.client.is_some_and(|conn| {
            let missed = match conn.outcome {
                ClientOutcome::Reconnected | ClientOutcome::GaveUp | ClientOutcome::StillDown => {
                    true
                }
                // A process may end while its library is still looking for another server.
                ClientOutcome::Exited => conn.attempts > 0,
                ClientOutcome::Unknown | ClientOutcome::Silent => false,
            };
            !conn.intended && conn.closed.is_some() && missed
        })
    }
}
