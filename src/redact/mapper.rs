//! What stands for what: one keyed mapping for every source of a bundle, and the words that stay.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock};

use super::address::Addresses;
use super::key::{self, Key};
use crate::attribute::finding::Analysis;

/// Words that the grammars of this crate, servers, clients and operating systems use: they stay wherever they stand.
/// Sorted, lower case, one a line.
const WORDS: &str = include_str!("words.txt");

/// Names of programs, which name nobody, made of more than one word.
const PROGRAMS: &[&str] = &[
    "nats-server",
    "nats-streaming-server",
    "nats.js",
    "nats.py",
    "nats.go",
    "nats.ws",
    "nats.c",
    "nats.net",
    "nats.rs",
    "nats.java",
    "nats.ex",
    "nats.rb",
    "nats-py",
    "nats-pure",
    "async-nats",
    "nats-io",
    "nats-cli",
    "nats-client",
    "node-nats",
];

/// Words remembered, so that each is worked out once; beyond it the memory starts anew.
const REMEMBERED: usize = 1 << 18;

/// The mapping of one bundle.
pub struct Mapper {
    key: Key,
    addresses: Addresses,
    /// Names of the bundle by their first word, longest first.
    names: HashMap<String, Vec<String>>,
    /// Words that stay also inside names, because they are whole names somewhere: `client`, `app`.
    plain: HashSet<String>,
    known: Mutex<HashMap<String, String>>,
}

impl Mapper {
    /// The mapping that a key makes, without names of its own yet.
    pub fn new(key: &Key) -> Self {
        Self {
            key: key.clone(),
            addresses: Addresses::new(key.clone()),
            names: HashMap::new(),
            plain: HashSet::from(["nats".to_owned()]),
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Takes the names that an analysis knows: of clients, users, accounts, servers, clusters, hosts, pods.
    pub fn learn(&mut self, analysis: &Analysis) {
        let records = &analysis.records;
        for conn in records.conns.iter() {
            let Some(session) = &conn.session else {
                continue;
            };
            for info in session.info.iter().chain(&session.client_info) {
                let names = [
                    &info.server_name,
                    &info.cluster,
                    &info.domain,
                    &info.host,
                    &info.gateway,
                    &info.remote_account,
                ];
                names.into_iter().flatten().for_each(|name| self.name(name));
            }
            if let Some(connect) = &session.connect {
                let names = [
                    &connect.name,
                    &connect.user,
                    &connect.account,
                    &connect.cluster,
                    &connect.gateway,
                ];
                names.into_iter().flatten().for_each(|name| self.name(name));
            }
        }
        for life in &records.servers {
            let own = [
                &life.identity.name,
                &life.identity.cluster,
                &life.identity.host,
            ];
            own.into_iter().flatten().for_each(|name| self.name(name));
            for conn in &life.conns {
                // `user:app`: the server's word for the kind, then the name.
                let user = conn
                    .user
                    .as_deref()
                    .map(|user| user.split_once(':').map_or(user, |(_, name)| name));
                if let Some(user) = user {
                    self.name(user);
                }
                let names = [&conn.name, &conn.account, &conn.remote];
                names.into_iter().flatten().for_each(|name| self.name(name));
            }
        }
        // A file's stem is redacted as a file's name.
        for client in records
            .clients
            .iter()
            .filter(|client| client.name_from_text)
        {
            self.name(&client.name);
        }
        for source in &analysis.sources {
            let hints = [
                &source.hints.host,
                &source.hints.pod,
                &source.hints.container,
            ];
            hints.into_iter().flatten().for_each(|name| self.name(name));
        }
    }

    /// One name. A name that is a single ordinary word tells nothing, and would make nonsense of the lines that use it as a
    /// word; it stays.
    fn name(&mut self, name: &str) {
        let runs: Vec<&str> = runs(name).collect();
        let Some(first) = runs.first() else {
            return;
        };
        let programs = PROGRAMS.contains(&name.to_ascii_lowercase().as_str());
        if programs || name.parse::<IpAddr>().is_ok() || name.starts_with('$') {
            return;
        }
        if let [only] = runs[..] {
            if is_word(only) {
                self.plain.insert(only.to_lowercase());
            }
            return;
        }
        // Only what begins with a word is found again in a text.
        let start = name.len() - name.trim_start_matches(|c: char| !in_run(c)).len();
        let names = self.names.entry((*first).to_owned()).or_default();
        let name = &name[start..];
        let longest_first = |known: &String| {
            name.len()
                .cmp(&known.len())
                .then_with(|| known.as_str().cmp(name))
        };
        if let Err(at) = names.binary_search_by(longest_first) {
            names.insert(at, name.to_owned());
        }
    }

    /// The longest name of the bundle that begins `text`, whose first word is `first`, and ends with a word.
    pub fn name_at(&self, text: &str, first: &str) -> Option<usize> {
        let names = self.names.get(first)?;
        let fits = |name: &&String| {
            let behind = text.get(name.len()..).unwrap_or_default();
            text.starts_with(name.as_str()) && !behind.starts_with(in_run)
        };
        names.iter().find(fits).map(String::len)
    }

    /// The address that stands for another.
    pub fn ip(&self, ip: IpAddr) -> IpAddr {
        self.addresses.map(ip)
    }

    /// The hardware address that stands for another.
    pub fn mac(&self, mac: [u8; 6]) -> [u8; 6] {
        self.key.mac(mac)
    }

    /// The word that stands for another, of the same length.
    pub fn word(&self, word: &str) -> String {
        if let Some(new) = self
            .known
            .lock()
            .ok()
            .and_then(|known| known.get(word).cloned())
        {
            return new;
        }
        let new = self.key.word(word);
        if let Ok(mut known) = self.known.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(word.to_owned(), new.clone());
        }
        new
    }

    /// A word inside a name: like [`Mapper::word`], but for words that are whole names somewhere.
    pub fn name_word(&self, word: &str) -> String {
        if self.plain.contains(&word.to_lowercase()) {
            word.to_owned()
        } else {
            self.word(word)
        }
    }

    /// The nkey or seed that stands for another: its type letters stay.
    pub fn nkey(&self, nkey: &str) -> String {
        let types = if nkey.starts_with('S') { 2 } else { 1 };
        let (kind, rest) = nkey.split_at(types);
        format!(
            "{kind}{}",
            String::from_utf8_lossy(&self.key.base32(rest.as_bytes()))
        )
    }
}

/// True for characters that words are made of.
pub fn in_run(character: char) -> bool {
    character.is_ascii_alphanumeric() || (!character.is_ascii() && key::changes(character))
}

/// The words of a text.
pub fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !in_run(c)).filter(|run| !run.is_empty())
}

