//! What both hellos of a connection say, and what its records are opened with where somebody logged the secrets.

use super::Keys;
use super::facts::index;
use crate::parse::tls::Hello;
use crate::parse::tls::key_log::Random;
use crate::parse::tls::protection::{Opener, Suite};
use crate::reconstruct::conn::End;
use crate::reconstruct::key_log::{KeyRing, Secrets};

/// The handshake as far as keys need it.
#[derive(Debug, Default)]
pub struct TlsHandshake {
    client: Option<(End, Random)>,
    server: Option<(u16, u16, Random)>,
    secrets: Option<Box<Secrets>>,
    /// What became of the keys: originator's and responder's records.
    pub keys: [Keys; 2],
}

/// What the records of a direction are opened with.
#[derive(Debug)]
pub enum Openers {
    /// A hello is still to come.
    NotYet,
    /// There is none.
    Never(Keys),
    /// These: until the end of the handshake (TLS 1.3), and behind it.
    Now(Suite, Option<Opener>, Opener),
}

impl TlsHandshake {
    /// A hello of one end.
    pub fn hello(&mut self, from: End, hello: &Hello, ring: Option<&KeyRing>) {
        match hello {
            // The second ClientHello, after a HelloRetryRequest, has the same random.
            Hello::Client { random, .. } if self.client.is_none() => {
                self.client = Some((from, *random));
                self.secrets = ring.and_then(|ring| ring.get(random)).map(Box::new);
            }
            Hello::Server {
                version,
                suite,
                retry: false,
                random,
            } => {
                self.server.get_or_insert((*version, *suite, *random));
            }
            _ => {}
        }
    }

    /// What the records of `from` are opened with.
    pub fn openers(&self, from: End) -> Openers {
        let Some((client, client_random)) = &self.client else {
            return Openers::NotYet;
        };
        let Some(secrets) = &self.secrets else {
            return Openers::Never(Keys::NotGiven);
        };
        let Some((version, suite, server_random)) = &self.server else {
            return Openers::NotYet;
        };
        let Some(suite) = Suite::new(*version, *suite) else {
            return Openers::Never(Keys::Unsupported);
        };
        let writer = usize::from(from != *client);
        let opener = if suite.is_1_3() {
            let of = |secret: Option<_>| secret.and_then(|secret| Opener::tls_1_3(suite, secret));
            of(secrets.traffic[writer]).map(|traffic| (of(secrets.handshake[writer]), traffic))
        } else {
            secrets
                .master
                .and_then(|master| Opener::tls_1_2(suite, &master, client_random, server_random))
                .map(|[client, server]| (None, if writer == 0 { client } else { server }))
        };
        match opener {
            Some((early, opener)) => Openers::Now(suite, early, opener),
            None => Openers::Never(Keys::NotGiven),
        }
    }

    /// What became of the keys of both directions.
    pub fn outcome(&self) -> Keys {
        let [one, other] = self.keys;
        one.max(other)
    }

    /// Notes what became of the keys of `from`.
    pub fn note(&mut self, from: End, keys: Keys) {
        self.keys[index(from)] = keys;
    }
}
