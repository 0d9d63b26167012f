//! nats-server configuration files, recognised by their keys.

/// Top-level keys of nats-server (`server/opts.go`, `processConfigFileLine`).
const KEYS: [&str; 78] = [
    "listen",
    "client_advertise",
    "port",
    "host",
    "net",
    "debug",
    "trace",
    "trace_verbose",
    "logtime",
    "logtime_utc",
    "disable_sublist_cache",
    "mappings",
    "maps",
    "accounts",
    "authorization",
    "http",
    "https",
    "http_port",
    "monitor_port",
    "https_port",
    "http_base_path",
    "cluster",
    "gateway",
    "jetstream",
    "leaf",
    "leafnodes",
    "logfile",
    "log_file",
    "logfile_size_limit",
    "log_size_limit",
    "logfile_max_num",
    "log_max_num",
    "syslog",
    "remote_syslog",
    "pidfile",
    "pid_file",
    "ports_file_dir",
    "prof_port",
    "prof_block_rate",
    "max_control_line",
    "max_payload",
    "max_pending",
    "max_connections",
    "max_conn",
    "max_traced_msg_len",
    "max_subscriptions",
    "max_subs",
    "max_sub_tokens",
    "max_subscription_tokens",
    "ping_interval",
    "ping_max",
    "tls",
    "allow_non_tls",
    "write_deadline",
    "write_timeout",
    "lame_duck_duration",
    "lame_duck_grace_period",
    "operator",
    "operators",
    "roots",
    "resolver",
    "account_resolver",
    "resolver_preload",
    "resolver_tls",
    "no_auth_user",
    "system_account",
    "system",
    "no_system_account",
    "trusted",
    "trusted_keys",
    "connect_error_reports",
    "reconnect_error_reports",
    "websocket",
    "mqtt",
    "server_name",
    "server_tags",
    "default_js_domain",
    "server_metadata",
];

/// Keys that other programs' configurations have as well: alone they prove nothing.
const COMMON: [&str; 14] = [
    "port", "host", "net", "debug", "trace", "syslog", "system", "tls", "http", "https",
    "accounts", "cluster", "trusted", "roots",
];

/// True for text whose outermost statements are mostly nats-server's keys. A text that was cut off by the end of
/// the head (`complete` is false) is judged by what is there.
pub fn is_server_config(text: &[u8], complete: bool) -> bool {
    let mut depth = 0_i32;
    let (mut known, mut telling, mut other) = (0_u32, 0_u32, 0_u32);
    let end = if complete {
        text.len()
    } else {
        text.iter().rposition(|&b| b == b'\n').unwrap_or(text.len())
    };
    for line in text[..end].split(|&b| b == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"//") {
            continue;
        }
        if depth == 0 && !line.starts_with(b"}") {
            match statement(line) {
                Statement::Key(key) => {
                    known += 1;
                    telling += u32::from(!COMMON.contains(&key));
                }
                Statement::Neutral => {}
                Statement::Other => other += 1,
            }
        }
        depth += nesting(line);
        if depth < 0 {
            return false;
        }
    }
    let nats_like = telling > 0 || known >= 2 || (known == 1 && other == 0);
    nats_like && known > other * 2
}

enum Statement {
    Key(&'static str),
    /// `include x.conf`, `NAME = value` (a variable).
    Neutral,
    Other,
}

/// What kind of statement a line begins with. nats-server's syntax (`conf/lex.go`): a key, then `:`, `=`, a blank
/// or `{`, then the value; keys in any case, quoted or not.
fn statement(line: &[u8]) -> Statement {
    let end = line
        .iter()
        .position(|&b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'"' || b == b'\''))
        .unwrap_or(line.len());
    let key = line[..end].to_ascii_lowercase();
    let key: Vec<u8> = key
        .into_iter()
        .filter(|b| !matches!(b, b'"' | b'\''))
        .collect();
    let after = line[end..].trim_ascii_start();
    if after.is_empty() || key.is_empty() {
        return Statement::Other;
    }
    if let Some(known) = KEYS.iter().find(|k| k.as_bytes() == key) {
        // Prose has words here; the syntax has one value, a list or a map.
        let value = after.trim_ascii_start_of(b":=");
        let words = value
            .split(u8::is_ascii_whitespace)
            .filter(|w| !w.is_empty())
            .count();
        let quoted = matches!(value.first(), Some(b'"' | b'\'' | b'{' | b'[' | b'('));
        if quoted || words <= 1 || value.contains(&b'#') || value.contains(&b'{') {
            return Statement::Key(known);
        }
        return Statement::Other;
    }
    let variable = line[..end]
        .iter()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    if key == b"include" || (variable && matches!(after.first(), Some(b'=' | b':'))) {
        return Statement::Neutral;
    }
    Statement::Other
}

trait TrimStartOf {
    fn trim_ascii_start_of(&self, marks: &[u8]) -> &[u8];
}

impl TrimStartOf for [u8] {
    fn trim_ascii_start_of(&self, marks: &[u8]) -> &[u8] {
        let skip = self
            .iter()
            .take_while(|b| marks.contains(b) || b.is_ascii_whitespace())
            .count();
        &self[skip..]
    }
}

/// Opening minus closing brackets outside of strings and comments.
fn nesting(line: &[u8]) -> i32 {
    let mut depth = 0;
    let mut quote = None;
    for (i, &byte) in line.iter().enumerate() {
        match (quote, byte) {
            (Some(q), b) if q == b => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') => break,
            (None, b'/') if line.get(i + 1) == Some(&b'/') && !line[..i].ends_with(b":") => break,
            (None, b'{' | b'[' | b'(') => depth += 1,
            (None, b'}' | b']' | b')') => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_and_their_look_alikes() {
        for (text, want) in [
            (
                "listen: \"10.77.2.2:4222\"\nhttp: \"10.77.2.2:8222\"\ndebug: true\nauthorization: { users: [ {user: \"app\", password: \"right\"} ] }\n",
                true,
            ),
            (
                "# server\nport 4222\nmax_payload = 8MB\ncluster {\n  name: c1\n  routes = [\n    nats://a:6222\n  ]\n}\n",
                true,
            ),
            (
                "server_name: n1\ninclude ./auth.conf\nPASS = \"x\"\njetstream {\n store_dir: /data\n}\n",
                true,
            ),
            ("port: 4222\n", true),
            ("jetstream: enabled\n", true),
            ("cluster {\n  name: c1\n}\n", true),
            (
                "name: app\nhost: db\nport: 5432\nuser: x\npassword: y\n",
                false,
            ),
            (
                "[6871] 2026/11/23 05:10:37.120114 [INF] Starting nats-server\n",
                false,
            ),
            (
                "2026/11/23 05:10:37 connected to nats://10.0.0.1:4222\ncluster lost\n",
                false,
            ),
            (
                "debug connection closed by peer\ntrace level is on\n",
                false,
            ),
            (
                "apiVersion: v1\nkind: ConfigMap\ndata:\n  nats.conf: |\n    port: 4222\n",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(is_server_config(text.as_bytes(), true), want, "{text}");
        }
    }
}
