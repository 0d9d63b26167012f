//! Members of archives: which may be read, under which name, and how the others are reported.

use super::archive::Unpacker;
use super::tar;

/// Members of one archive that are named one by one when they are skipped; the rest is counted.
const NAMED_SKIPS: usize = 200;

/// The name to use for a member that is a file; `None` for folders; why it is skipped otherwise.
pub fn checked(member: &tar::Member) -> Result<Option<String>, String> {
    match member.kind {
        tar::MemberKind::File => safe_name(&member.name).map(Some),
        tar::MemberKind::Folder => Ok(None),
        tar::MemberKind::Other(what) => Err(what.to_owned()),
    }
}

/// Nothing is ever written under a member's name, so an escape could only mislead a reader; it is refused all the
/// same, since it marks a forged archive.
pub fn safe_name(name: &str) -> Result<String, String> {
    let unified = name.replace('\\', "/");
    let drive = matches!(unified.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', ..]);
    if unified.starts_with('/') || drive {
        return Err("its name is an absolute path".to_owned());
    }
    if unified.split('/').any(|part| part == "..") {
        return Err("its name leads out of the archive".to_owned());
    }
    let parts = unified.split('/').filter(|p| !p.is_empty() && *p != ".");
    let clean = parts.collect::<Vec<_>>().join("/");
    if clean.is_empty() {
        return Err("it has no name".to_owned());
    }
    Ok(clean)
}

/// Members that were skipped: the first ones by name, the rest as a number, so that a forged archive cannot flood
/// the report.
#[derive(Default)]
pub struct Skips {
    named: usize,
    more: u64,
}

impl Skips {
    /// One more.
    pub fn add(&mut self, unpacker: &mut Unpacker<'_>, path: &str, name: &str, why: String) {
        if self.named == NAMED_SKIPS {
            self.more += 1;
            return;
        }
        self.named += 1;
        unpacker.skip(format!("{path}!/{name}"), 0, why);
    }

    /// Reports those that were not named.
    pub fn finish(self, unpacker: &mut Unpacker<'_>, path: &str, bytes: u64) {
        if self.more > 0 {
            let why = "more members that were skipped";
            unpacker.skip_many(path.to_owned(), bytes, why, self.more);
        }
    }
}
