//! The answer: the first three lines of the report.

use std::io;

use super::Page;
use super::pen::{Indent, Ink, Pen};
use crate::report::answer;

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let lines = [
        (Ink::Bold, answer::headline(page.shown)),
        (Ink::Plain, answer::counts(page.shown)),
        (Ink::Dim, answer::basis(page.shown)),
    ];
    for (ink, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        pen.write(Indent::default(), &[(*ink, text)])?;
    }
    Ok(())
}
