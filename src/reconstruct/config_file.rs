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
    /// Its path as given, to find what it includes beside it.
    pub path: String,
    /// Files that it includes at the top, as written, each with the limits that are set after it and so outrank it.
    pub includes: Vec<(String, Limits)>,
}

/// Reads a file's text. The second value is the line at which reading stopped, if it did.
pub fn read(source: SourceId, path: &str, text: &str) -> (ConfigFile, Option<u64>) {
    let (rows, stopped) = settings(text);
    let mut config = ConfigFile {
        source,
        file: base_name(path).to_owned(),
        path: path.to_owned(),
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
            "include" if config.includes.len() < INCLUDES => {
                config.includes.push((row.value, Limits::default()));
            }
            option => {
                let now = match config.includes.last_mut() {
                    Some((_, after)) => after,
                    None => &mut config.limits,
                };
                limits::set(now, option, &row.value, &at);
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

/// Includes of one file that are followed.
const INCLUDES: usize = 64;

/// Files that include files that include files: no deeper than this, and so never round in circles.
const DEPTH: usize = 8;

/// Includes that are followed for one file, all levels together.
const FOLLOWED: usize = 256;

/// Puts what each file includes into it; files that others include are parts of those, and no servers' own. Only files
/// that were given are looked at, none is opened: a path that leads out of the bundle finds nothing.
pub fn follow_includes(configs: &[ConfigFile]) -> Vec<ConfigFile> {
    let mut is_part = vec![false; configs.len()];
    let mut whole = Vec::new();
    for index in 0..configs.len() {
        let mut left = FOLLOWED;
        whole.push(followed(configs, index, DEPTH, &mut left, &mut is_part));
    }
    let own = whole.into_iter().zip(is_part);
    own.filter(|(_, is_part)| !is_part)
        .map(|(config, _)| config)
        .collect()
}

/// A file with its includes in their places: what is set later counts.
fn followed(
    configs: &[ConfigFile],
    index: usize,
    depth: usize,
    left: &mut usize,
    is_part: &mut [bool],
) -> ConfigFile {
    let mut config = configs[index].clone();
    let own = std::mem::take(&mut config.limits);
    for (path, after) in std::mem::take(&mut config.includes).into_iter().rev() {
        limits::fill(&mut config.limits, &after);
        let found = included(configs, index, &path).filter(|found| depth > 0 && *found != index);
        if let Some(found) = found
            && *left > 0
        {
            *left -= 1;
            is_part[found] = true;
            let part = followed(configs, found, depth - 1, left, is_part);
            limits::fill(&mut config.limits, &part.limits);
            config.name = config.name.or(part.name);
            config.listen = config.listen.or(part.listen);
            config.port = config.port.or(part.port);
        }
    }
    limits::fill(&mut config.limits, &own);
    config
}

/// The given file that `path`, written in `configs[from]`, names: beside that file, or for an absolute path the only one
/// whose own path ends like it, as in a bundle with a folder for each host.
fn included(configs: &[ConfigFile], from: usize, path: &str) -> Option<usize> {
    if path.starts_with('/') {
        let mut ends = (0..configs.len()).filter(|&index| configs[index].path.ends_with(path));
        return ends.next().filter(|_| ends.next().is_none());
    }
    let folder = configs[from].path.rsplit_once(['/', '\\']);
    let mut parts: Vec<&str> = folder.map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let wanted = parts.join("/");
    (0..configs.len()).find(|&index| configs[index].path == wanted)
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<ConfigFile> {
        let read = |(index, (path, text)): (usize, &(&str, &str))| {
            super::read(SourceId(index as u32), path, text).0
        };
        follow_includes(&files.iter().enumerate().map(read).collect::<Vec<_>>())
    }

    #[test]
    fn an_include_sets_what_comes_before_it_and_not_what_comes_after() {
        let found = files(&[
            (
                "b/limits/all.conf",
                "max_payload: 1MB\nmax_pending: 2MB\nping_max: 5\n",
            ),
            (
                "b/nats.conf",
                "port: 4222\nmax_payload: 8MB\ninclude './limits/all.conf'\nmax_pending: 9MB\n",
            ),
        ]);
        assert_eq!(found.len(), 1);
        let limits = &found[0].limits;
        assert_eq!(found[0].file, "nats.conf");
        assert_eq!(limits.max_payload, Some(1 << 20));
        assert_eq!(limits.max_pending, Some(9 << 20));
        assert_eq!(limits.ping_max, Some(5));
        assert_eq!(limits.from[0].cite.source, SourceId(1));
    }

    #[test]
    fn circles_end_and_paths_out_of_the_bundle_find_nothing() {
        let found = files(&[
            ("a.conf", "ping_max: 3\ninclude b.conf\n"),
            ("b.conf", "max_payload: 1MB\ninclude a.conf\n"),
            (
                "c.conf",
                "ping_max: 4\ninclude ../../etc/passwd\ninclude c.conf\n",
            ),
        ]);
        // Each of the first two is part of the other; the third stands alone, with its own limits.
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].limits.ping_max, Some(4));
        assert_eq!(found[0].limits.max_payload, None);
    }

    #[test]
    fn an_absolute_path_is_found_under_a_host_s_folder() {
        let found = files(&[
            ("bundle/n1/etc/nats/limits.conf", "max_connections: 7\n"),
            (
                "bundle/n1/etc/nats/nats.conf",
                "include /etc/nats/limits.conf\n",
            ),
        ]);
        assert_eq!(found[0].limits.max_connections, Some(7));
    }
}
