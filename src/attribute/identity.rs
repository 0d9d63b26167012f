//! Who the two ends of a connection are: addresses, names, versions, kind.

use std::net::SocketAddr;

use crate::reconstruct::server::ConnKind;
use crate::reconstruct::session::Protocol;

use super::disconnect::Disconnect;
use super::wire::{Side, View};

impl<'a> Disconnect<'a> {
    /// The client's address: as the server sees it where known, and its own where that differs.
    pub fn client_addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let logged = self.server.and_then(|conn| conn.peer);
        let at = |view: &View| match view.side(crate::reconstruct::conn::End::Orig) {
            Side::Client => view.conn.tuple.orig,
            Side::Server => view.conn.tuple.resp,
        };
        let server_leg = self.views.iter().find(|view| !view.leg.client_leg).map(at);
        let client_leg = self.views.iter().find(|view| view.leg.client_leg).map(at);
        let local = self
            .story
            .and_then(|story| story.events.get(self.client?.opened?))
            .and_then(|event| event.local);
        let seen = logged.or(server_leg).or(client_leg).or(local);
        let own = client_leg.or(local).filter(|own| Some(*own) != seen);
        (seen, own)
    }

    /// The server's address.
    pub fn server_address(&self) -> Option<SocketAddr> {
        let at = |view: &View| match view.side(crate::reconstruct::conn::End::Orig) {
            Side::Client => view.conn.tuple.resp,
            Side::Server => view.conn.tuple.orig,
        };
        self.views
            .iter()
            .find(|view| !view.leg.client_leg)
            .or(self.views.first())
            .map(at)
            .or_else(|| {
                self.life
                    .and_then(|(_, life)| life.identity.listen)
                    .filter(|at| !at.ip().is_unspecified())
            })
            .or_else(|| {
                self.client
                    .and_then(|conn| conn.server.as_ref()?.parse().ok())
            })
    }

    /// The connection's kind.
    pub fn kind(&self) -> ConnKind {
        self.server.map_or_else(
            || match self.session().map(|session| &session.protocol) {
                Some(Protocol::Route) => ConnKind::Route,
                Some(Protocol::Gateway) => ConnKind::Gateway,
                Some(Protocol::Leafnode) => ConnKind::Leafnode,
                Some(Protocol::Mqtt) => ConnKind::Mqtt,
                _ if self
                    .session()
                    .is_some_and(|session| session.websocket.is_some()) =>
                {
                    ConnKind::WebSocket
                }
                _ => ConnKind::Client,
            },
            |conn| conn.kind,
        )
    }

    /// Client name, library, version: CONNECT first, then the server's log, then the client's own.
    pub fn client_identity(&self) -> (Option<&'a str>, Option<&'a str>, Option<&'a str>) {
        let connect = self
            .views
            .iter()
            .filter_map(View::session)
            .find_map(|session| session.connect.as_ref());
        let take =
            |text: Option<&'a Box<str>>| text.filter(|text| !text.is_empty()).map(|text| &**text);
        let name = take(connect.and_then(|connect| connect.name.as_ref()))
            .or_else(|| take(self.server.and_then(|conn| conn.name.as_ref())))
            .or_else(|| take(self.server.and_then(|conn| conn.remote.as_ref())))
            .or_else(|| self.story.map(|story| &*story.name));
        let lang = take(connect.and_then(|connect| connect.lang.as_ref()))
            .or_else(|| take(self.server.and_then(|conn| conn.lang.as_ref())));
        let version = take(connect.and_then(|connect| connect.version.as_ref()))
            .or_else(|| take(self.server.and_then(|conn| conn.version.as_ref())))
            .or_else(|| take(self.story.and_then(|story| story.version.as_ref())));
        (name, lang, version)
    }

    /// The server's version: INFO first, then its log.
    pub fn server_version(&self) -> Option<&'a str> {
        self.info()
            .map(|info| &*info.version)
            .filter(|version| !version.is_empty())
            .or_else(|| {
                self.life
                    .and_then(|(_, life)| life.identity.version.as_deref())
            })
    }
}
