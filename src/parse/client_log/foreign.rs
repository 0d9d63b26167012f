//! Lines that are not about NATS though their words fit: other systems' clients in the same application log, and the
//! server's own log.

use super::template::find_ignore_case;

/// Other systems that applications are clients of.
const SYSTEMS: &[&str] = &[
    "redis",
    "postgres",
    "pgx",
    "mysql",
    "mariadb",
    "sqlite",
    "kafka",
    "rabbit",
    "amqp",
    "mqtt",
    "mongo",
    "grpc",
    "websocket",
    "database",
    "jdbc",
    "hikari",
    "http",
    "elastic",
    "etcd",
    "consul",
    "zookeeper",
    "cassandra",
    "scylla",
    "smtp",
    "ldap",
    "memcache",
    "clickhouse",
    "pulsar",
    "temporal",
    "vault",
    "docker",
    "kubernetes",
];

/// Ports of other systems.
const PORTS: &[&str] = &[
    "22", "25", "53", "80", "389", "443", "587", "636", "1433", "1521", "1883", "2181", "2379",
    "3306", "5432", "5433", "5671", "5672", "6379", "6380", "8080", "8443", "8500", "8883", "9000",
    "9042", "9092", "9200", "11211", "26257", "27017", "61616",
];

/// Loggers of other systems, too short to look for inside words.
const LOGGERS: &[&str] = &[
    "db", "sql", "pg", "cache", "web", "ws", "s3", "queue", "orm",
];

/// Whether a line that says nothing of NATS speaks of another system.
pub fn speaks_of_another(message: &str, logger: Option<&str>, server: Option<&str>) -> bool {
    if find_ignore_case(message, "nats").is_some() {
        return false;
    }
    let system = |text: &str| {
        SYSTEMS
            .iter()
            .any(|word| find_ignore_case(text, word).is_some())
    };
    let port = server
        .and_then(|server| server.rsplit_once(':'))
        .is_some_and(|(_, port)| PORTS.contains(&port));
    let by_logger = logger.is_some_and(|logger| {
        find_ignore_case(logger, "nats").is_none()
            && (system(logger)
                || logger
                    .split(['.', ':', '/', '-', '_'])
                    .any(|part| LOGGERS.iter().any(|word| part.eq_ignore_ascii_case(word))))
    });
    port || by_logger || system(message)
}

/// A line of nats-server's own log: `[pid] time [LVL] ...`, or any of its lines about one connection.
pub fn is_servers(body: &[u8]) -> bool {
    const LEVELS: [&[u8]; 6] = [b"[INF]", b"[DBG]", b"[TRC]", b"[ERR]", b"[WRN]", b"[FTL]"];
    let head = &body[..body.len().min(48)];
    let level = memchr::memchr_iter(b'[', head)
        .any(|at| LEVELS.iter().any(|level| head[at..].starts_with(level)));
    level && (head.first() == Some(&b'[') || memchr::memmem::find(body, b" - cid:").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_systems_are_told_by_name_port_and_logger() {
        assert!(speaks_of_another(
            "Reconnected to 10.0.0.9:5432",
            None,
            Some("10.0.0.9:5432")
        ));
        assert!(speaks_of_another("Disconnected", Some("app.db"), None));
        assert!(speaks_of_another("Kafka connection closed", None, None));
        assert!(!speaks_of_another(
            "NATS over websocket disconnected",
            None,
            None
        ));
        assert!(!speaks_of_another(
            "Disconnected",
            Some("orders-1"),
            Some("h:4222")
        ));
    }

    #[test]
    fn the_servers_own_lines_are_not_a_clients() {
        assert!(is_servers(b"[17] 2026/11/23 05:32:21.764686 [DBG] 127.0.0.1:5 - cid:5 - Client connection closed: Server Shutdown"));
        assert!(is_servers(b"[INF] Server Exiting.."));
        assert!(!is_servers(
            b"[2026-11-23T05:12:00.000Z] [a-1] status: disconnect a:4222"
        ));
        assert!(!is_servers(b"2026-11-23T05:12:00Z INF reconnected"));
    }
}
