//! The JSON of INFO and CONNECT, read field by field: a field of the wrong type is left out, a text that breaks off
//! gives the fields before the break, unknown fields cost nothing.
//!
//! Fields and since-versions: nats-server `server/server.go` (struct `Info`), `server/client.go` (struct `ClientOpts`),
//! `server/route.go` and `server/leafnode.go` for the CONNECT of servers.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::shelf::word::{self, Word};

/// A known field that no verdict needs, as the JSON text it came with; of one that lists subjects, how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The field.
    #[serde(with = "word")]
    pub name: Word,
    /// Its value, if it takes no more than [`Other::LONGEST`] bytes; else its beginning.
    pub value: Box<str>,
}

impl Other {
    /// Bytes of a value.
    pub const LONGEST: usize = 512;

    fn of(names: &[Word], name: &str, value: &Value) -> Option<Self> {
        let name = names.iter().find(|known| **known == name)?;
        if value.is_null() {
            return None;
        }
        // Subjects are told by their number only.
        let mut text = if matches!(*name, "import" | "export" | "deny_pub") {
            texts_in(value).to_string()
        } else {
            value.to_string()
        };
        while text.len() > Self::LONGEST {
            text.pop();
        }
        Some(Self {
            name,
            value: text.into(),
        })
    }
}

/// Fields of INFO that are only told, with the version that they came with; the payload of gateway commands is left out.
const TOLD_BY_INFO: &[Word] = &[
    "go",                  // 0.6.2
    "ip",                  // 0.8.0
    "git_commit",          // 1.0.6
    "import",              // 1.4.0
    "export",              // 1.4.0
    "gateway_url",         // 2.0.0
    "gateway_urls",        // 2.0.0
    "gateway_cmd",         // 2.0.0
    "gateway_nrp",         // 2.1.2
    "gateway_iom",         // 2.9.0
    "leafnode_urls",       // 2.0.0
    "ws_connect_urls",     // 2.2.0
    "cluster_dynamic",     // 2.2.0
    "lnoc",                // 2.2.0
    "connect_info",        // 2.2.2
    "info_on_connect",     // 2.2.2
    "xkey",                // 2.10.0
    "route_pool_size",     // 2.10.0
    "route_pool_idx",      // 2.10.0
    "route_account",       // 2.10.0
    "route_acc_add_reqid", // 2.10.0
    "lnocu",               // 2.10.23
    "gossip_mode",         // 2.11.0
    "api_lvl",             // 2.12.0
    "acc_is_sys",          // 2.12.0
];

/// Fields of CONNECT that are only told. Signatures (`sig`, `proxy_sig`) are no facts that anybody could use.
const TOLD_BY_CONNECT: &[Word] = &[
    "ssl_required",    // until 1.0.6
    "echo",            // 1.2.0
    "new_account",     // 2.0.0
    "compression",     // leafnodes, 2.0.0
    "is_hub",          // leafnodes, 2.1.7
    "server_id",       // leafnodes, 2.2.0
    "cluster_dynamic", // 2.2.0
    "lnoc",            // 2.2.0
    "deny_pub",        // leafnodes, 2.2.2
    "jetstream",       // leafnodes, 2.3.0
    "domain",          // leafnodes, 2.7.0
    "compress_mode",   // leafnodes, 2.10.0
    "lnocu",           // 2.10.23
    "isolate",         // leafnodes, 2.12.0
];

/// What INFO says (nats-server `server/server.go`, struct `Info`). Fields not named here are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// `server_id`.
    pub server_id: Box<str>,
    /// `server_name`, since 2.1.2.
    pub server_name: Option<Box<str>>,
    /// `version`.
    pub version: Box<str>,
    /// `client_id`: the cid of the server's log.
    pub client_id: Option<u64>,
    /// `client_ip`: the peer as the server sees it, since 2.1.6.
    pub client_ip: Option<IpAddr>,
    /// `host` and `port`.
    pub host: Option<Box<str>>,
    /// `port`.
    pub port: Option<u16>,
    /// `max_payload`.
    pub max_payload: Option<u64>,
    /// `tls_required` (`ssl_required` until 1.0.6).
    pub tls_required: bool,
    /// `tls_verify`: the server asks for a client certificate.
    pub tls_verify: bool,
    /// `tls_available`.
    pub tls_available: bool,
    /// `auth_required`.
    pub auth_required: bool,
    /// `headers`.
    pub headers: bool,
    /// `jetstream`.
    pub jetstream: bool,
    /// `ldm`: lame duck mode.
    pub ldm: bool,
    /// `cluster`.
    pub cluster: Option<Box<str>>,
    /// `domain`: the JetStream domain.
    pub domain: Option<Box<str>>,
    /// `connect_urls`.
    pub connect_urls: Vec<Box<str>>,
    /// `leafnode_urls` present: a leafnode port.
    pub leafnode: bool,
    /// `gateway`: the cluster's name on a gateway port.
    pub gateway: Option<Box<str>>,
    /// `compression`, on route and leafnode ports since 2.10.0.
    pub compression: Option<Box<str>>,
    /// `remote_account`: the account that the connection is bound to, in a later INFO.
    pub remote_account: Option<Box<str>>,
    /// `proto`.
    pub proto: Option<i64>,
    /// `nonce` present.
    pub nonce: bool,
    /// What else it says.
    pub others: Vec<Other>,
}

