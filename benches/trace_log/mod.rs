//! A made-up `-DV` log in the shape of those recorded from nats-server 2.14 (`fixtures/server-logs/2.14.5.log`): clients
//! come, publish, are delivered to, are pinged, and go; the same bytes at every run.

use std::io::{Result, Write};

/// Clients that are connected at any time.
const CLIENTS: u64 = 400;

/// Writes at least `bytes` bytes of log.
pub fn write(out: &mut impl Write, bytes: usize) -> Result<()> {
    let mut log = Log {
        out,
        written: 0,
        micros: 18_000_000_000,
        seed: 7,
        ids: (0..CLIENTS).collect(),
        next: CLIENTS,
    };
    for text in [
        "[INF] Starting nats-server",
        "[INF]   Version:  2.14.5",
        "[INF]   Git:      [7114d0c]",
        "[INF]   Name:     n1",
        "[INF]   ID:       NDARMFBJH43RWWGIZW7YLRDQ2YFUIPALIVOWIV3PUJ7BSUZ6YU4YJEK3",
        "[INF] Listening for client connections on 0.0.0.0:4222",
        "[INF] Server is ready",
    ] {
        log.line(text)?;
    }
    for slot in 0..CLIENTS {
        log.connect(slot)?;
    }
    while log.written < bytes {
        log.something()?;
    }
    Ok(())
}

struct Log<'a, W> {
    out: &'a mut W,
    written: usize,
    micros: u64,
    seed: u64,
    ids: Vec<u64>,
    next: u64,
}

impl<W: Write> Log<'_, W> {
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.micros += 1 + self.seed % 40;
        let seconds = self.micros / 1_000_000;
        let line = format!(
            "[12943] 2026/11/23 {:02}:{:02}:{:02}.{:06} {text}\n",
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60,
            self.micros % 1_000_000
        );
        self.written += line.len();
        self.out.write_all(line.as_bytes())
    }

    /// The tag of a client after CONNECT.
    fn tag(&self, slot: u64) -> String {
        let id = self.ids[slot as usize] + 5;
        format!(
            "10.1.{}.{}:{} - cid:{id} - \"v1.4{}.0:go:orders-{slot}\" - \"$G/user:app\"",
            slot / 250,
            slot % 250,
            20_000 + id % 40_000,
            slot % 9
        )
    }

    fn connect(&mut self, slot: u64) -> Result<()> {
        let id = self.ids[slot as usize] + 5;
        let bare = format!(
            "10.1.{}.{}:{} - cid:{id}",
            slot / 250,
            slot % 250,
            20_000 + id % 40_000
        );
        self.line(&format!("[DBG] {bare} - Client connection created"))?;
        self.line(&format!(
            "[TRC] {bare} - <<- [CONNECT {{\"echo\":true,\"headers\":true,\"lang\":\"go\",\"name\":\"orders-{slot}\",\"pass\":\"[REDACTED]\",\"protocol\":1,\"user\":\"app\",\"verbose\":false,\"version\":\"1.4{}.0\"}}]",
            slot % 9
        ))?;
        let tag = self.tag(slot);
        self.line(&format!("[TRC] {tag} - <<- [PING]"))?;
        self.line(&format!("[TRC] {tag} - ->> [PONG]"))?;
        self.line(&format!("[TRC] {tag} - <<- [SUB orders.{slot}.>  1]"))
    }

    fn something(&mut self) -> Result<()> {
        let slot = self.random(CLIENTS);
        let tag = self.tag(slot);
        match self.random(1000) {
            0 => {
                self.line(&format!(
                    "[DBG] {tag} - Client connection closed: Client Closed"
                ))?;
                self.ids[slot as usize] = self.next;
                self.next += 1;
                self.connect(slot)
            }
            1..20 => {
                self.line(&format!("[DBG] {tag} - Client Ping Timer"))?;
                self.line(&format!("[TRC] {tag} - ->> [PING]"))?;
                self.line(&format!("[TRC] {tag} - <<- [PONG]"))
            }
            20..30 => self.line(&format!(
                "[DBG] {tag} - Delaying PING due to remote client data or ping 1s ago"
            )),
            _ => {
                let size = 20 + self.random(180) as usize;
                let payload = &"{\\\"order\\\":1,\\\"amount\\\":9.99,\\\"note\\\":\\\"some words that go on\\\"}".repeat(4)[..size];
                let to = self.random(CLIENTS);
                let receiver = self.tag(to);
                self.line(&format!("[TRC] {tag} - <<- [PUB orders.{to}.new  {size}]"))?;
                self.line(&format!("[TRC] {tag} - <<- MSG_PAYLOAD: [\"{payload}\"]"))?;
                self.line(&format!(
                    "[TRC] {receiver} - ->> [MSG orders.{to}.new 1 {size}]"
                ))?;
                self.line(&format!(
                    "[TRC] {receiver} - ->> MSG_PAYLOAD: [\"{payload}\"]"
                ))
            }
        }
    }
}
