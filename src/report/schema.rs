//! The JSON Schema (draft 2020-12) of `--format json`, for `natsleuth schema`. Fields may be added within a schema version,
//! so unknown ones are allowed; the tests forbid them, so that this file and `model.rs` cannot drift apart.

use serde_json::{Map, Value, json};

use super::model::SCHEMA;

/// The schema as text, indented, with a line feed at its end.
pub fn schema() -> String {
    format!("{:#}\n", report())
}

fn report() -> Value {
    let mut schema = object(&[
        ("schema", json!({ "const": SCHEMA })),
        ("tool", object(&[("name", text()), ("version", text())])),
        (
            "shown",
            about(
                "How much a filter left of how much.",
                object(&[
                    ("closes", count()),
                    ("closes_of", count()),
                    ("incidents", count()),
                    ("incidents_of", count()),
                ]),
            ),
        ),
        ("sources", list(source())),
        ("servers", list(server())),
        ("signs", list(sign())),
        (
            "incidents",
            about("Worst first.", list(reference("incident"))),
        ),
        ("closes", about("By time.", list(reference("close")))),
        (
            "advisories",
            list(object(&[("id", text()), ("says", text())])),
        ),
        ("skipped", list(skipped())),
    ]);
    let definitions = json!({
        "time": {
            "description": "RFC 3339 in UTC with the digits that its source has.",
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$",
        },
        "address": {
            "description": "Address and port; IPv6 in brackets.",
            "type": "string",
            "pattern": r"^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+(%\d+)?\]):\d+$",
        },
        "source_id": { "type": "string", "pattern": "^s\\d+$" },
        "confidence": one_of(&["stated", "shown", "likely", "possible"]),
        "incident": incident(),
        "close": close(),
        "outcome": outcome(),
        "evidence": evidence(),
    });
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A natsleuth report",
    });
    if let (Value::Object(fields), Value::Object(mut head)) = (&mut schema, head) {
        head.append(fields);
        head.insert("$defs".to_owned(), definitions);
        return Value::Object(head);
    }
    schema
}

fn source() -> Value {
    object(&[
        ("id", reference("source_id")),
        (
            "path",
            about("A member of an archive is `archive!/member`.", text()),
        ),
        (
            "kind",
            one_of(&[
                "capture",
                "log",
                "monitoring",
                "server-config",
                "key-log",
                "unknown",
            ]),
        ),
        ("bytes", about("As stored; 0 for a stream.", count())),
        (
            "sha256",
            about(
                "Of the bytes as stored, of a member of an archive as unpacked; null where it was not read to its end.",
                or_null(pattern("^[0-9a-f]{64}$")),
            ),
        ),
        ("records", count()),
        ("rejected", count()),
        (
            "foreign",
            about(
                "Lines in nobody's grammar, by shape.",
                list(object(&[
                    ("shape", text()),
                    ("count", count()),
                    ("first_line", count()),
                ])),
            ),
        ),
        (
            "capture",
            about(
                "What a capture says of itself; null for others, and for the later files of a rotated one.",
                or_null(capture()),
            ),
        ),
        ("clock", or_null(clock())),
    ])
}

fn capture() -> Value {
    object(&[
        (
            "dropped",
            about("Packets that its system says it dropped.", or_null(count())),
        ),
        (
            "snapped",
            about("Packets were cut by the snap length.", boolean()),
        ),
        ("cut_short", about("It ends inside a record.", boolean())),
        (
            "interfaces",
            list(object(&[
                ("name", or_null(text())),
                ("filter", or_null(text())),
                ("received", or_null(count())),
                ("dropped", or_null(count())),
            ])),
        ),
        (
            "comments",
            list(object(&[
                ("frame", about("Null for the whole.", or_null(count()))),
                ("text", text()),
            ])),
        ),
        (
            "names",
            about(
                "Address and name, as the file has them.",
                list(list(text())),
            ),
        ),
    ])
}

