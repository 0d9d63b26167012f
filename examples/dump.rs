use natsleuth::reconstruct::log;
use natsleuth::source::*;
fn main() {
    let verbose = std::env::var("V").is_ok();
    let mut parts = Vec::new();
    for (i, path) in std::env::args().skip(1).enumerate() {
        let source = Source {
            id: SourceId(i as u32),
            path: path.clone(),
            kind: Kind::Log,
            bytes: 0,
            hints: Hints {
                stem: std::path::Path::new(&path)
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into(),
                ..Default::default()
            },
        };
        let f = || Box::new(std::fs::File::open(&path).unwrap()) as Box<dyn std::io::Read + Send>;
        let r = if path.ends_with(".conf") {
            log::read_config(&source, f())
        } else if path.ends_with(".json") {
            log::read_monitoring(&source, f())
        } else {
            log::read(&source, f(), &|_| {})
        };
        println!(
            "== {path}: {} records, foreign {:?} unknown {:?} rejects {:?}",
            r.facts.records, r.facts.foreign, r.facts.unknown, r.rejects
        );
        parts.push(r);
    }
    let all = log::merge(parts);
    for (i, s) in all.servers.iter().enumerate() {
        println!(
            "life {i}: {:?}\n  end {:?} at {:?} next {:?} exit {:?} ev {}",
            s.identity,
            s.end.manner,
            s.end.at.as_ref().map(|a| &a.text),
            s.end.next,
            s.end.exit,
            s.end.evidence.len()
        );
        println!(
            "  sources {:?} started {} ready {} debug {} trace {} limits {:?}",
            s.sources,
            s.started.is_some(),
            s.ready.is_some(),
            s.debug,
            s.trace,
            s.limits
        );
        for e in &s.events {
            if verbose {
                println!(
                    "  event {:?} x{} {:?}",
                    e.kind,
                    e.count,
                    e.at.stamp.map(|s| s.ns)
                );
            }
        }
        for c in &s.conns {
            if verbose {
                println!(
                    "  {:?} {} {:?} {:?} {:?} {:?} acc {:?} {:?} remote {:?} opened {} closed {:?} reason {:?} in {} out {} notes {:?}",
                    c.kind,
                    c.id,
                    c.peer,
                    c.name,
                    c.lang,
                    c.version,
                    c.account,
                    c.user,
                    c.remote,
                    c.opened.is_some(),
                    c.closed.as_ref().map(|a| &a.text),
                    c.reason,
                    c.in_msgs,
                    c.out_msgs,
                    c.notes
                        .iter()
                        .map(|n| format!("{:?}", n.kind))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    println!(
        "clients {} host {:?}",
        all.clients.len(),
        all.host_events
            .iter()
            .map(|e| (&e.kind, e.count))
            .collect::<Vec<_>>()
    );
}