/// True for a word that stays: one of the list, in any case, or several written as one (`ConnectionResetError`).
pub fn is_word(run: &str) -> bool {
    static LIST: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let list = LIST.get_or_init(|| WORDS.lines().collect());
    let listed = |word: &str| list.contains(word.to_ascii_lowercase().as_str());
    listed(run)
        || humps(run).is_some_and(|mut words| words.all(|word| word.len() > 1 && listed(word)))
}

/// The words of a run in camel case; `None` where it is one word, or holds anything but letters.
fn humps(run: &str) -> Option<impl Iterator<Item = &str>> {
    let bytes = run.as_bytes();
    let begins = |at: usize| bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
    let camel = bytes.iter().all(u8::is_ascii_alphabetic) && (1..bytes.len()).any(begins);
    camel.then(|| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = run.get(at..).filter(|rest| !rest.is_empty())?;
            let end = (at + 1..bytes.len())
                .find(|&at| begins(at))
                .unwrap_or(bytes.len());
            let word = &rest[..end - at];
            at = end;
            Some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_lower_case() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert!(words.is_sorted());
        assert!(words.iter().all(|word| {
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        }));
        assert!(is_word("Stale") && is_word("ConnectionResetError") && is_word("readLoop"));
        assert!(!is_word("acme") && !is_word("AcmeClient") && !is_word("ClientX"));
    }

    #[test]
    fn names_are_found_whole() {
        let mut mapper = Mapper::new(&Key::from_bytes(b"k"));
        for name in [
            "reader-0",
            "reader-0-eu",
            "client",
            "NATS CLI Version 1",
            "nats.js",
        ] {
            mapper.name(name);
        }
        assert_eq!(mapper.name_at("reader-0: connected", "reader"), Some(8));
        assert_eq!(mapper.name_at("reader-0-eu: connected", "reader"), Some(11));
        assert_eq!(mapper.name_at("reader-01", "reader"), None);
        assert_eq!(mapper.name_at("nats.js", "nats"), None);
        assert_eq!(mapper.name_word("client"), "client");
        assert_ne!(mapper.name_word("reader"), "reader");
    }
}
