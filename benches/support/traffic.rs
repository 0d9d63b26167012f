//! Synthetic NATS captures from a seed: the same bytes on every machine.
//!
//! [`Shape::Busy`] is a working system: many long connections, packets of some 400 bytes. [`Shape::Storm`] is a reconnect
//! storm: connections that live for a second, fifteen packets each. [`Shape::Feed`] is nothing but messages of 1 KB to
//! subscribers.

use std::io::{self, Write};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Long connections, evenly busy.
    Busy {
        /// How many.
        conns: u32,
    },
    /// Short connections, one after the other.
    Storm,
    /// Long connections on which the server sends messages of 1024 bytes, every second one acknowledged at once.
    Feed {
        /// How many.
        conns: u32,
    },
}

/// Writes a classic pcap file of at least `bytes` bytes. Returns packets and connections written.
pub fn write(out: &mut impl Write, shape: Shape, bytes: u64, seed: u64) -> io::Result<(u64, u64)> {
    let mut writer = Writer::new(out, Output::Packets);
    let mut header = Vec::new();
    for field in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    writer.out.write_all(&header)?;
    let mut random = Random(seed | 1);
    let conns = match shape {
        Shape::Busy { conns } => busy(&mut writer, &mut random, conns, bytes)?,
        Shape::Storm => storm(&mut writer, &mut random, bytes)?,
        Shape::Feed { conns } => feed(&mut writer, &mut random, conns, bytes)?,
    };
    Ok((writer.packets, conns))
}

/// Writes what the server of a [`Shape::Storm`] with these numbers logs of it, with debug lines: on a clock that is 37 s
/// behind and 20 ppm slow; every fiftieth line is some milliseconds late. Returns how many lines.
#[allow(dead_code, reason = "most benchmarks want packets alone")]
pub fn write_log(out: &mut impl Write, bytes: u64, seed: u64) -> io::Result<u64> {
    let mut writer = Writer::new(out, Output::Lines);
    for text in [
        "Starting nats-server",
        "  Version:  2.10.18",
        "  Name:     nats-1",
        "  ID:       NAKJ2TAVVFY5BJDVEQ6LZ2KBJ7WZ3O3TXVVLXKPGQ2ZQ2KYFSXJ7PMPA",
        "Listening for client connections on 0.0.0.0:4222",
        "Server is ready",
    ] {
        writer.line("INF", text)?;
    }
    storm(&mut writer, &mut Random(seed | 1), bytes)?;
    Ok(writer.lines)
}

fn busy<W: Write>(
    writer: &mut Writer<'_, W>,
    random: &mut Random,
    count: u32,
    bytes: u64,
) -> io::Result<u64> {
    let mut conns = opened(writer, random, count)?;
    let text: Vec<u8> = (0..2048).map(|at| b'a' + (at % 26) as u8).collect();
    let mut message = Vec::new();
    while writer.written < bytes {
        let index = random.below(count) as usize;
        let conn = &mut conns[index];
        // A message out, its reply, and the acknowledgements that no data carries.
        let size = 300 + random.below(900) as usize;
        message.clear();
        write!(
            message,
            "PUB orders.{index} _INBOX.{index}.{size} {size}\r\n"
        )?;
        message.extend_from_slice(&text[..size]);
        message.extend_from_slice(b"\r\n");
        conn.send(writer, CLIENT, PSH | ACK, &message)?;
        if random.below(2) == 0 {
            conn.send(writer, SERVER, ACK, b"")?;
        }
        let size = 50 + random.below(300) as usize;
        message.clear();
        write!(message, "MSG _INBOX.{index}.1 1 {size}\r\n")?;
        message.extend_from_slice(&text[..size]);
        message.extend_from_slice(b"\r\n");
        conn.send(writer, SERVER, PSH | ACK, &message)?;
        if random.below(2) == 0 {
            conn.send(writer, CLIENT, ACK, b"")?;
        }
        writer.ns += 20_000;
    }
    Ok(u64::from(count))
}

fn feed<W: Write>(
    writer: &mut Writer<'_, W>,
    random: &mut Random,
    count: u32,
    bytes: u64,
) -> io::Result<u64> {
    let mut conns = opened(writer, random, count)?;
    let mut message = Vec::new();
    while writer.written < bytes {
        let index = random.below(count) as usize;
        message.clear();
        write!(message, "MSG orders.{index} 1 1024\r\n")?;
        message.extend((0..1024).map(|at| b'a' + (at % 26) as u8));
        message.extend_from_slice(b"\r\n");
        for _ in 0..2 {
            conns[index].send(writer, SERVER, PSH | ACK, &message)?;
        }
        conns[index].send(writer, CLIENT, ACK, b"")?;
        writer.ns += 20_000;
    }
    Ok(u64::from(count))
}

