//! What the names of files and folders hint at: host, pod, container, and the stem without rotation.

use crate::source::Hints;

use super::rotation;

/// Hints from a path, also one inside an archive (`bundle.zip!/var/log/...`).
pub fn hints(path: &str) -> Hints {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let name = parts.last().copied().unwrap_or_default();
    Hints {
        stem: rotation::stem(name),
        ..Hints::default()
    }
}
