//! The last line: commands that tell more of the worst incident.

use std::io;

use super::Page;
use super::pen::{Indent, Ink, Pen};
use crate::report::answer::{example, label, worst};

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let Some(incident) = worst(page.shown) else {
        return Ok(());
    };
    let name = label(incident.cause, incident.detail);
    let mut more = vec![format!("`natsleuth explain {name}` tells more of it")];
    let captured = example(page.shown, incident).is_some_and(|close| {
        let joined = page.shown.analysis.joined.get(close.joined);
        joined.is_some_and(|joined| !joined.conns.is_empty())
    });
    if captured {
        let id = &incident.id;
        more.push(format!(
            "`natsleuth carve --close {id} ...` cuts out its packets for Wireshark"
        ));
    }
    if !page.options.verbose {
        more.push("-v shows everything".to_owned());
    }
    pen.blank()?;
    pen.write(Indent::default(), &[(Ink::Dim, &more.join("; "))])
}
