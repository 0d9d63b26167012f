//! What logs say of servers and hosts, where no close tells of it, and under `-v`.

use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::attribute::signs::Sign;
use crate::report::answer;
use crate::report::phrase::{sentence, thousands};

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let signs: Vec<&Sign> = if page.options.verbose {
        page.shown.analysis.signs.iter().collect()
    } else {
        answer::signs(page.shown).collect()
    };
    if signs.is_empty() {
        return Ok(());
    }
    pen.title("SIGNS OF TROUBLE")?;
    for sign in signs.iter().take(page.cap(cap::SIGNS)) {
        let times = match (sign.count, sign.at_least) {
            (1, false) => String::new(),
            (count, false) => format!("  {} times", thousands(count)),
            (count, true) => format!("  at least {} times", thousands(count)),
        };
        pen.write(
            Indent::hanging(0, 4),
            &[(Ink::Bold, &sentence(sign.means)), (Ink::Plain, &times)],
        )?;
        let pieces: Vec<_> = sign.evidence.iter().collect();
        close::quotes(page, pen, &pieces, 4, "its sign")?;
    }
    Ok(())
}