/// What CONNECT says. Secrets are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// `name`.
    pub name: Option<Box<str>>,
    /// `lang`.
    pub lang: Option<Box<str>>,
    /// `version`.
    pub version: Option<Box<str>>,
    /// `user`, the name in a JWT, or the public key `nkey`.
    pub user: Option<Box<str>>,
    /// `account`, or the account's public key from a JWT; of leafnodes `remote_account`.
    pub account: Option<Box<str>>,
    /// `protocol`.
    pub protocol: Option<i64>,
    /// `headers`; `None` where absent.
    pub headers: Option<bool>,
    /// `no_responders`.
    pub no_responders: Option<bool>,
    /// `verbose`.
    pub verbose: bool,
    /// `pedantic`.
    pub pedantic: bool,
    /// `tls_required`.
    pub tls_required: bool,
    /// Which credentials were given: `user`, `token`, `nkey`, `jwt`, or none.
    #[serde(with = "word::optional")]
    pub credentials: Option<Word>,
    /// `cluster`: the cluster's name, from a route or a leafnode.
    pub cluster: Option<Box<str>>,
    /// `gateway`: the cluster's name, from a gateway.
    pub gateway: Option<Box<str>>,
    /// `server_id` or `is_hub` present, or `remote_account`: a leafnode.
    pub leafnode: bool,
    /// What else it says.
    pub others: Vec<Other>,
}

impl Info {
    /// Reads the JSON behind `INFO`; the flag says that it was read to its end.
    pub fn from_json(json: &[u8]) -> (Self, bool) {
        let mut info = Self::default();
        let whole = each_field(json, |name, value| info.take(name, value));
        (info, whole)
    }

    fn wants(name: &str) -> bool {
        matches!(
            name,
            "server_id"
                | "server_name"
                | "version"
                | "client_id"
                | "client_ip"
                | "host"
                | "port"
                | "max_payload"
                | "tls_required"
                | "ssl_required"
                | "tls_verify"
                | "tls_available"
                | "auth_required"
                | "headers"
                | "jetstream"
                | "ldm"
                | "cluster"
                | "domain"
                | "connect_urls"
                | "leafnode_urls"
                | "gateway"
                | "compression"
                | "remote_account"
                | "proto"
                | "nonce"
        ) || TOLD_BY_INFO.contains(&name)
    }

    fn take(&mut self, name: &str, value: Value) {
        match name {
            "server_id" => self.server_id = text(value).unwrap_or_default(),
            "server_name" => self.server_name = text(value),
            "version" => self.version = text(value).unwrap_or_default(),
            "client_id" => self.client_id = value.as_u64(),
            "client_ip" => self.client_ip = value.as_str().and_then(|ip| ip.parse().ok()),
            "host" => self.host = text(value),
            "port" => self.port = value.as_u64().and_then(|port| port.try_into().ok()),
            "max_payload" => self.max_payload = value.as_u64(),
            "tls_required" | "ssl_required" => self.tls_required |= truth(&value),
            "tls_verify" => self.tls_verify = truth(&value),
            "tls_available" => self.tls_available = truth(&value),
            "auth_required" => self.auth_required = truth(&value),
            "headers" => self.headers = truth(&value),
            "jetstream" => self.jetstream = truth(&value),
            "ldm" => self.ldm = truth(&value),
            "cluster" => self.cluster = text(value),
            "domain" => self.domain = text(value),
            "connect_urls" => self.connect_urls = texts(value),
            "leafnode_urls" => {
                self.leafnode = true;
                self.tell(name, &value);
            }
            "gateway" => self.gateway = text(value),
            "compression" => self.compression = text(value),
            "remote_account" => self.remote_account = text(value),
            "proto" => self.proto = value.as_i64(),
            "nonce" => self.nonce = value.as_str().is_some_and(|nonce| !nonce.is_empty()),
            _ => self.tell(name, &value),
        }
    }

    fn tell(&mut self, name: &str, value: &Value) {
        self.others.extend(Other::of(TOLD_BY_INFO, name, value));
    }
}

impl Connect {
    /// Reads the JSON behind `CONNECT`; the flag says that it was read to its end.
    pub fn from_json(json: &[u8]) -> (Self, bool) {
        let mut connect = Self::default();
        let mut nkey = None;
        let whole = each_field(json, |name, value| connect.take(name, value, &mut nkey));
        if connect.user.is_none() {
            connect.user = nkey;
        }
        (connect, whole)
    }