fn clock() -> Value {
    object(&[
        (
            "offset_s",
            about("What to add to its times, its zone apart.", number()),
        ),
        ("low_s", number()),
        ("high_s", number()),
        ("drift_ppm", number()),
        (
            "zone",
            about(
                "`Z` or `+02:00`; null where times carry their own.",
                or_null(text()),
            ),
        ),
        (
            "anchors",
            about("Pairs of records that the estimate rests on.", count()),
        ),
        (
            "aligned",
            about(
                "False: no order against other sources is claimed.",
                boolean(),
            ),
        ),
        ("given", about("By --clock or --tz.", boolean())),
        ("stretches", count()),
        ("how", text()),
    ])
}

fn server() -> Value {
    object(&[
        ("name", or_null(text())),
        ("id", or_null(text())),
        ("version", or_null(text())),
        ("started_at", or_null(reference("time"))),
        ("ended_at", or_null(reference("time"))),
        (
            "end",
            one_of(&[
                "graceful",
                "lame-duck",
                "crash",
                "killed",
                "out-of-memory",
                "oom-kill",
                "fatal",
                "running",
                "unknown",
            ]),
        ),
        ("exit", or_null(text())),
        ("listen", or_null(reference("address"))),
        ("cluster", or_null(text())),
        ("host", or_null(text())),
        ("sources", list(reference("source_id"))),
        (
            "summary",
            about("How it ended, where that is known.", or_null(text())),
        ),
        ("evidence", list(reference("evidence"))),
        (
            "closes",
            about(
                "Closes that its end explains, where that is known: with 0, no close tells of it.",
                or_null(count()),
            ),
        ),
    ])
}

fn sign() -> Value {
    object(&[
        ("says", text()),
        (
            "costs_connections",
            about("It closes or refuses some by itself.", boolean()),
        ),
        ("count", count()),
        (
            "at_least",
            about("The server limits the rate of such lines.", boolean()),
        ),
        (
            "evidence",
            about("The first and the last line.", list(reference("evidence"))),
        ),
    ])
}

fn incident() -> Value {
    object(&[
        ("id", pattern("^i\\d+$")),
        ("cause", text()),
        ("detail", text()),
        ("confidence", reference("confidence")),
        ("server", or_null(text())),
        ("from", or_null(reference("time"))),
        ("until", or_null(reference("time"))),
        (
            "closes",
            about(
                "Ids, also those that a filter leaves out.",
                list(pattern("^c\\d+$")),
            ),
        ),
        ("summary", text()),
        ("remedy", list(text())),
        (
            "follows",
            about("The incident that led to this one.", or_null(text())),
        ),
    ])
}

fn close() -> Value {
    object(&[
        ("id", pattern("^c\\d+$")),
        ("incident", or_null(pattern("^i\\d+$"))),
        (
            "kind",
            about(
                "client, route, gateway, leafnode, websocket or mqtt.",
                text(),
            ),
        ),
        (
            "socket",
            object(&[
                ("client", or_null(reference("address"))),
                ("server", or_null(reference("address"))),
                (
                    "client_side?",
                    about(
                        "The client's own address, where it differs.",
                        reference("address"),
                    ),
                ),
            ]),
        ),
        ("cid", or_null(count())),
        ("client_name", or_null(text())),
        ("client_lang", or_null(text())),
        ("client_version", or_null(text())),
        ("account", or_null(text())),
        ("server_name", or_null(text())),
        ("opened_at", or_null(reference("time"))),
        ("closed_at", or_null(reference("time"))),
        (
            "closed_between",
            about(
                "The moment lies in here, clocks and resolution considered.",
                or_null(
                    json!({ "type": "array", "items": reference("time"), "minItems": 2, "maxItems": 2 }),
                ),
            ),
        ),
        ("cause", about("See `natsleuth explain`.", text())),
        ("detail", text()),
        ("confidence", reference("confidence")),
        (
            "initiator",
            one_of(&["client", "server", "network", "unknown"]),
        ),
        ("outcome", reference("outcome")),
        ("summary", text()),
        ("evidence", list(reference("evidence"))),
        (
            "alternatives",
            list(object(&[
                ("cause", text()),
                ("detail", text()),
                ("why_not", text()),
            ])),
        ),
        ("missing", list(text())),
        ("remedy", list(text())),
        ("wireshark_filter", or_null(text())),
        (
            "crossings",
            about(
                "What became of each side's last packets between a capture near each end; empty where there are not two.",
                list(crossing()),
            ),
        ),
    ])
}

