//! Go's last words on stderr: panics, fatal errors, dump signals, and the stacks that follow. No prefix, many lines.

/// What a line of a crash says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash<'a> {
    /// `panic: ...`
    Panic(&'a str),
    /// `fatal error: ...`
    Fatal(&'a str),
    /// `runtime: out of memory: ...`, `fatal error: out of memory`.
    OutOfMemory(&'a str),
    /// `SIGQUIT: quit`, `SIGABRT: abort`, ...: a dump that a signal from outside asked for.
    Signal(&'a str),
}

/// Signals on which the Go runtime dumps all stacks and exits with status 2 (runtime/signal_unix.go).
const DUMP_SIGNALS: &[&str] = &[
    "SIGQUIT: quit",
    "SIGABRT: abort",
    "SIGSEGV: segmentation violation",
    "SIGTRAP: trace trap",
    "SIGBUS: bus error",
    "SIGILL: illegal instruction",
    "SIGFPE: floating-point exception",
    "SIGSYS: bad system call",
    "SIGSTKFLT: stack fault",
];

/// The first line of a crash.
pub fn crash(text: &str) -> Option<Crash<'_>> {
    if let Some(rest) = text.strip_prefix("panic: ") {
        return Some(Crash::Panic(rest));
    }
    if let Some(rest) = text.strip_prefix("fatal error: ") {
        return Some(if rest.contains("out of memory") {
            Crash::OutOfMemory(rest)
        } else {
            Crash::Fatal(rest)
        });
    }
    if text.starts_with("runtime: out of memory") || text.starts_with("runtime: cannot allocate") {
        return Some(Crash::OutOfMemory(text));
    }
    if text.starts_with("runtime: program exceeds ") {
        return Some(Crash::Fatal(text));
    }
    let signal = DUMP_SIGNALS.iter().find(|signal| text == **signal)?;
    Some(Crash::Signal(signal))
}

/// A line that may follow the first one: goroutines, frames, registers, blank lines.
pub fn continues(text: &str) -> bool {
    text.is_empty()
        || text.starts_with('\t')
        || text.starts_with("goroutine ")
        || text.starts_with("created by ")
        || text.starts_with("[signal ")
        || text.starts_with("PC=")
        || text.starts_with("runtime: ")
        || text.starts_with("runtime stack:")
        || text.starts_with("exit status ")
        || text.starts_with("...")
        || text.starts_with("[recovered]")
        || text.starts_with("[originating from goroutine ")
        || text.starts_with("-----")
        || frame(text)
        || register(text)
        || crash(text).is_some()
}

/// `pkg.func(args)`, `pkg.(*T).method(...)`.
fn frame(text: &str) -> bool {
    let Some(open) = text.rfind('(') else {
        return false;
    };
    text.ends_with(')') && open > 0 && text[..open].contains('.') && !text[..open].contains(' ')
        || text.ends_with(')') && text.contains(".(*") && text.contains("({")
        || text.ends_with(')') && text.contains("({0x")
}

/// `rax    0x0`.
fn register(text: &str) -> bool {
    let Some((name, value)) = text.split_once(' ') else {
        return false;
    };
    name.len() <= 6
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
        && value.trim_start().starts_with("0x")
}

/// A stack frame of nats-server itself: the crash is the server's, not a client application's.
pub fn is_server_frame(text: &str) -> bool {
    text.contains("/nats-server/") || text.contains("nats-io/gnatsd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        assert_eq!(
            crash("panic: runtime error: index out of range [3] with length 3"),
            Some(Crash::Panic(
                "runtime error: index out of range [3] with length 3"
            ))
        );
        assert_eq!(
            crash("fatal error: out of memory"),
            Some(Crash::OutOfMemory("out of memory"))
        );
        assert_eq!(
            crash("SIGABRT: abort"),
            Some(Crash::Signal("SIGABRT: abort"))
        );
        assert_eq!(
            crash("fatal error: concurrent map writes"),
            Some(Crash::Fatal("concurrent map writes"))
        );
        assert_eq!(crash("nothing"), None);
    }

    #[test]
    fn following_lines() {
        for text in [
            "",
            "PC=0x4947a1 m=0 sigcode=0",
            "goroutine 0 gp=0x14912a0 m=0 mp=0x1492480 [idle]:",
            "runtime.futex(0x14925d8, 0x80, 0x0, 0x0, 0x0, 0x0)",
            "\truntime/sys_linux_amd64.s:575 +0x21 fp=0x7ffd59f01850",
            "net.(*netFD).Read(0x1d5ba333ca00, {0x1d5ba32f8300?, 0x0?, 0xffffffffffffffff?})",
            "runtime.goexit({})",
            "created by github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine in goroutine 90",
            "rax    0xca",
        ] {
            assert!(continues(text), "{text}");
        }
        for text in [
            "[1] 2026/11/23 05:19:24.006512 [INF] x",
            "hello world (there)",
            "connected to nats",
        ] {
            assert!(!continues(text), "{text}");
        }
    }
}
