//! Strings that try to break out of every format.

use super::killed;
use crate::attribute::finding::Analysis;
use crate::shelf::Name;

/// [`killed`] with strings that try to break out of every format.
pub fn hostile() -> Analysis {
    let mut analysis = killed();
    let script = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>\u{202e}\x1b[31m";
    for index in 0..analysis.closes.len() {
        analysis.closes.change(index, |close| {
            close.client_name = Some(Name::of(&format!("{script}{}", close.id)));
            close.account = Some("\"';--><!--".to_owned());
            close.summary = format!("=cmd|' /C calc'!A0 {script}");
            for piece in &mut close.evidence {
                piece.says = format!("a\r\nb\0 {script} \u{2028}");
            }
        });
    }
    for incident in &mut analysis.incidents {
        incident.summary = script.to_owned();
    }
    analysis.sources[0].path = format!("dir/{script}.log");
    analysis
}