    fn wants(name: &str) -> bool {
        matches!(
            name,
            "name"
                | "lang"
                | "version"
                | "user"
                | "pass"
                | "auth_token"
                | "nkey"
                | "jwt"
                | "account"
                | "protocol"
                | "headers"
                | "no_responders"
                | "verbose"
                | "pedantic"
                | "tls_required"
                | "cluster"
                | "gateway"
                | "server_id"
                | "is_hub"
                | "remote_account"
        ) || TOLD_BY_CONNECT.contains(&name)
    }

    fn take(&mut self, name: &str, value: Value, nkey: &mut Option<Box<str>>) {
        match name {
            "name" => self.name = text(value),
            "lang" => self.lang = text(value),
            "version" => self.version = text(value),
            "user" => {
                self.user = text(value);
                if self.user.is_some() {
                    self.given("user");
                }
            }
            "auth_token" if value.as_str().is_some_and(|token| !token.is_empty()) => {
                self.given("token");
            }
            "nkey" => {
                if let Some(key) = text(value) {
                    self.given("nkey");
                    nkey.get_or_insert(key);
                }
            }
            "jwt" => {
                if let Some(jwt) = text(value) {
                    let claims = super::jwt::claims(&jwt);
                    self.account = self.account.take().or(claims.account);
                    *nkey = claims.user.or(nkey.take());
                    self.given("jwt");
                }
            }
            "account" => self.account = text(value).or(self.account.take()),
            "protocol" => self.protocol = value.as_i64(),
            "headers" => self.headers = value.as_bool(),
            "no_responders" => self.no_responders = value.as_bool(),
            "verbose" => self.verbose = truth(&value),
            "pedantic" => self.pedantic = truth(&value),
            "tls_required" => self.tls_required = truth(&value),
            "cluster" => self.cluster = text(value),
            "gateway" => self.gateway = text(value),
            "server_id" | "is_hub" => {
                self.leafnode = true;
                self.tell(name, &value);
            }
            "remote_account" => {
                self.leafnode = true;
                self.account = text(value).or(self.account.take());
            }
            _ => self.tell(name, &value),
        }
    }

    fn tell(&mut self, name: &str, value: &Value) {
        self.others.extend(Other::of(TOLD_BY_CONNECT, name, value));
    }

    /// A JWT comes with an nkey's signature, and old clients repeat the token as user: the strongest one counts.
    fn given(&mut self, what: &'static str) {
        const ORDER: [&str; 4] = ["user", "token", "nkey", "jwt"];
        let rank = |word: Option<&str>| ORDER.iter().position(|&known| Some(known) == word);
        if rank(Some(what)) > rank(self.credentials) {
            self.credentials = Some(what);
        }
    }
}

fn texts_in(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(list) => list.iter().map(texts_in).sum(),
        Value::Object(fields) => fields.values().map(texts_in).sum(),
        _ => 0,
    }
}

/// A text that is not empty.
fn text(value: Value) -> Option<Box<str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.into_boxed_str()),
        _ => None,
    }
}

