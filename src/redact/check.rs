//! The proof that redaction changed no verdict: both bundles are analysed, and their closes are held against each other.

use std::net::SocketAddr;
use std::path::Path;

use super::mapper::Mapper;
use crate::analyze::{self, Options};
use crate::attribute::finding::{Analysis, Close};
use crate::progress::Progress;

/// Differences that are named; the others are counted.
const NAMED: usize = 20;

/// How the verdicts compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Closes of the bundle.
    pub closes: usize,
    /// Closes whose verdict is the same in both.
    pub same: usize,
    /// The first of the others, in words, under their new names.
    pub differences: Vec<String>,
}

impl Check {
    /// Every verdict is the same.
    pub const fn holds(&self) -> bool {
        self.same == self.closes && self.differences.is_empty()
    }
}

/// Analyses what was written and compares.
pub fn compare(
    mapper: &Mapper,
    before: &Analysis,
    out: &Path,
    options: &Options,
    progress: &dyn Progress,
) -> Check {
    let here = |at: SocketAddr| at;
    let there = |at: SocketAddr| SocketAddr::new(mapper.ip(at.ip()), at.port());
    let mut want: Vec<String> = before
        .closes
        .iter()
        .map(|close| verdict(&close, there))
        .collect();
    let mut check = Check {
        closes: want.len(),
        ..Check::default()
    };
    let after = match analyze::analyze(&[out.to_path_buf()], options, progress) {
        Ok((_, after)) => after,
        // A bundle without a source that can be read has no closes either.
        Err(error) if !want.is_empty() => {
            check.differences.push(error.to_string());
            return check;
        }
        Err(_) => return check,
    };
    let mut have: Vec<String> = after
        .closes
        .iter()
        .map(|close| verdict(&close, here))
        .collect();
    want.sort_unstable();
    have.sort_unstable();
    let (mut old, mut new) = (want.into_iter().peekable(), have.into_iter().peekable());
    let mut differ = |text: String| {
        if check.differences.len() < NAMED {
            check.differences.push(text);
        }
    };
    loop {
        match (old.peek(), new.peek()) {
            (Some(a), Some(b)) if a == b => {
                check.same += 1;
                old.next();
                new.next();
            }
            (Some(a), b) if b.is_none_or(|b| a < b) => {
                differ(format!("only before: {a}"));
                old.next();
            }
            (_, Some(b)) => {
                differ(format!("only after: {b}"));
                new.next();
            }
            (_, None) => return check,
        }
    }
}

fn verdict(close: &Close, place: impl Fn(SocketAddr) -> SocketAddr) -> String {
    let end =
        |at: Option<SocketAddr>| at.map_or_else(|| "?".to_owned(), |at| place(at).to_string());
    format!(
        "{} -> {} cid {}: {}/{} ({})",
        end(close.client.or(close.client_side)),
        end(close.server),
        close
            .cid
            .map_or_else(|| "?".to_owned(), |cid| cid.to_string()),
        close.cause,
        close.detail,
        close.confidence.word()
    )
}
