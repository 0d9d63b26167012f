//! What client libraries and the applications around them write about their connections.
//!
//! Three questions, cheapest first: can this line matter at all ([`may_matter`]); what stands around its message
//! ([`envelope::open`]); what does the message say ([`read`]). Grammars are tables of sentences, one file a library;
//! words that no table has are read by `application` where they clearly speak of NATS.

mod address;
mod application;
mod c;
mod catalogue;
mod dotnet;
mod elixir;
pub mod envelope;
mod filter;
mod foreign;
mod frame;
mod go;
mod java;
mod js;
mod os_error;
mod python;
mod row;
mod ruby;
mod rust;
pub mod said;
mod swift;
mod template;
mod trouble;

pub use address::redact;
pub use filter::{Routine, may_matter, routine};
pub use foreign::{is_servers, speaks_of_another};

use catalogue::Found;
use said::{ClientEventKind, Library, Said, Trouble, Weight};

/// What a message says, in the words of `library` where the log is known to be of one.
///
/// `nats` says that the logger or the log so far is NATS's: then an application's own words are read too.
pub fn read(message: &str, library: Library, nats: bool) -> Option<Said> {
    // What is left of a callback's arguments when a program prints them all.
    let message = message.trim().trim_end_matches(" () {}");
    if message.is_empty() {
        return None;
    }
    if (message.contains("INFO {") || message.contains("CONNECT {"))
        && let Some(said) = frame::read(message)
    {
        return Some(said);
    }
    let found = catalogue::sentence(message, library);
    let said = match found {
        // An error's text inside an application's sentence: the sentence says what happened, the error why.
        Some(found) if found.row.inner => {
            let error = of_row(message, &found);
            let before = &message[..found.start];
            Some(
                match application::read(before, nats || error.weight >= Weight::Idiom) {
                    Some(own) => merged(own, error),
                    None => in_context(before, error),
                },
            )
        }
        Some(found) if found.row.weight == Weight::Word => {
            let said = of_row(message, &found);
            Some(match application::read(message, nats) {
                // "Error: ..." says less than the sentence behind it.
                Some(own)
                    if matches!(
                        said.kind,
                        ClientEventKind::Error(Trouble::Unsaid | Trouble::Other(_))
                    ) =>
                {
                    own
                }
                Some(own) => Said {
                    weight: own.weight.max(said.weight),
                    server: said.server.or(own.server),
                    name: said.name.or(own.name),
                    ..said
                },
                None => said,
            })
        }
        Some(found) => Some(of_row(message, &found)),
        None => application::read(message, nats)
            .or_else(|| nats.then(|| of_os_error(message)).flatten()),
    };
    said.filter(|said| {
        // "Error: something foreign" is nobody's evidence.
        !(said.weight <= Weight::Word
            && matches!(said.kind, ClientEventKind::Error(Trouble::Other(_)))
            && !nats)
    })
}

/// The library whose code a stack trace's line passes through.
pub fn of_trace(line: &[u8]) -> Library {
    const MARKS: &[(&[u8], Library)] = &[
        (b"io.nats.client.", Library::Java),
        (b"nats/aio/", Library::Python),
        (b"/@nats-io/", Library::JsV3),
        (b"node_modules/nats/lib/nats.js", Library::JsV1),
        (b"node_modules/nats/", Library::JsV2),
        (b"NATS.Client.Core.", Library::DotNetV2),
        (b"async_nats::", Library::RustAsync),
        (b"nats-io/nats.go", Library::Go),
    ];
    MARKS
        .iter()
        .find(|(mark, _)| memchr::memmem::find(line, mark).is_some())
        .map_or(Library::Unknown, |(_, library)| *library)
}

/// A sentence of the catalogue, with the fields that its holes hold.
fn of_row(message: &str, found: &Found<'_>) -> Said {
    let fields = &found.fields;
    let hole = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| fields.filled.get(name))
            .map(str::trim)
    };
    let carried = trouble::carried(message);
    let mut weight = found.row.weight;
    if let Some(err) = fields.filled.get("err")
        && let Some(inner) = catalogue::sentence(err, found.library)
        && inner.row.inner
    {
        weight = weight.max(inner.row.weight);
    }
    let server = hole(&["hostport", "R", "url"])
        .and_then(address::server)
        .map(Box::from)
        .or_else(|| {
            carried
                .as_ref()
                .and_then(|error| error.remote.as_deref())
                .map(Box::from)
        })
        .or_else(|| application::server(message));
    if weight == Weight::Word
        && server
            .as_deref()
            .is_some_and(|server| server.ends_with(":4222"))
    {
        weight = Weight::Idiom;
    }
    let name = hole(&["name", "label"]).filter(|name| !name.is_empty());
    // C's programs print a status with its number; the pair is nobody else's.
    if found.row.library == Library::C
        && weight == Weight::Word
        && let (Some(number), Some(text)) = (hole(&["n"]), hole(&["err"]))
        && c::is_status(number, text)
    {
        weight = Weight::Idiom;
    }
    let mut said = Said {
        kind: (found.row.says)(fields),
        library: found.library,
        ambiguous: found.ambiguous,
        weight,
        row: found.index,
        server,
        local: carried.and_then(|error| error.local),
        cid: hole(&["cid"])
            .and_then(|cid| cid.parse().ok())
            .filter(|cid| *cid > 0),
        server_id: hole(&["id"]).map(Box::from),
        subject: hole(&["subj"]).map(Box::from),
        name: name.map(Box::from),
        version: None,
    };
    if fields.filled.get("status").is_none() && found.row.text.starts_with("Stack:") {
        said.version = hole(&["version"]).map(Box::from);
    }
    // Only Go prints both addresses of a socket.
    if said.library == Library::Unknown && said.local.is_some() {
        said.library = Library::Go;
    }
    own_address(message, &mut said);
    extra_fields(message, &mut said);
    said
}