fn opened<W: Write>(
    writer: &mut Writer<'_, W>,
    random: &mut Random,
    count: u32,
) -> io::Result<Vec<Conn>> {
    let mut conns: Vec<Conn> = (0..count).map(|id| Conn::new(id, random)).collect();
    for conn in &mut conns {
        while conn.step < OPENED {
            conn.short_life(writer)?;
        }
    }
    Ok(conns)
}

fn storm<W: Write>(writer: &mut Writer<'_, W>, random: &mut Random, bytes: u64) -> io::Result<u64> {
    /// Connections alive at once.
    const ALIVE: u32 = 1500;
    let mut next = 0;
    let mut conns: Vec<Conn> = Vec::new();
    let mut left = u64::from(ALIVE);
    while writer.written < bytes || !conns.is_empty() {
        if writer.written < bytes && left > 0 {
            conns.push(Conn::new(next, random));
            next += 1;
            left -= 1;
        }
        let index = random.below(conns.len() as u32) as usize;
        if conns[index].short_life(writer)? {
            conns.swap_remove(index);
            left += 1;
        }
        writer.ns += 60_000;
    }
    Ok(u64::from(next))
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;
const CLIENT: usize = 0;
const SERVER: usize = 1;
/// Steps of [`Conn::short_life`] until the session is open.
const OPENED: u8 = 9;

/// One connection's endpoints.
struct Conn {
    id: u32,
    port: u16,
    seq: [u32; 2],
    ip_id: [u16; 2],
    step: u8,
}

impl Conn {
    fn new(id: u32, random: &mut Random) -> Self {
        Self {
            id,
            port: 1024 + (id % 64_000) as u16,
            seq: [random.next() as u32, random.next() as u32],
            ip_id: [random.next() as u16, random.next() as u16],
            step: 0,
        }
    }

    /// The next packet of a connection that opens, subscribes, publishes and closes. `true` after the last one.
    fn short_life<W: Write>(&mut self, writer: &mut Writer<'_, W>) -> io::Result<bool> {
        let id = self.id;
        match self.step {
            0 => self.send(writer, CLIENT, SYN, b"")?,
            1 => self.send(writer, SERVER, SYN | ACK, b"")?,
            2 => self.send(writer, CLIENT, ACK, b"")?,
            3 => {
                self.log(writer, "Client connection created")?;
                let info = format!(
                    "INFO {{\"server_id\":\"NAKJ2TAVVFY5BJDVEQ6LZ2KBJ7WZ3O3TXVVLXKPGQ2ZQ2KYFSXJ7PMPA\",\"server_name\":\"nats-1\",\"version\":\"2.10.18\",\"proto\":1,\"go\":\"go1.22.5\",\"host\":\"0.0.0.0\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"client_id\":{id},\"client_ip\":\"10.1.0.1\"}} \r\n"
                );
                self.send(writer, SERVER, PSH | ACK, info.as_bytes())?;
            }
            4 => self.send(writer, CLIENT, ACK, b"")?,
            5 => {
                let connect = format!(
                    "CONNECT {{\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"name\":\"worker-{id}\",\"lang\":\"go\",\"version\":\"1.36.0\",\"protocol\":1,\"echo\":true,\"headers\":true,\"no_responders\":true}}\r\nPING\r\n"
                );
                self.send(writer, CLIENT, PSH | ACK, connect.as_bytes())?;
            }
            6 => self.send(writer, SERVER, ACK, b"")?,
            7 => self.send(writer, SERVER, PSH | ACK, b"PONG\r\n")?,
            8 => self.send(
                writer,
                CLIENT,
                PSH | ACK,
                b"SUB orders.* 1\r\nSUB _INBOX.abc.* 2\r\n",
            )?,
            9 => self.send(writer, SERVER, ACK, b"")?,
            10 => {
                let order = format!("PUB orders.new 320\r\n{id:0>320}\r\n");
                self.send(writer, CLIENT, PSH | ACK, order.as_bytes())?;
            }
            11 => self.send(writer, SERVER, ACK, b"")?,
            12 => self.send(writer, CLIENT, FIN | ACK, b"")?,
            13 => {
                self.log(writer, "Client connection closed: Client Closed")?;
                self.send(writer, SERVER, FIN | ACK, b"")?;
            }
            _ => self.send(writer, CLIENT, ACK, b"")?,
        }
        self.step += 1;
        Ok(self.step > 14)
    }

    fn client(&self) -> [u8; 4] {
        [10, 1, (self.id / 64_000) as u8, 1 + (self.id % 200) as u8]
    }

    fn log<W: Write>(&self, writer: &mut Writer<'_, W>, what: &str) -> io::Result<()> {
        let [a, b, c, d] = self.client();
        let (port, id) = (self.port, self.id);
        writer.line(
            "DBG",
            &format!("{a}.{b}.{c}.{d}:{port} - cid:{id} - {what}"),
        )
    }

    fn send<W: Write>(
        &mut self,
        writer: &mut Writer<'_, W>,
        from: usize,
        flags: u8,
        payload: &[u8],
    ) -> io::Result<()> {
        let client = self.client();
        let server = [10, 2, 0, 1];
        let (src, dst) = if from == CLIENT {
            (client, server)
        } else {
            (server, client)
        };
        let (src_port, dst_port) = if from == CLIENT {
            (self.port, 4222)
        } else {
            (4222, self.port)
        };
        let total = (20 + 32 + payload.len()) as u16;
        let mut frame = Vec::with_capacity(82 + payload.len());
        frame.extend_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0]);
        frame.extend_from_slice(&total.to_be_bytes());
        self.ip_id[from] = self.ip_id[from].wrapping_add(1);
        frame.extend_from_slice(&self.ip_id[from].to_be_bytes());
        frame.extend_from_slice(&[0x40, 0, 64, 6, 0, 0]);
        frame.extend_from_slice(&src);
        frame.extend_from_slice(&dst);
        frame.extend_from_slice(&src_port.to_be_bytes());
        frame.extend_from_slice(&dst_port.to_be_bytes());
        frame.extend_from_slice(&self.seq[from].to_be_bytes());
        let ack = if flags & ACK == 0 {
            0
        } else {
            self.seq[1 - from]
        };
        frame.extend_from_slice(&ack.to_be_bytes());
        frame.extend_from_slice(&[0x80, flags, 1, 0xf5, 0, 0, 0, 0, 1, 1, 8, 10]);
        let millis = (writer.ns / 1_000_000) as u32;
        frame.extend_from_slice(&millis.to_be_bytes());
        frame.extend_from_slice(&millis.to_be_bytes());
        frame.extend_from_slice(payload);
        let length = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.seq[from] = self.seq[from].wrapping_add(length);
        writer.frame(&frame)
    }
}

