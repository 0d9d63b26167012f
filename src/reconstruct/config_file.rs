//! A nats-server configuration file: which server it is for, and the limits that it sets.

use std::net::SocketAddr;

use super::limits;
use super::server::Limits;
use crate::parse::server_config::settings;
use crate::parse::server_log::client_prefix::socket_address;
use crate::source::SourceId;
use crate::span::{Cite, LogRef};

/// What a configuration file tells.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    /// The source.
    pub source: SourceId,
    /// Its file name, without folders.
    pub file: String,
    /// `server_name`.
    pub name: Option<String>,
    /// Client listener, as far as it is an address.
    pub listen: Option<SocketAddr>,
    /// Client port.
    pub port: Option<u16>,
    /// Limits and timers.
    pub limits: Limits,
}

/// Reads a file's text. The second value is the line at which reading stopped, if it did.
pub fn read(source: SourceId, path: &str, text: &str) -> (ConfigFile, Option<u64>) {
    let (rows, stopped) = settings(text);
    let mut config = ConfigFile {
        source,
        file: base_name(path).to_owned(),
        ..ConfigFile::default()
    };
    let mut host: Option<String> = None;
    for row in rows {
        let at = LogRef {
            stamp: None,
            outer: None,
            cite: Cite::line(source, row.line),
            text: format!("{}: {}", row.option, row.value).into(),
        };
        match row.option.as_str() {
            "server_name" => config.name = Some(row.value),
            "listen" => {
                config.listen = socket_address(&row.value);
                let port = row
                    .value
                    .rsplit(':')
                    .next()
                    .and_then(|port| port.parse().ok());
                config.port = port.or(config.port);
            }
            "port" => config.port = row.value.parse().ok(),
            "host" | "net" => host = Some(row.value),
            option => {
                limits::set(&mut config.limits, option, &row.value, &at);
            }
        }
    }
    if config.listen.is_none()
        && let (Some(host), Some(port)) = (host, config.port)
    {
        config.listen = socket_address(&format!("{host}:{port}"));
    }
    (config, stopped)
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