fn texts(value: Value) -> Vec<Box<str>> {
    match value {
        Value::Array(list) => list.into_iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

/// Hands each field of a JSON object to `take` in order; false when the text is no whole object.
fn each_field(json: &[u8], take: impl FnMut(&str, Value)) -> bool {
    // A number at the very end is cut: nobody knows which digits are missing.
    let mut end = json.len();
    while end > 0
        && matches!(
            json[end - 1],
            b'0'..=b'9' | b'.' | b'-' | b'e' | b'E' | b'+'
        )
    {
        end -= 1;
    }
    let mut reader = serde_json::Deserializer::from_slice(&json[..end]);
    Fields(take).deserialize(&mut reader).is_ok()
}

/// The name of a field, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Fields<F>(F);

impl<'de, F: FnMut(&str, Value)> DeserializeSeed<'de> for Fields<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, Value)> Visitor<'de> for Fields<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key()? {
            if Info::wants(&name) || Connect::wants(&name) {
                let value = map.next_value::<Value>()?;
                (self.0)(&name, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Connect, Info};

    const INFO: &str = r#"{"server_id":"NDJ2","server_name":"n1","version":"2.12.8","proto":1,"git_commit":"1a2b3c4","go":"go1.25","host":"0.0.0.0","port":4222,"headers":true,"auth_required":true,"max_payload":1048576,"jetstream":true,"client_id":7,"client_ip":"10.0.0.7","cluster":"c","connect_urls":["10.0.0.1:4222","10.0.0.2:4222"],"xkey":"XA"}"#;

    #[test]
    fn info_of_a_server() {
        let (info, whole) = Info::from_json(INFO.as_bytes());
        assert!(whole);
        assert_eq!(&*info.server_id, "NDJ2");
        assert_eq!(info.server_name.as_deref(), Some("n1"));
        assert_eq!(&*info.version, "2.12.8");
        assert_eq!(info.client_id, Some(7));
        assert_eq!(info.client_ip, "10.0.0.7".parse().ok());
        assert_eq!((info.port, info.max_payload), (Some(4222), Some(1_048_576)));
        assert!(info.auth_required && info.headers && info.jetstream);
        assert!(!info.tls_required && !info.ldm && !info.nonce);
        assert_eq!(info.connect_urls.len(), 2);
    }

    #[test]
    fn a_text_that_breaks_off_gives_the_fields_before_it() {
        for cut in 0..INFO.len() {
            let (info, whole) = Info::from_json(&INFO.as_bytes()[..cut]);
            assert!(!whole, "{cut}");
            assert_eq!(
                info.client_id.is_some(),
                cut > INFO.find(":7").unwrap() + 2,
                "{cut}"
            );
        }
    }

    /// What a 2.12.8 sends to a leafnode, and the leafnode to it; without the keys of the recording.
    #[test]
    fn fields_that_are_only_told_keep_their_json() {
        let told = |others: &[super::Other]| -> String {
            let each = others
                .iter()
                .map(|other| format!("{}={}", other.name, other.value));
            each.collect::<Vec<_>>().join(" ")
        };
        let (info, _) = Info::from_json(INFO.as_bytes());
        assert_eq!(
            told(&info.others),
            r#"git_commit="1a2b3c4" go="go1.25" xkey="XA""#
        );
        let (leaf, whole) = Connect::from_json(
            br#"{"sig":"never","pass":"never","server_id":"NA","domain":"hub","name":"l","is_hub":true,"cluster":"l","headers":true,"jetstream":true,"deny_pub":["$JS.>","$KV.>"],"compress_mode":"s2_auto","protocol":1,"isolate":null}"#,
        );
        assert!(whole && leaf.leafnode);
        assert_eq!(
            told(&leaf.others),
            r#"server_id="NA" domain="hub" is_hub=true jetstream=true deny_pub=2 compress_mode="s2_auto""#
        );
    }

    #[test]
    fn wrong_types_cost_their_field_only() {
        let (info, whole) = Info::from_json(
            br#"{"server_id":5,"port":99999,"headers":"yes","connect_urls":[1,"a:1"],"client_ip":"x","version":"2.9.0"}"#,
        );
        assert!(whole);
        assert_eq!(
            (&*info.server_id, info.port, info.headers),
            ("", None, false)
        );
        assert_eq!(info.connect_urls, ["a:1".into()]);
        assert_eq!(&*info.version, "2.9.0");
    }

    #[test]
    fn names_of_fields_may_be_escaped() {
        let (info, whole) = Info::from_json(br#"{"server\u005fid":"N\u0044J2","\u0067o":"go\"1"}"#);
        assert!(whole);
        assert_eq!(&*info.server_id, "NDJ2");
        let others: Vec<_> = info
            .others
            .iter()
            .map(|other| (other.name, &*other.value))
            .collect();
        assert_eq!(others, [("go", r#""go\"1""#)]);
    }

    #[test]
    fn connect_of_clients() {
        let (go, whole) = Connect::from_json(
            br#"{"verbose":false,"pedantic":false,"user":"app","pass":"secret","tls_required":false,"name":"","lang":"go","version":"1.53.1","protocol":1,"echo":true,"headers":true,"no_responders":true}"#,
        );
        assert!(whole);
        assert_eq!(go.name, None);
        assert_eq!(
            (go.lang.as_deref(), go.version.as_deref()),
            (Some("go"), Some("1.53.1"))
        );
        assert_eq!(
            (go.user.as_deref(), go.credentials),
            (Some("app"), Some("user"))
        );
        assert_eq!((go.headers, go.no_responders), (Some(true), Some(true)));
        assert!(!format!("{go:?}").contains("secret"));

        let (rust, _) = Connect::from_json(
            br#"{"verbose":false,"jwt":"ey.x.y","nkey":"UABC","sig":"s","user":null,"auth_token":null,"lang":"rust"}"#,
        );
        assert_eq!(
            (rust.user.as_deref(), rust.credentials),
            (Some("UABC"), Some("jwt"))
        );
    }

    #[test]
    fn nested_garbage_ends_the_reading_and_nothing_else() {
        let mut json = br#"{"version":"2.9.0","x":"#.to_vec();
        json.extend(std::iter::repeat_n(b'[', 100_000));
        let (info, whole) = Info::from_json(&json);
        assert!(!whole);
        assert_eq!(&*info.version, "2.9.0");
    }
}
