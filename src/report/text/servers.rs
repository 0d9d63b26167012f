//! Server processes that ended, where no incident tells of them.

use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::report::answer;
use crate::report::phrase::{count, sentence};

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let ends: Vec<_> = answer::untold(page.shown).collect();
    if ends.is_empty() {
        return Ok(());
    }
    pen.title("SERVERS THAT ENDED")?;
    let most = page.cap(cap::SERVERS);
    for end in ends.iter().take(most) {
        let at = end
            .at
            .map_or_else(String::new, |when| format!("{}  ", page.time.show(when)));
        pen.write(
            Indent::hanging(0, 4),
            &[(Ink::Dim, &at), (Ink::Bold, &sentence(&end.summary))],
        )?;
        let pieces: Vec<_> = end.evidence.iter().collect();
        close::quotes(page, pen, &pieces, 4, "its server")?;
        pen.write(
            Indent::hanging(4, 6),
            &[
                (Ink::Doubt, "missing: "),
                (Ink::Plain, answer::unnamed(end)),
            ],
        )?;
        if let Some(name) = end.name {
            let more = format!("`natsleuth explain {name}` says what to do");
            pen.write(Indent::hanging(4, 6), &[(Ink::Dim, &more)])?;
        }
    }
    if ends.len() > most {
        let more = count(ends.len() - most, "more end", "more ends");
        let text = format!("... and {more}; -v lists all");
        pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
    }
    Ok(())
}
