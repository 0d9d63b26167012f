//! The embedded data, and matching against it, by real ids.

use super::*;

fn ids<'a>(found: &[&'a Advisory]) -> Vec<&'a str> {
    found.iter().map(|advisory| advisory.id.as_str()).collect()
}

#[test]
fn the_embedded_data_loads_whole() {
    let data = load(EMBEDDED).unwrap();
    assert_eq!(data.snapshot, "2026-08-22");
    assert_eq!((data.advisories.len(), data.rules.len()), (150, 69));
    assert_eq!(
        data.newest["nats-server"],
        Version::parse("2.14.5").unwrap()
    );
    let mut seen = std::collections::BTreeSet::new();
    for advisory in &data.advisories {
        assert!(seen.insert(&advisory.id), "{} twice", advisory.id);
        assert!(
            data.newest.contains_key(&advisory.component),
            "{}",
            advisory.id
        );
        assert!(!advisory.ranges.is_empty() && !advisory.summary.is_empty());
        for decisive in &advisory.decisive {
            assert!(
                advisory.log_literals.contains(decisive),
                "{}: {decisive}",
                advisory.id
            );
        }
        for fixed in &advisory.fixed_in {
            let fixed = Version::parse(fixed).unwrap();
            assert!(
                !advisory.affects(fixed),
                "{} is fixed in {fixed}",
                advisory.id
            );
        }
    }
}

#[test]
fn parallel_lines_are_fixed_in_parallel() {
    let data = embedded();
    let id = "server-ldm-account-limit-double-count";
    let affected = |version| ids(&data.applying("nats-server", version)).contains(&id);
    assert!(affected("2.10.22") && affected("2.11.10") && affected("2.12.1"));
    // 2.11.11 has the fix although the smaller-looking step to 2.12.0 loses it again.
    assert!(!affected("2.11.11") && affected("2.12.0") && !affected("2.12.2"));
    assert!(!affected("development"));
    let advisory = data.find(id).unwrap();
    let fix = |text| {
        let version = Version::parse(text).unwrap();
        advisory.fix_for(version).map(|v| v.to_string())
    };
    assert_eq!(fix("2.11.8").as_deref(), Some("2.11.11"));
    assert_eq!(fix("2.12.1").as_deref(), Some("2.12.2"));
    assert_eq!(fix("2.10.22").as_deref(), Some("2.11.11"));
}

#[test]
fn a_version_alone_matches_nothing() {
    let data = embedded();
    assert!(!data.applying("nats-server", "2.10.22").is_empty());
    assert!(
        data.matching("nats-server", "2.10.22", &Signals::default())
            .is_empty()
    );
    let ordinary = Signals {
        texts: vec!["Client connection closed: Client Closed"],
        ..Signals::default()
    };
    let found = data.matching("nats-server", "2.10.22", &ordinary);
    assert!(found.iter().all(|m| !m.decisive), "{found:?}");
}

#[test]
fn a_panic_is_known_by_its_function_and_not_by_its_text() {
    let data = embedded();
    let id = "cve-2026-33218-leafnode-preauth-panic";
    let affected = data.find(id).unwrap();
    // The last affected release of the first line that was repaired.
    let [major, minor, patch] = Version::parse(&affected.fixed_in[0]).unwrap().numbers;
    let version = format!("{major}.{minor}.{}", patch - 1);
    let panic = "panic: runtime error: invalid memory address or nil pointer dereference";
    let signals = |function| Signals {
        texts: vec![panic],
        trace: vec![function],
        kind: Some("client"),
    };
    let known = signals(
        "github.com/nats-io/nats-server/v2/server.(*client).setLeafConnectDelayIfSoliciting(0xc0002, 0x0)",
    );
    let found = data.matching("nats-server", &version, &known);
    assert_eq!(found[0].advisory, affected, "{version}");
    assert!(found[0].decisive);
    let other =
        signals("github.com/nats-io/nats-server/v2/server.(*client).somethingElse(0xc0002)");
    let found = data.matching("nats-server", &version, &other);
    assert!(found.iter().all(|m| !m.decisive && m.advisory.id != id));
    let fixed = &affected.fixed_in[0];
    assert!(
        data.matching("nats-server", fixed, &known)
            .iter()
            .all(|m| m.advisory.id != id)
    );
}

#[test]
fn a_decisive_literal_decides_only_in_the_range_and_for_the_kind() {
    let data = embedded();
    let id = "natspy-flusher-task-dies";
    let advisory = data.find(id).unwrap();
    let signals = Signals {
        texts: vec!["asyncio.exceptions.InvalidStateError: invalid state"],
        trace: Vec::new(),
        kind: Some("client"),
    };
    let affected = ["2.0.0", "2.2.0", "2.6.0", "2.9.0", "2.10.0"]
        .into_iter()
        .find(|version| advisory.affects(Version::parse(version).unwrap()))
        .unwrap();
    let found = data.matching("nats.py", affected, &signals);
    assert!(found.iter().any(|m| m.advisory.id == id && m.decisive));
    assert!(data.matching("nats.go", affected, &signals).is_empty());
    let route = Signals {
        kind: Some("route"),
        ..signals
    };
    assert!(data.matching("nats.py", affected, &route).is_empty());
}

#[test]
fn context_names_each_advisory_once_with_its_fix() {
    let data = embedded();
    let seen = [
        ("nats-server", "2.11.8"),
        ("nats-server", "2.11.8"),
        ("nats-server", "2.12.1"),
        ("nats.py", "development"),
    ];
    let rows = data.context(seen);
    let id = "server-ldm-account-limit-double-count";
    let mine: Vec<_> = rows.iter().filter(|(known, _)| known == id).collect();
    assert_eq!(mine.len(), 1);
    assert!(
        mine[0]
            .1
            .ends_with("(nats-server 2.11.8, fixed in 2.11.11)"),
        "{}",
        mine[0].1
    );
    assert!(rows.is_sorted_by(|a, b| a.0 < b.0));
    assert!(data.context([]).is_empty());
}

#[test]
fn newer_than_the_data_is_said() {
    let data = embedded();
    assert!(data.is_beyond("nats-server", "2.15.1"));
    assert!(!data.is_beyond("nats-server", "2.11.17"));
    assert!(!data.is_beyond("unheard-of", "9.9.9"));
}

#[test]
fn a_replacement_is_checked() {
    let text = "[meta]\nschema = 1\nsnapshot = \"2027-01-01\"\n";
    assert!(load(text).unwrap().advisories.is_empty());
    assert!(matches!(
        load("[meta]\nschema = 2\nsnapshot = \"\"\n"),
        Err(LoadError::Schema { found: 2 })
    ));
    assert!(matches!(load("[meta"), Err(LoadError::Syntax(_))));
    let bad = EMBEDDED.replacen("affected = [\">=2.0.0", "affected = [\"~2.0.0", 1);
    let error = load(&bad).unwrap_err().to_string();
    assert!(
        error.contains("cannot read the version range '~2.0.0"),
        "{error}"
    );
}
