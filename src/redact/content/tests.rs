use super::super::key::Key;
use super::*;

/// What comes out, in pieces of every size, must be the same; the last piece of it.
fn through(input: &[u8]) -> Vec<u8> {
    let mapper = Mapper::new(&Key::from_bytes(b"k"));
    let mut whole = Vec::new();
    let mut content = Content::new(true);
    content.push(&mapper, input, &mut whole);
    content.flush(&mapper, &mut whole);
    assert_eq!(whole.len(), input.len());
    for size in [1, 2, 5, 13, 64] {
        let mut out = Vec::new();
        let mut content = Content::new(true);
        for piece in input.chunks(size) {
            content.push(&mapper, piece, &mut out);
        }
        content.flush(&mapper, &mut out);
        assert_eq!(
            out.escape_ascii().to_string(),
            whole.escape_ascii().to_string(),
            "pieces of {size}"
        );
    }
    whole
}

fn lacks(out: &[u8], tokens: &[&str]) {
    for token in tokens {
        assert!(
            memchr::memmem::find(out, token.as_bytes()).is_none(),
            "{token} in {}",
            out.escape_ascii()
        );
    }
}

fn starts(out: &[u8], start: &[u8]) {
    assert!(out.starts_with(start), "{}", out.escape_ascii());
}

#[test]
fn nats_with_payloads_and_headers() {
    let out = through(
        b"CONNECT {\"name\":\"acme\",\"pass\":\"hunter2\"}\r\nHPUB acme.x 24 29\r\nNATS/1.0 503\r\nAcme: 1\r\n\r\nhello\r\nPUB acme.x 6\r\nPING\r\n\r\n+OK\r\n",
    );
    lacks(&out, &["acme", "Acme", "hunter2", "hello"]);
    let text = String::from_utf8_lossy(&out);
    assert!(
        text.contains("NATS/1.0 503\r\n") && text.ends_with(" 6\r\nxxxxxx\r\n+OK\r\n"),
        "{text}"
    );
}

#[test]
fn an_unknown_operation_stays_one() {
    let out = through(b"CONNECT {}\r\nFROBNICATE acme\r\nPING\r\n");
    lacks(&out, &["FROBNICATE", "acme"]);
    assert!(out.ends_with(b"\r\nPING\r\n"));
}

#[test]
fn tls_keeps_records_and_alerts_and_blanks_the_rest() {
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0x13, 1, 1, 0]);
    let name = b"nats.acme.example";
    let mut extensions = vec![
        0,
        0,
        0,
        name.len() as u8 + 5,
        0,
        name.len() as u8 + 3,
        0,
        0,
        name.len() as u8,
    ];
    extensions.extend(name);
    extensions.extend([0, 35, 0, 4]);
    extensions.extend(b"tick");
    hello.extend((extensions.len() as u16).to_be_bytes());
    hello.extend(extensions);
    let mut input = b"INFO {\"tls_required\":true}\r\n".to_vec();
    let clear = input.len();
    input.extend([
        22,
        3,
        1,
        0,
        hello.len() as u8 + 4,
        1,
        0,
        0,
        hello.len() as u8,
    ]);
    input.extend(&hello);
    let records = input.len();
    input.extend([20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 5]);
    input.extend(b"acme!");
    input.extend([21, 3, 3, 0, 2, 2, 42]);
    let out = through(&input);
    lacks(&out, &["acme", "tick"]);
    assert_eq!(out[..clear], input[..clear]);
    let read = crate::parse::tls::hello(&out[clear + 5..records]).expect("a hello");
    let crate::parse::tls::Hello::Client { sni: Some(sni), .. } = read else {
        panic!("{read:?}");
    };
    assert_eq!(sni.len(), name.len());
    assert_eq!(out[records..records + 5], [20, 3, 3, 0, 1]);
    assert_eq!(out[out.len() - 7..], [21, 3, 3, 0, 2, 2, 42]);
}