/// When the capture begins: 2023-11-14T22:13:20Z in nanoseconds.
const START: u64 = 1_700_000_000_000_000_000;

/// Which side of the story is written; the other is told to nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Packets,
    Lines,
}

struct Writer<'a, W> {
    out: &'a mut W,
    output: Output,
    /// Bytes of the capture.
    written: u64,
    packets: u64,
    lines: u64,
    ns: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(out: &'a mut W, output: Output) -> Self {
        Self {
            out,
            output,
            written: 24,
            packets: 0,
            lines: 0,
            ns: START,
        }
    }

    fn line(&mut self, level: &str, text: &str) -> io::Result<()> {
        self.lines += 1;
        if self.output != Output::Lines {
            return Ok(());
        }
        let late = if self.lines.is_multiple_of(50) {
            4_000_000
        } else {
            0
        };
        let since = self.ns - START;
        let ns = self.ns - 37_000_000_000 - since / 50_000 + late;
        let at = chrono::DateTime::from_timestamp_nanos(ns as i64).format("%Y/%m/%d %H:%M:%S%.6f");
        writeln!(self.out, "[1] {at} [{level}] {text}")
    }

    fn frame(&mut self, frame: &[u8]) -> io::Result<()> {
        self.ns += 1_000;
        let header = [
            (self.ns / 1_000_000_000) as u32,
            (self.ns % 1_000_000_000) as u32,
            frame.len() as u32,
            frame.len() as u32,
        ];
        if self.output == Output::Packets {
            for field in header {
                self.out.write_all(&field.to_le_bytes())?;
            }
            self.out.write_all(frame)?;
        }
        self.written += 16 + frame.len() as u64;
        self.packets += 1;
        Ok(())
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit.max(1))) as u32
    }
}
