//! A session as one JSON object.

use serde_json::{Value, json};

use super::{carriers, client_end, ends, protocol, seconds};
use crate::parse::nats::connect_info::Other;
use crate::parse::nats::protocol_error::ProtocolError;
use crate::reconstruct::conn::{Conn, End};
use crate::reconstruct::session::{Notice, Rtt, Session, Talk};
use crate::span::Moment;
use crate::time::Instant;

fn summary(rtt: Rtt) -> Value {
    json!({ "min": rtt.min, "median": rtt.median, "max": rtt.max, "count": rtt.count })
}

fn at(moment: Moment) -> Value {
    json!({ "at": Instant(moment.ns).rfc3339(9), "frame": moment.frame })
}

/// What TCP shows of the bytes that an end had for the other.
fn flow(conn: &Conn, end: End, talk: &Talk) -> Value {
    let (flow, peer) = (conn.flow(end), conn.flow(end.other()));
    // The rest of a message that the end cut was with its sender, and so is what nobody acknowledged.
    let rest = talk
        .cut
        .filter(|cut| cut.declared > 0)
        .map_or(0, |cut| cut.declared.saturating_sub(cut.present));
    json!({
        "bytes": flow.bytes,
        "unacknowledged": flow.unacked_bytes,
        "unacknowledged_since": flow.unacked_since.map(at),
        "unsent_at_least": rest,
        "queued_at_least": flow.unacked_bytes + rest,
        "peer_window": peer.window,
        "peer_window_zero_ns": peer.zero_window_ns,
        "peer_window_zero_since": peer.zero_window_since.map(at),
    })
}

fn talk(talk: &Talk) -> Value {
    json!({
        "messages": talk.messages,
        "message_bytes": talk.message_bytes,
        "largest_message": talk.largest_message,
        "longest_line": talk.longest_line,
        "subs": talk.subs,
        "unsubs": talk.unsubs,
        "pings": talk.pings,
        "pongs": talk.pongs,
        "unanswered_pings": talk.unanswered_pings.iter().copied().map(at).collect::<Vec<_>>(),
        "ping_interval_ns": talk.ping_interval,
        "headers_used": talk.headers_used,
        "last_ops": talk.last_ops.iter().map(|(moment, verb)| {
            let mut op = at(*moment);
            op["verb"] = verb.word().into();
            op
        }).collect::<Vec<_>>(),
        "cut": talk.cut.map(|cut| json!({
            "verb": cut.verb.word(),
            "declared": cut.declared,
            "present": cut.present,
            "frame": cut.at.frame,
        })),
        "unknown_verb": talk.unknown_verb.as_ref().map(|(moment, quote)| json!({
            "quote": quote,
            "frame": moment.frame,
        })),
        "drained": talk.drained,
        "requests": talk.asked.as_ref().map(|asked| json!({
            "sent": asked.requests,
            "open": asked.open,
            "answered_ns": asked.latency.map(summary),
        })),
    })
}

/// Fields that are only told, as the JSON they were; what was cut is a text.
fn others(others: &[Other]) -> Value {
    let field = |other: &Other| {
        let value = serde_json::from_str(&other.value).unwrap_or_else(|_| json!(other.value));
        (other.name.to_owned(), value)
    };
    Value::Object(others.iter().map(field).collect())
}