fn crossing() -> Value {
    let packet = || object(&[("source", reference("source_id")), ("frame", count())]);
    object(&[
        ("from", one_of(&["client", "server"])),
        ("both", about("Packets seen in both captures.", count())),
        (
            "lost",
            about(
                "They left one end and did not arrive at the other.",
                list(packet()),
            ),
        ),
        (
            "injected",
            about("They arrived without having left.", list(packet())),
        ),
        (
            "changed",
            about(
                "They arrived with another window: as they left, as they arrived.",
                list(list(packet())),
            ),
        ),
        (
            "delay_s",
            about(
                "One way, and by how much the two clocks may be wrong.",
                or_null(object(&[
                    ("low", number()),
                    ("median", number()),
                    ("high", number()),
                    ("uncertain", number()),
                ])),
            ),
        ),
    ])
}

fn outcome() -> Value {
    object(&[
        (
            "word",
            one_of(&["reconnected", "gave-up", "exited", "still-down", "unknown"]),
        ),
        ("after_s", or_null(number())),
        ("attempts", or_null(count())),
        ("server", or_null(text())),
        ("budget", about("Its reconnect settings.", or_null(text()))),
        ("failed_publishes", count()),
        ("timed_out_requests", count()),
        ("evidence", list(reference("evidence"))),
    ])
}

fn evidence() -> Value {
    object(&[
        ("source", reference("source_id")),
        ("line?", count()),
        ("frame?", about("As Wireshark numbers them.", count())),
        ("byte?", count()),
        ("at", or_null(reference("time"))),
        (
            "at_source?",
            about("As the source itself wrote it, where that differs.", text()),
        ),
        (
            "says",
            about("Quoted: log text is hostile, escape it.", text()),
        ),
        ("weight", one_of(&["for", "against"])),
    ])
}

fn skipped() -> Value {
    object(&[
        ("source", reference("source_id")),
        ("where", about("Null: the whole source.", or_null(text()))),
        ("why", text()),
        ("count", count()),
    ])
}

/// An object; names that end in `?` may be left out.
fn object(fields: &[(&str, Value)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in fields {
        let bare = name.trim_end_matches('?');
        if bare == *name {
            required.push(bare);
        }
        properties.insert(bare.to_owned(), schema.clone());
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn boolean() -> Value {
    json!({ "type": "boolean" })
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "schemas are built inside out"
)]
fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "schemas are built inside out"
)]
fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn about(description: &str, mut schema: Value) -> Value {
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), description.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::finding::Analysis;
    use crate::report::{Format, RenderOptions, render, sample};

    /// The schema with unknown fields forbidden.
    fn strict(schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                if fields.contains_key("properties") {
                    fields.insert("additionalProperties".to_owned(), false.into());
                }
                fields.values_mut().for_each(strict);
            }
            Value::Array(items) => items.iter_mut().for_each(strict),
            _ => {}
        }
    }

    fn written(analysis: &Analysis) -> Value {
        let mut out = Vec::new();
        render(analysis, Format::Json, &RenderOptions::default(), &mut out).expect("memory");
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn every_report_is_what_the_schema_says_and_nothing_else() {
        let mut schema = report();
        jsonschema::meta::validate(&schema).expect("a schema");
        strict(&mut schema);
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for analysis in [
            sample::killed(),
            sample::silent_path(),
            sample::two_sided(),
            sample::full(20),
            sample::hostile(),
            Analysis::default(),
        ] {
            let report = written(&analysis);
            let errors: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
        let mut wrong = written(&sample::killed());
        wrong["closes"][0]["confidence"] = "certain".into();
        assert!(!validator.is_valid(&wrong));
        let mut wrong = written(&sample::killed());
        wrong["closes"][0]["closed_at"] = "2026-11-23 05:19:24".into();
        assert!(!validator.is_valid(&wrong));
    }

    #[test]
    fn the_wire_format_of_a_close() {
        insta::assert_json_snapshot!("silent_path.json", written(&sample::silent_path()));
    }
}
