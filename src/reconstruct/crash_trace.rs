//! The trace of a Go crash: which functions led to it. Of the many goroutines in a trace the first is the one that crashed.

use crate::span::LogRef;

/// Frames kept: the defect is near the top.
const FRAMES: usize = 24;

/// Lines of the first goroutine that name no function of the program: places of functions, and the runtime's own part.
const NO_FUNCTIONS: &[&str] = &["\t", " ", "runtime.", "panic("];

/// The functions of the goroutine that crashed, innermost first, from all lines of the crash in order.
pub fn crashed_goroutine(lines: impl Iterator<Item = LogRef>) -> Vec<LogRef> {
    let header = |at: &LogRef| at.text.starts_with("goroutine ");
    lines
        .skip_while(|at| !header(at))
        .skip(1)
        .take_while(|at| !at.text.is_empty() && !header(at))
        .filter(|at| !NO_FUNCTIONS.iter().any(|start| at.text.starts_with(start)))
        .take(FRAMES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::span::Cite;

    fn functions(text: &str) -> Vec<String> {
        let lines = text.lines().zip(1..).map(|(line, number)| LogRef {
            stamp: None,
            outer: None,
            cite: Cite::line(SourceId(0), number),
            text: line.into(),
        });
        crashed_goroutine(lines)
            .into_iter()
            .map(|at| at.text.to_string())
            .collect()
    }

    /// From a run of 2.11.8, shortened.
    const PANIC: &str = "panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0xa4aa4d]

goroutine 44 [running]:
panic({0xd1a2c0?, 0x1452c20?})
\truntime/panic.go:792 +0x132
github.com/nats-io/nats-server/v2/server.(*Server).checkStreamCfg(_, _, _, _)
\tgithub.com/nats-io/nats-server/v2/server/stream.go:1545 +0xfad
github.com/nats-io/nats-server/v2/server.(*Account).addStreamPedantic(...)
\tgithub.com/nats-io/nats-server/v2/server/stream.go:490
created by github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine in goroutine 31

goroutine 1 [select, 1 minutes]:
github.com/nats-io/nats-server/v2/server.(*Server).WaitForShutdown(...)
";

    #[test]
    fn only_the_first_goroutine_and_only_functions() {
        assert_eq!(
            functions(PANIC),
            [
                "github.com/nats-io/nats-server/v2/server.(*Server).checkStreamCfg(_, _, _, _)",
                "github.com/nats-io/nats-server/v2/server.(*Account).addStreamPedantic(...)",
                "created by github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine in goroutine 31",
            ]
        );
    }

    #[test]
    fn a_trace_cut_anywhere_gives_what_is_there() {
        let whole = functions(PANIC);
        for end in 0..PANIC.len() {
            let cut = functions(&PANIC[..end]);
            assert!(cut.len() <= whole.len());
            let complete = cut.len().saturating_sub(1);
            assert_eq!(cut[..complete], whole[..complete], "cut at {end}");
        }
        assert!(functions("panic: x\nexit status 2\n").is_empty());
    }

    #[test]
    fn frames_are_bounded() {
        let deep = format!(
            "goroutine 1 [running]:\n{}",
            "server.loop(0x1)\n".repeat(500)
        );
        assert_eq!(functions(&deep).len(), FRAMES);
    }
}