pub fn object(conn: &Conn, session: &Session) -> Value {
    let (client, server) = ends(conn, session);
    let info = session.info.as_ref().map(|info| {
        json!({
            "server_id": info.server_id,
            "server_name": info.server_name,
            "version": info.version,
            "client_id": info.client_id,
            "client_ip": info.client_ip.map(|ip| ip.to_string()),
            "cluster": info.cluster,
            "account": info.remote_account,
            "max_payload": info.max_payload,
            "tls_required": info.tls_required,
            "auth_required": info.auth_required,
            "headers": info.headers,
            "host": info.host,
            "port": info.port,
            "tls_verify": info.tls_verify,
            "tls_available": info.tls_available,
            "jetstream": info.jetstream,
            "domain": info.domain,
            "ldm": info.ldm,
            "connect_urls": info.connect_urls,
            "gateway": info.gateway,
            "compression": info.compression,
            "proto": info.proto,
            "nonce": info.nonce,
            "others": others(&info.others),
            "frame": session.info_at.map(|moment| moment.frame),
        })
    });
    let connect = session.connect.as_ref().map(|connect| {
        json!({
            "name": connect.name,
            "lang": connect.lang,
            "version": connect.version,
            "user": connect.user,
            "account": connect.account,
            "credentials": connect.credentials,
            "protocol": connect.protocol,
            "headers": connect.headers,
            "no_responders": connect.no_responders,
            "verbose": connect.verbose,
            "pedantic": connect.pedantic,
            "tls_required": connect.tls_required,
            "cluster": connect.cluster,
            "gateway": connect.gateway,
            "others": others(&connect.others),
            "frame": session.connect_at.map(|moment| moment.frame),
        })
    });
    let tls = session.tls.as_ref().map(|tls| {
        json!({
            "first": tls.first,
            "established": tls.established,
            "version": tls.version,
            "sni": tls.sni,
            "alerts": tls.alerts.iter().map(|(moment, from_server, word)| json!({
                "frame": moment.frame,
                "from": if *from_server { "server" } else { "client" },
                "says": word,
            })).collect::<Vec<_>>(),
            "client_records": tls.client_records,
            "server_records": tls.server_records,
            "client_unanswered": tls.client_unanswered.iter().copied().map(at).collect::<Vec<_>>(),
            "server_unanswered": tls.server_unanswered.iter().copied().map(at).collect::<Vec<_>>(),
            "mismatch": tls.mismatch,
            "decrypted": tls.decrypted,
            "keys": tls.keys.word(),
        })
    });
    json!({
        "start": Instant(conn.first.ns).rfc3339(9),
        "duration_s": seconds(conn.last.ns - conn.first.ns),
        "client": client,
        "server": server,
        "protocol": protocol(&session.protocol),
        "carried_by": carriers(session),
        "info": info,
        "connect": connect,
        "ready": session.ready_at.map(at),
        "rtt_ns": session.rtt.map(summary),
        "client_says": talk(&session.client),
        "server_says": talk(&session.server),
        "client_flow": flow(conn, client_end(session), &session.client),
        "server_flow": flow(conn, client_end(session).other(), &session.server),
        "errors": session.errors.iter().map(|error| json!({
            "at": at(error.at),
            "from": if error.from_server { "server" } else { "client" },
            "text": error.text,
            "closes": !ProtocolError::from_text(&error.text).keeps_connection(),
        })).collect::<Vec<_>>(),
        "notices": session.notices.iter().map(|(moment, notice)| {
            let mut seen = at(*moment);
            match notice {
                Notice::LameDuck => seen["lame_duck"] = true.into(),
                Notice::ConnectUrls(urls) => seen["connect_urls"] = json!(urls),
            }
            seen
        }).collect::<Vec<_>>(),
        "tls": tls,
        "websocket": session.websocket.as_ref().map(|seen| json!({
            "path": seen.path,
            "forwarded_for": seen.forwarded_for,
            "status": seen.status,
            "deflate": seen.deflate,
            "client_takeover": seen.client_takeover,
            "server_takeover": seen.server_takeover,
            "close": seen.close.as_ref().map(|(moment, from_server, code, reason)| json!({
                "frame": moment.frame,
                "from": if *from_server { "server" } else { "client" },
                "code": code,
                "reason": reason,
            })),
        })),
        "mqtt": session.mqtt.as_ref().map(|mqtt| json!({
            "level": mqtt.level,
            "keep_alive_s": mqtt.keep_alive,
            "connack": mqtt.connack.map(|(_, code)| code),
            "disconnect": mqtt.disconnect.map(|(moment, from_server, reason)| json!({
                "frame": moment.frame,
                "from": if from_server { "server" } else { "client" },
                "reason": reason,
            })),
        })),
        "unreadable": session.garbage.map(|(moment, times)| json!({
            "frame": moment.frame, "times": times,
        })),
        "last_frame": conn.last.frame,
    })
}