#[test]
fn http_and_websocket() {
    let mut input = b"GET /acme HTTP/1.1\r\nHost: nats.acme.example\r\nUpgrade: websocket\r\nAuthorization: Basic c2VjcmV0\r\n\r\n".to_vec();
    let head = input.len();
    let plain = b"PUB acme.x 3\r\nabc\r\n";
    input.extend([0x82, 0x80 | plain.len() as u8, 1, 2, 3, 4]);
    input.extend(
        plain
            .iter()
            .zip([1, 2, 3, 4].iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    input.extend([0x88, 0x82, 0, 0, 0, 0, 3, 0xe8]);
    let out = through(&input);
    lacks(&out[..head], &["acme", "c2VjcmV0"]);
    let upgrade = crate::parse::websocket::http_head(&out[..head - 4]);
    assert!(upgrade.upgrade);
    let inner: Vec<u8> = out[head + 6..]
        .iter()
        .zip([1, 2, 3, 4].iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .take(plain.len())
        .collect();
    starts(&inner, b"PUB ");
    lacks(&inner, &["acme", "abc"]);
    assert!(out.ends_with(&[0x88, 0x82, 0, 0, 0, 0, 3, 0xe8]));
}

#[test]
fn mqtt_keeps_its_packets() {
    let mut connect = b"\0\x04MQTT\x04\xc2\0\x3c".to_vec();
    for text in ["acme-sensor", "acme", "hunter2"] {
        connect.extend((text.len() as u16).to_be_bytes());
        connect.extend(text.bytes());
    }
    let mut input = vec![0x10, connect.len() as u8];
    input.extend(&connect);
    input.extend(b"\x30\x0a\0\x06acme/thi");
    input.extend(b"\xe0\0");
    let out = through(&input);
    lacks(&out, &["acme", "sensor", "hunter2", "hi"]);
    let read = crate::parse::mqtt::connect(&out[2..2 + connect.len()]).expect("a CONNECT");
    assert_eq!((read.level, read.keep_alive), (4, 60));
    assert!(out.ends_with(b"\xe0\0"));
}

#[test]
fn s2_chunks_keep_their_length() {
    let plain = b"LS+ acme.orders\r\nLMSG acme.orders 40\r\nyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nPING\r\n";
    let block = minlz::s2::encode_best(plain);
    let mut input = crate::parse::s2::IDENTIFIER.to_vec();
    input.extend([1, plain.len() as u8 + 4, 0, 0, 0, 0, 0, 0]);
    input.extend(plain);
    let second = input.len();
    input.extend([0, block.len() as u8 + 4, 0, 0, 0, 0, 0, 0]);
    input.extend(&block);
    let out = through(&input);
    lacks(&out, &["acme", "orders", "yyyy"]);
    let length = usize::from(out[second + 1]);
    let inner = crate::parse::s2::decode(&out[second + 8..second + 4 + length]).expect("a block");
    assert_eq!(inner, out[18..18 + plain.len()]);
    assert!(inner.ends_with(b" 40\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nPING\r\n"));
}

#[test]
fn strangers_keep_what_they_are() {
    for (input, keeps) in [
        (&b"SSH-2.0-OpenSSH_9.6 acme\r\n"[..], &b"SSH-"[..]),
        (b"*1\r\n$4\r\nacme\r\n", b"*1\r\n$4\r\n"),
        (b"PROXY TCP4 10.9.8.7 10.9.8.6 1 2\r\nPING\r\n", b"PROXY "),
    ] {
        let out = through(input);
        starts(&out, keeps);
        lacks(&out, &["acme", "10.9.8.7"]);
    }
}

#[test]
fn any_bytes_in_any_pieces_come_out_as_many() {
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let starts: [&[u8]; 8] = [
        b"",
        b"INFO ",
        b"\x16\x03\x01",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\x14\0\x04MQTT",
        b"\xff\x06\0\0S2sTwO",
        b"MSG a 1 9\r\n",
        b"PROXY TCP4 ",
    ];
    for round in 0..400 {
        let mut input = starts[round % starts.len()].to_vec();
        input.extend((0..round).map(|_| byte()));
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let (mut out, mut content) = (Vec::new(), Content::new(true));
        for piece in input.chunks(1 + round % 7) {
            content.push(&mapper, piece, &mut out);
        }
        content.flush(&mapper, &mut out);
        assert_eq!(out.len(), input.len());
    }
}
