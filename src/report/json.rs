//! `--format json`: one object, the wire format for programs.
//!
//! Fields are only ever added within a schema version (`"schema": "natsleuth/1"`). A field whose value is not known is
//! `null`, unless it is said here to be left out. Times are RFC 3339 in UTC with the digits that their source has.
//! `natsleuth schema` prints the same as a JSON Schema.
//!
//! **The report**: `schema`; `tool` (`name`, `version`); `shown` (`closes`, `closes_of`, `incidents`, `incidents_of`: how much
//! a filter left of how much); then the lists below.
//!
//! **sources\[\]**: `id` (`s0`, ... by path, what `evidence` names), `path` (a member of an archive is `archive!/member`),
//! `kind` (`capture`, `log`, `monitoring`, `server-config`, `key-log`, `unknown`), `bytes` (as stored, 0 for a stream),
//! `sha256` (of the bytes as stored, of a member of an archive as unpacked; `null` where it was not read to its end), `records` read, `rejected` records, `foreign` (lines in nobody's grammar: `shape`, `count`, `first_line`), and `clock` or `null`:
//! `offset_s` is what to add to its times (its zone apart) with `low_s` and `high_s` as bounds, at the beginning where it
//! drifts (`drift_ppm`) or jumps (`stretches` > 1); `zone` (`Z`, `+02:00`) is `null` where times carry their own; `anchors` is
//! how many pairs of records the estimate rests on; `aligned` is false where no order against other sources is claimed;
//! `given` is true for `--clock` and `--tz`; `how` is one sentence.
//!
//! **servers\[\]**, a row for each server process: `name`, `id`, `version`, `started_at`, `ended_at`, `end` (`graceful`,
//! `lame-duck`, `crash`, `killed`, `out-of-memory`, `oom-kill`, `fatal`, `running`, `unknown`), `exit` (status or signal as a
//! service manager tells), `listen`, `cluster`, `host`, `sources` (ids); and where its end is known `summary`, `evidence`, and
//! `closes`, how many its end explains: with 0, no close tells of it.
//!
//! **signs\[\]**, what logs say of servers and hosts and not of one connection: `says`, `costs_connections` (it closes or refuses
//! some by itself), `count` (a lower bound with `at_least`), `evidence` (the first and the last line).
//!
//! **incidents\[\]**, worst first: `id` (`i1`), `cause`, `detail`, `confidence` (the strongest of its closes), `server`,
//! `from`, `until`, `closes` (ids, also those that a filter leaves out), `summary`, `remedy`, `follows` (the id of the incident
//! that led to this one).
//!
//! **closes\[\]**, by time: `id` (`c1`), `incident` (id), `kind` (`client`, `route`, `gateway`, `leafnode`, `websocket`, `mqtt`),
//! `socket` (`client` as the server sees it, `server`, and `client_side` only where the client's own address differs), `cid`,
//! `client_name`, `client_lang`, `client_version`, `account`, `server_name`, `opened_at`, `closed_at`, `closed_between` (the moment
//! lies in here, clocks and resolution considered), `cause` and `detail` (`natsleuth explain` lists them), `confidence` (`stated`,
//! `shown`, `likely`, `possible`), `initiator` (`client`, `server`, `network`, `unknown`), `outcome`, `summary`, `evidence`,
//! `alternatives` (`cause`, `detail`, `why_not`), `missing`, `remedy`, `wireshark_filter`, `crossings` (each side's last packets
//! between a capture near each end: `from`, `both`, and the packets `lost`, `injected` and `changed` on the way, `delay_s`).
//!
//! **outcome**: `word` (`reconnected`, `gave-up`, `exited`, `still-down`, `unknown`), `after_s`, `attempts`, `server` (where it
//! reconnected to), `budget` (its reconnect settings), `failed_publishes`, `timed_out_requests`, `evidence`.
//!
//! **evidence\[\]**: `source` (id), one of `line` and `frame` (from 1, `frame.number` of Wireshark) or `byte`, `at` on the common
//! line, `at_source` only where the source itself wrote another time or zone, `says` (as quoted: log text is hostile, escape
//! it), `weight` (`for`, `against`).
//!
//! **advisories\[\]**: `id`, `says`. **skipped\[\]**: `source` (id), `where` (`line 12`, `frame 4`, `byte 512`; `null` is the whole
//! source), `why`, `count` (how many like it).

use std::io::{self, Write};

use super::Shown;
use super::model::Views;

/// Writes the report as one JSON object, indented, with a line feed at its end.
pub(super) fn write(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Views::new(shown).report())?;
    out.write_all(b"\n")
}
