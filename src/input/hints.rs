//! What the names of files and folders hint at: host, pod, container, and the stem without rotation.
//!
//! The layouts: a Kubernetes node (`/var/log/pods`, `/var/log/containers`), docker (`containers/ID/ID-json.log`),
//! `kubectl cluster-info dump`, OpenShift's must-gather, replicated's support bundle, and sosreport.

use super::piece;
use crate::source::Hints;

/// Hints from a path, also one inside an archive (`bundle.zip!/var/log/...`).
pub fn hints(path: &str) -> Hints {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let name = parts.last().copied().unwrap_or_default();
    let (pod, container) = workload(&parts);
    let mut stem = piece::stem(name);
    // Names that every container has in common say nothing.
    let common =
        matches!(stem.as_str(), "logs" | "current" | "previous") || stem.parse::<u64>().is_ok();
    if let (Some(pod), true) = (&pod, common) {
        stem.clone_from(pod);
    }
    Hints {
        stem,
        host: host(&parts),
        pod,
        container,
    }
}

/// Pod and container.
fn workload(parts: &[&str]) -> (Option<String>, Option<String>) {
    let owned = |s: &str| Some(s.to_owned());
    for (i, part) in parts.iter().enumerate() {
        match (*part, &parts[i + 1..]) {
            // kubelet: NAMESPACE_POD_UID/CONTAINER/0.log
            ("pods", [pod, container, _, ..]) if pod.split('_').count() == 3 => {
                return (pod.split('_').nth(1).and_then(owned), owned(container));
            }
            // support bundle: pods/logs/NAMESPACE/POD/CONTAINER.log
            ("pods", ["logs", _, pod, file]) => {
                let container = piece::stem(file);
                return (owned(pod), owned(container.trim_end_matches("-previous")));
            }
            // must-gather: namespaces/NAMESPACE/pods/POD/CONTAINER/CONTAINER/logs/current.log
            ("pods", [pod, container, _, "logs", _]) if i >= 2 && parts[i - 2] == "namespaces" => {
                return (owned(pod), owned(container));
            }
            ("containers", [file]) => {
                if let Some((pod, container)) = container_link(file) {
                    return (owned(pod), owned(container));
                }
            }
            // docker: containers/ID/ID-json.log
            ("containers", [id, file]) if is_id(id) && file.starts_with(id) => {
                return (None, owned(&id[..12]));
            }
            // cluster-info dump: NAMESPACE/POD/logs.txt
            (pod, ["logs.txt"]) => return (owned(pod), None),
            _ => {}
        }
    }
    (None, None)
}

/// `POD_NAMESPACE_CONTAINER-ID.log`.
fn container_link(file: &str) -> Option<(&str, &str)> {
    let mut words = file.splitn(3, '_');
    let pod = words.next()?;
    words.next()?;
    let (container, id) = words.next()?.rsplit_once('-')?;
    is_id(id.get(..64)?).then_some((pod, container))
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The host: from sosreport's name, else the folder that `var/log` stands in.
fn host(parts: &[&str]) -> Option<String> {
    if let Some(host) = parts.iter().find_map(|p| sosreport(p)) {
        return Some(host);
    }
    let at = parts.windows(2).position(|pair| pair == ["var", "log"])?;
    let folder = parts.get(at.checked_sub(1)?)?;
    let generic = folder.ends_with('!')
        || matches!(
            *folder,
            "." | ".." | "rootfs" | "root" | "host" | "fs" | "sos"
        );
    (!generic).then(|| (*folder).to_owned())
}

/// `sosreport-HOST[-CASE]-2026-11-23-abcdefg` and, before sos 3.6, `sosreport-HOST.CASE-20261123051118`.
fn sosreport(part: &str) -> Option<String> {
    let name = part.strip_prefix("sosreport-")?;
    let name = name.trim_end_matches('!');
    let mut words: Vec<&str> = name.split('-').collect();
    let number = |w: &&str| w.bytes().all(|b| b.is_ascii_digit()) && !w.is_empty();
    // The date, and everything behind it.
    let date = words.windows(3).position(|w| {
        w.iter().all(number) && w[0].len() == 4 && w[1].len() == 2 && w[2].len() == 2
    });
    match date {
        Some(at) => words.truncate(at),
        None if words
            .last()
            .is_some_and(|w| w.len() >= 14 && w.bytes().take(14).all(|b| b.is_ascii_digit())) =>
        {
            words.pop();
        }
        None => return None,
    }
    if words.len() > 1 && words.last().is_some_and(|w| number(w) && w.len() >= 5) {
        words.pop();
    }
    let host = words.join("-");
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let id = "0123456789abcdef".repeat(4);
        let link = format!("var/log/containers/nats-0_prod_nats-{id}.log");
        let docker = format!("n1/var/lib/docker/containers/{id}/{id}-json.log");
        for (path, stem, host, pod, container) in [
            (
                "b.tgz!/n1/var/log/pods/prod_nats-0_3f-1/nats/0.log",
                "nats-0",
                Some("n1"),
                Some("nats-0"),
                Some("nats"),
            ),
            (
                "/var/log/pods/prod_nats-0_3f-1/nats/0.log.20261123-051118.gz",
                "nats-0",
                None,
                Some("nats-0"),
                Some("nats"),
            ),
            (
                &link,
                &format!("nats-0_prod_nats-{id}"),
                None,
                Some("nats-0"),
                Some("nats"),
            ),
            (
                &docker,
                &format!("{id}-json"),
                None,
                None,
                Some("0123456789ab"),
            ),
            (
                "dump/prod/nats-1/logs.txt",
                "nats-1",
                None,
                Some("nats-1"),
                None,
            ),
            (
                "mg/namespaces/prod/pods/nats-0/nats/nats/logs/current.log",
                "nats-0",
                None,
                Some("nats-0"),
                Some("nats"),
            ),
            (
                "sb/cluster-resources/pods/logs/prod/nats-0/nats-previous.log",
                "nats-previous",
                None,
                Some("nats-0"),
                Some("nats"),
            ),
            (
                "sosreport-db-node-1-0123456-2026-11-23-abcdefg.tar.xz!/sosreport-db-node-1-0123456-2026-11-23-abcdefg/var/log/messages",
                "messages",
                Some("db-node-1"),
                None,
                None,
            ),
            (
                "sosreport-n7-20261123051118/var/log/syslog.1",
                "syslog",
                Some("n7"),
                None,
                None,
            ),
            (
                "b/node-2/var/log/nats/nats.log",
                "nats",
                Some("node-2"),
                None,
                None,
            ),
            ("b.zip!/var/log/nats.log", "nats", None, None, None),
            (
                "bundle/nats-0_server.log",
                "nats-0_server",
                None,
                None,
                None,
            ),
            ("-", "-", None, None, None),
        ] {
            let want = Hints {
                stem: stem.to_owned(),
                host: host.map(str::to_owned),
                pod: pod.map(str::to_owned),
                container: container.map(str::to_owned),
            };
            assert_eq!(hints(path), want, "{path}");
        }
    }

    /// Found by fuzzing.
    #[test]
    fn a_letter_of_several_bytes_where_the_date_would_end() {
        let found = hints("sosreport-web-2026112305120\u{e9}x/var/log/nats.log");
        assert_eq!(
            found.host.as_deref(),
            Some("sosreport-web-2026112305120\u{e9}x"),
            "no date: an ordinary folder"
        );
    }
}
