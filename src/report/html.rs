//! `--format html`: one self-contained page, no network. What matters is plain HTML; a script in the page adds the time line,
//! the table of closes and a ladder for each close, from JSON inside the page.
//!
//! Every byte of a log is hostile. Text is escaped where it enters markup, `<` inside JSON is written as an escape so that no
//! string can end the script element, the page's script only ever sets text, and a content security policy names the
//! page's own script and style by hash, so that nothing else would run even then.

mod data;
mod escape;
mod lanes;
mod prose;

use std::io::{self, Write};

use super::{RenderOptions, Shown, answer};
use escape::{Json, text};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = concat!(
    "'use strict';\n",
    include_str!("html/page.js"),
    include_str!("html/lanes.js"),
    include_str!("html/closes.js"),
    include_str!("html/ladder.js"),
    "start();\n"
);

/// Writes the page.
pub(super) fn write(
    shown: &Shown<'_>,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let data = data::Data::new(shown);
    let mut rest = PAGE;
    while let Some((before, (name, after))) = rest
        .split_once("{{")
        .and_then(|(before, tail)| Some((before, tail.split_once("}}")?)))
    {
        out.write_all(before.as_bytes())?;
        match name {
            "policy" => out.write_all(escape::policy(STYLE, SCRIPT).as_bytes())?,
            "version" => write!(out, "{}", text(env!("CARGO_PKG_VERSION")))?,
            "title" => write!(out, "natsleuth: {}", text(&answer::headline(shown)))?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "headline" => write!(out, "{}", text(&answer::headline(shown)))?,
            "counts" => write!(out, "{}", text(&answer::counts(shown)))?,
            "basis" => write!(out, "{}", text(&answer::basis(shown)))?,
            "incidents" => prose::incidents(shown, out)?,
            "closes" => prose::closes(shown, out)?,
            "remedies" => prose::remedies(shown, out)?,
            "reading" => prose::reading(shown, out)?,
            "footer" => prose::footer(shown, options, out)?,
            "data" => serde_json::to_writer(Json(&mut *out), &data.overview())?,
            "details" => details(&data, out)?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            _ => debug_assert!(false, "page.html names no section {name}"),
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// The details of closes, in parts that the script reads only when one of their closes is opened.
fn details(data: &data::Data<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (number, part) in data.parts().enumerate() {
        write!(
            out,
            "<script type=\"application/json\" id=\"part-{number}\">"
        )?;
        serde_json::to_writer(Json(&mut *out), &part)?;
        out.write_all(b"</script>\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
