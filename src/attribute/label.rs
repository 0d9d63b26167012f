//! The two ends of a connection in words. Written when somebody reads it: most rules look at a connection and leave.

use std::fmt;

use super::disconnect::Disconnect;
use super::endpoint;

/// An end in words.
#[derive(Clone, Copy, Debug)]
pub enum Label<'d> {
    /// The server: its name, else its address, else "the server".
    Server(&'d Disconnect<'d>),
    /// The client: its name, else its address, else "the client".
    Client(&'d Disconnect<'d>),
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(disconnect) => {
                match (server_name(disconnect), disconnect.server_address()) {
                    (Some(name), Some(address)) => write!(f, "server {name} ({address})"),
                    (Some(name), None) => write!(f, "server {name}"),
                    (None, Some(address)) => write!(f, "server {address}"),
                    (None, None) => f.write_str("the server"),
                }
            }
            Self::Client(disconnect) => {
                match (
                    disconnect.client_identity().0,
                    disconnect.client_addresses().0,
                ) {
                    (Some(name), _) => write!(f, "client {name}"),
                    (None, Some(address)) => write!(f, "client {address}"),
                    (None, None) => f.write_str("the client"),
                }
            }
        }
    }
}

/// A server's name where it has one of its own; an id in its place is cut to what tells it apart.
pub(super) fn server_name(disconnect: &Disconnect) -> Option<String> {
    let from_info = disconnect
        .info()
        .and_then(|info| info.server_name.as_deref());
    let from_log = disconnect
        .life
        .and_then(|(_, life)| life.identity.name.as_deref());
    let name = from_info.or(from_log).filter(|name| !name.is_empty())?;
    let generated = name.len() == 56 && name.starts_with('N');
    Some(if generated {
        format!("{}…", endpoint::short(name))
    } else {
        name.to_owned()
    })
}
