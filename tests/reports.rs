//! Every format of the report over every incident, held against what the format promises; and whole reports of some of them,
//! read line by line before they were accepted.

mod incident_kit;

use std::fs;
use std::path::Path;

use incident_kit::{Incident, incidents};
use natsleuth::analyze::{self, Options};
use natsleuth::attribute::finding::Analysis;
use natsleuth::input::InputOptions;
use natsleuth::progress::Silent;
use natsleuth::report::{Format, RenderOptions, render, schema};
use serde_json::Value;

/// Incidents whose reports are kept whole: a path that two captures saw go silent, a server killed by the kernel.
const GOLDEN: &[&str] = &["blackhole", "oom-kill"];

/// The analysis with hashes, its paths as if the incident's folder were the working directory.
fn analysis(incident: &Incident) -> Analysis {
    let options = Options {
        input: InputOptions {
            hash: true,
            ..InputOptions::default()
        },
        ports_are_default: true,
        ..Options::default()
    };
    let found = analyze::analyze(&incident.evidence(), &options, &Silent);
    let mut analysis = found.expect("an analysis").1;
    let folder = format!("{}/", incident.folder.display());
    for source in &mut analysis.sources {
        source.path = source.path.replace(&folder, "");
    }
    analysis
}

fn written(analysis: &Analysis, format: Format) -> String {
    let mut out = Vec::new();
    let options = RenderOptions {
        command: ["natsleuth", "analyze", "."].map(str::to_owned).to_vec(),
        ..RenderOptions::default()
    };
    render(analysis, format, &options, &mut out).expect("memory");
    String::from_utf8(out).expect("text")
}

/// The schema with unknown fields forbidden: a field that it does not know is one that nobody documented.
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

/// Rows of RFC 4180, each a number of cells.
fn rows(csv: &str) -> Vec<usize> {
    let mut rows = vec![1];
    let mut quoted = false;
    for char in csv.trim_end().chars() {
        match char {
            '"' => quoted = !quoted,
            ',' if !quoted => *rows.last_mut().expect("a row") += 1,
            '\n' if !quoted => rows.push(1),
            _ => {}
        }
    }
    rows
}

/// What a report of one incident breaks of what its format promises.
fn broken(name: &str, analysis: &Analysis, validator: &jsonschema::Validator) -> Vec<String> {
    let mut broken = Vec::new();
    let report: Value = serde_json::from_str(&written(analysis, Format::Json)).expect("JSON");
    for error in validator.iter_errors(&report) {
        broken.push(format!("{name}: {}: {error}", error.instance_path()));
    }
    for source in report["sources"].as_array().expect("sources") {
        if source["kind"] != "unknown" && source["kind"] != "key-log" && source["sha256"].is_null()
        {
            broken.push(format!("{name}: {} has no hash", source["path"]));
        }
    }
    let mut kinds = Vec::new();
    for line in written(analysis, Format::Ndjson).lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        kinds.push(row["type"].as_str().expect("a type").to_owned());
    }
    let closes = kinds.iter().filter(|kind| *kind == "close").count();
    if kinds[0] != "report" || closes != analysis.closes.len() {
        broken.push(format!("{name}: ndjson of {kinds:?}"));
    }
    for (format, count) in [
        (Format::Csv, analysis.closes.len()),
        (Format::CsvIncidents, analysis.incidents.len()),
    ] {
        let rows = rows(&written(analysis, format));
        if rows.len() != count + 1 || rows.iter().any(|cells| *cells != rows[0]) {
            broken.push(format!("{name}: csv of {rows:?} cells"));
        }
    }
    let sarif: Value = serde_json::from_str(&written(analysis, Format::Sarif)).expect("JSON");
    for result in sarif["runs"][0]["results"].as_array().expect("results") {
        if result["ruleIndex"].is_null() || result["message"]["text"] == "" {
            broken.push(format!("{name}: SARIF result {result}"));
        }
    }
    let text = written(analysis, Format::Text);
    let wide = |line: &&str| line.chars().count() > RenderOptions::default().width + 4;
    for line in text.lines().filter(wide) {
        broken.push(format!("{name}: wider than the page: {line}"));
    }
    let html = written(analysis, Format::Html);
    if html.contains("{{") || !html.ends_with("</html>\n") {
        broken.push(format!("{name}: an unfinished page"));
    }
    broken
}

#[test]
fn every_incident_in_every_format_is_what_the_format_promises() {
    let mut schema: Value = serde_json::from_str(&schema::schema()).expect("JSON");
    strict(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut wrong = Vec::new();
    for incident in incidents() {
        wrong.extend(broken(&incident.name, &analysis(&incident), &validator));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The page without what is the same in all pages and what the script is given.
fn prose(html: &str) -> String {
    let mut shown = String::new();
    let mut rest = html;
    for (begin, end) in [("<style>", "</style>"), ("<script", "</body>")] {
        if let Some((before, after)) = rest.split_once(begin) {
            shown.push_str(before);
            rest = after.split_once(end).map_or("", |(_, after)| after);
        }
    }
    let policy = shown
        .lines()
        .filter(|line| !line.contains("Content-Security-Policy"));
    policy.collect::<Vec<_>>().join("\n")
}

#[test]
fn whole_reports() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/report/golden");
    for incident in incidents() {
        if !GOLDEN.contains(&incident.name.as_str()) {
            continue;
        }
        let analysis = analysis(&incident);
        insta::with_settings!({
            snapshot_path => root.join(&incident.name),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            for (ending, format) in [
                ("txt", Format::Text),
                ("csv", Format::Csv),
                ("incidents.csv", Format::CsvIncidents),
                ("json", Format::Json),
                ("ndjson", Format::Ndjson),
            ] {
                insta::assert_snapshot!(format!("report.{ending}"), written(&analysis, format));
            }
            let mut sarif: Value =
                serde_json::from_str(&written(&analysis, Format::Sarif)).expect("JSON");
            // The catalogue, which is the same in all.
            sarif["runs"][0]["tool"]["driver"]["rules"].take();
            insta::assert_snapshot!("report.sarif", format!("{sarif:#}"));
            insta::assert_snapshot!("report.html", prose(&written(&analysis, Format::Html)));
        });
    }
    for name in GOLDEN {
        assert!(
            fs::metadata(root.join(name)).is_ok(),
            "{name} is an incident"
        );
    }
}
