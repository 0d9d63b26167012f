//! `version/known-bug`: a known bug of exactly this version, its symptoms included.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;

/// Needs the version range and the symptom, never the range alone.
pub fn check(_disconnect: &Disconnect, _case: &Case) -> Option<Finding> {
    None
}
