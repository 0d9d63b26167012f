//! `explain` and `advisories`: what the tool knows, without any input.

use std::path::Path;

use natsleuth::attribute::advisories as data;
use natsleuth::report;
use natsleuth::report::output::Output;

use super::{print, reading, status};
use crate::cli::output::{Look, width};

/// Writes the catalogue of causes or a part of it.
pub fn explain(cause: Option<&str>, look: Look) -> anyhow::Result<u8> {
    let mut known = true;
    print(|out| {
        let color = look.color(&Output::Stdout);
        known = report::explain::render(cause, color, width(&Output::Stdout), out)?;
        Ok(())
    })?;
    Ok(if known { 0 } else { status::USAGE })
}

/// Writes known bugs.
pub fn advisories(id: Option<&str>, file: Option<&Path>, look: Look) -> anyhow::Result<u8> {
    let given = reading::advisories(file)?;
    let data = given.as_deref().unwrap_or_else(|| data::embedded());
    let mut known = true;
    print(|out| {
        let color = look.color(&Output::Stdout);
        known = report::advisories::render(data, id, color, width(&Output::Stdout), out)?;
        Ok(())
    })?;
    Ok(if known { 0 } else { status::USAGE })
}
