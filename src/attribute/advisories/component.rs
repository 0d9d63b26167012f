//! Which product a peer is, from what it says in CONNECT: `lang` alone is shared by several libraries.

use super::version::Version;

/// The component of a client, from CONNECT's `lang` and `version`. `None` for a language that no advisory knows.
pub fn of_client(lang: &str, version: &str) -> Option<&'static str> {
    let major = Version::parse(version).map(|version| version.numbers[0]);
    Some(match lang {
        "go" => "nats.go",
        "python3" => "nats.py",
        // The deprecated synchronous crate says the same; its versions overlap only with the first of async-nats.
        "rust" => "async-nats",
        "java" => "nats.java",
        "C" => "nats.c",
        "C#" => "nats.net",
        // Four numbers of an assembly in v1 (`1.1.8.0`); 2.x and later are the new library.
        ".NET" if major? >= 2 => "nats.net",
        ".NET" => "nats.net.v1",
        "node" => "nats.node",
        "nats.js" if major? < 3 => "nats.node",
        "nats.ws" if major? < 3 => "nats.ws",
        "nats.deno" if major? < 3 => "nats.deno",
        "nats.js" | "nats.ws" | "nats.deno" => "nats.js",
        // RUBY_ENGINE followed by RUBY_VERSION.
        _ if ["ruby", "jruby", "truffleruby"].iter().any(|engine| {
            lang.strip_prefix(engine).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit())
            })
        }) =>
        {
            "nats-pure.rb"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_become_products_by_version() {
        for (lang, version, product) in [
            ("go", "1.53.1", Some("nats.go")),
            ("python3", "2.15.0", Some("nats.py")),
            ("nats.js", "2.29.3", Some("nats.node")),
            ("nats.js", "3.4.0", Some("nats.js")),
            ("nats.ws", "1.30.3", Some("nats.ws")),
            ("nats.ws", "3.4.0", Some("nats.js")),
            (".NET", "2.8.2+commit", Some("nats.net")),
            (".NET", "1.1.8.0", Some("nats.net.v1")),
            (".NET", "", None),
            ("ruby3.2.2", "2.5.0", Some("nats-pure.rb")),
            ("rubyish", "2.5.0", None),
            ("Swift", "0.0.1", None),
            ("", "", None),
        ] {
            assert_eq!(of_client(lang, version), product, "{lang} {version}");
        }
    }
}