/// Ports from here on are what Linux and others give to connecting sockets; servers are reached at lower ones, a Kubernetes
/// NodePort (up to 32767) among them.
const EPHEMERAL: u16 = 32_768;

/// `connected 10.0.0.7:41216`: the client's own address, where nothing says that it is where the client went.
fn own_address(message: &str, said: &mut Said) {
    let Some(text) = said
        .server
        .as_deref()
        .filter(|_| said.weight == Weight::Word)
    else {
        return;
    };
    let (Some(own), Some(at)) = (address::socket(text), message.find(text)) else {
        return;
    };
    let before = message[..at].trim_end().to_ascii_lowercase();
    let led_to = ["to", "at", "server", "from", "/"];
    if own.port() >= EPHEMERAL && !led_to.iter().any(|word| before.ends_with(word)) {
        said.local = said.local.or(Some(own));
        said.server = None;
    }
}

/// A line with nothing but an operating-system error, in a client's log.
fn of_os_error(message: &str) -> Option<Said> {
    let error = trouble::carried(message)?;
    let kind = match application::context(message) {
        Some(context) => context.event(error.trouble.clone()),
        None => error.event(),
    };
    let server: Option<Box<str>> = error.remote.as_deref().map(Box::from);
    Some(Said {
        kind,
        weight: Weight::Word,
        server: server.or_else(|| application::server(message)),
        local: error.local,
        ..Said::default()
    })
}

/// Fields that stand in a structure of their own: .NET's `ServerInfo { ... }`, async-nats's debug text of a URL.
fn extra_fields(message: &str, said: &mut Said) {
    let value = |key: &str| {
        message.find(key).map(|at| {
            message[at + key.len()..]
                .split([',', ' ', '}', ')'])
                .next()
                .unwrap_or("")
                .trim_matches('"')
        })
    };
    if message.contains("ServerInfo {") {
        said.cid = value("ClientId = ").and_then(|cid| cid.parse().ok());
        said.server_id = value(" Id = ").filter(|id| id.len() > 20).map(Box::from);
        said.server = None;
    }
    if message.contains("ServerAddr(Url {")
        && let (Some(host), Some(port)) = (
            message.find("host: Some(").map(|at| &message[at + 11..]),
            value("port: Some("),
        )
    {
        let host = host.split(')').next().unwrap_or("");
        let host = host
            .split_once('(')
            .map_or(host, |(_, host)| host)
            .trim_matches('"');
        said.server = address::server(&format!("{host}:{port}")).map(Box::from);
    }
}

/// The application's sentence with the error's trouble and fields.
fn merged(own: Said, error: Said) -> Said {
    let kind = match (&own.kind, error.kind.trouble()) {
        // "NATS error: ..." only introduces.
        (ClientEventKind::Error(_), _) => error.kind.clone(),
        (ClientEventKind::PublishFailed(_), _)
            if matches!(
                error.kind,
                ClientEventKind::RequestTimeout | ClientEventKind::NoResponders
            ) =>
        {
            error.kind.clone()
        }
        (kind, Some(trouble)) => kind.with_trouble(trouble),
        (kind, None) => kind.clone(),
    };
    Said {
        kind,
        weight: own.weight.max(error.weight),
        server: error.server.or(own.server),
        name: own.name.or(error.name),
        ..error
    }
}

/// An error's text behind an application's words, from which its meaning is taken.
fn in_context(before: &str, said: Said) -> Said {
    let Some(context) = application::context(before) else {
        return said;
    };
    let kind = match (context, &said.kind) {
        (
            application::Context::Publish,
            ClientEventKind::NoResponders | ClientEventKind::SlowConsumer,
        ) => said.kind.clone(),
        (
            application::Context::Request,
            ClientEventKind::NoResponders | ClientEventKind::RequestTimeout,
        ) => said.kind.clone(),
        (context, kind) => context.event(kind.trouble().unwrap_or_default()),
    };
    Said { kind, ..said }
}

#[cfg(test)]
mod tests;
