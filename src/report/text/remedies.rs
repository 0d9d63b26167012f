//! What to do, last.

use std::fmt::Write as _;
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::report::advice;
use crate::report::answer::label;
use crate::report::phrase::count;

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let advices = advice::gathered(page.shown, page.options.verbose);
    if advices.is_empty() {
        return Ok(());
    }
    pen.title("WHAT TO DO")?;
    let advice_cap = page.cap(cap::ADVICE);
    for advice in advices.iter().take(advice_cap) {
        let most = page.cap(cap::NAMES);
        let mut about = advice
            .about
            .iter()
            .take(most)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        if advice.about.len() > most {
            let _ = write!(about, " and {} more", advice.about.len() - most);
        }
        let cause = label(advice.cause, advice.detail);
        pen.write(
            Indent::hanging(0, 4),
            &[
                (close::ink(advice.cause), &cause),
                (Ink::Dim, &format!("  {about}")),
            ],
        )?;
        for step in &*advice.steps {
            pen.plain(Indent::hanging(2, 4), &format!("- {step}"))?;
        }
    }
    if advices.len() > advice_cap {
        let more = count(advices.len() - advice_cap, "more", "more");
        pen.write(
            Indent::default(),
            &[(Ink::Dim, &format!("... and {more}; -v shows all"))],
        )?;
    }
    Ok(())
}
