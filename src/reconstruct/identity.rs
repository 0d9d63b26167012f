//! Identities put together from several sources.

use super::server::Identity;

/// Takes from `told` what `identity` does not know.
pub fn fill(identity: &mut Identity, told: &Identity) {
    // A name that is only the id gives way to a real one.
    if identity.name.is_none() || (identity.name == identity.id && told.name.is_some()) {
        identity.name.clone_from(&told.name);
    }
    for (slot, told) in [
        (&mut identity.id, &told.id),
        (&mut identity.version, &told.version),
        (&mut identity.git_commit, &told.git_commit),
        (&mut identity.cluster, &told.cluster),
        (&mut identity.config, &told.config),
        (&mut identity.host, &told.host),
    ] {
        if slot.is_none() {
            slot.clone_from(told);
        }
    }
    identity.pid = identity.pid.or(told.pid);
    identity.listen = identity.listen.or(told.listen);
    for listener in &told.other_listeners {
        if !identity.other_listeners.contains(listener) {
            identity.other_listeners.push(*listener);
        }
    }
}
