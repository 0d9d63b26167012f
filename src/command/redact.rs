//! `redact`: the same evidence under other names.

use std::fs::{self, File};
use std::io::{Read, Write};

use anyhow::{Context, ensure};
use natsleuth::redact::{self, Key, Redacted};
use natsleuth::report::visible;

use super::{complain, print, reading, status};
use crate::cli::Redact;

/// Bytes of a key that nobody keeps.
const RANDOM: usize = 32;

/// Writes the redacted bundle and says what is in it.
pub fn run(arguments: &Redact) -> anyhow::Result<u8> {
    let key = key(arguments)?;
    let redacted = reading::with_threads(&arguments.input, |options, progress| {
        redact::redact(
            &arguments.input.paths,
            &arguments.output,
            &key,
            options,
            progress,
        )
    })??;
    for (source, why) in &redacted.left_out {
        complain(&format!("{source}: left out: {why}"));
    }
    for copy in &redacted.copies {
        if let Some(note) = &copy.note {
            complain(&format!("{}: {note}", copy.from));
        }
    }
    for difference in &redacted.check.differences {
        complain(&format!("a verdict differs, {difference}"));
    }
    print(|out| write(arguments, &redacted, out))?;
    let changed = !redacted.check.holds();
    let incomplete = arguments.input.strict && !redacted.left_out.is_empty();
    Ok(if changed || incomplete {
        status::PARTLY
    } else {
        0
    })
}

fn key(arguments: &Redact) -> anyhow::Result<Key> {
    if let Some(path) = &arguments.key_file {
        let bytes =
            fs::read(path).with_context(|| format!("reading the key {}", path.display()))?;
        ensure!(
            !bytes.is_empty(),
            "the key {} is empty: any bytes will do, such as 32 random ones",
            path.display()
        );
        return Ok(Key::from_bytes(&bytes));
    }
    let mut bytes = [0; RANDOM];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("this system gives no random key; name a file with --key-file")?;
    Ok(Key::from_bytes(&bytes))
}

fn write(arguments: &Redact, redacted: &Redacted, out: &mut dyn Write) -> std::io::Result<()> {
    let check = &redacted.check;
    writeln!(
        out,
        "{}: {} files, {} left out; {} of {} verdicts as before",
        visible(&arguments.output.to_string_lossy()),
        redacted.copies.len(),
        redacted.left_out.len(),
        check.same,
        check.closes
    )?;
    if arguments.key_file.is_none() {
        writeln!(
            out,
            "the key was random and is gone: the next run gives other names (--key-file keeps them)"
        )?;
    }
    Ok(())
}
