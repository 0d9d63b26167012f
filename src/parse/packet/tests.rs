use super::*;

/// An Ethernet frame: IPv4, TCP 41000 > 4222, PSH ACK, timestamps, "PING\r\n".
fn ethernet() -> Vec<u8> {
    [
        &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..],
        &ipv4(6, &tcp(b"PING\r\n")),
    ]
    .concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0x12, 0x34, 0x40, 0, 63, protocol, 0, 0]);
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(payload);
    packet
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 63]);
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend(payload);
    packet
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut segment = 41_000_u16.to_be_bytes().to_vec();
    segment.extend(4222_u16.to_be_bytes());
    segment.extend([0, 0, 1, 0, 0, 0, 2, 0, 0x80, PSH | ACK, 1, 0xf5, 0, 0, 0, 0]);
    segment.extend([1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 8]);
    segment.extend(payload);
    segment
}

/// Behind any headers: the segment, and its payload in the frame.
fn check(link: u32, frame: &[u8]) -> Segment {
    let Packet::Tcp(segment) = packet(link, frame) else {
        panic!("link {link}: {:?}", packet(link, frame));
    };
    assert_eq!((segment.src_port, segment.dst_port), (41_000, 4222));
    assert_eq!((segment.seq, segment.ack), (256, 512));
    assert_eq!(segment.flags, PSH | ACK);
    assert_eq!(segment.ttl, 63);
    assert_eq!(segment.options.timestamps, Some((7, 8)));
    assert_eq!(segment.len, 6);
    let start = segment.payload_start as usize;
    assert_eq!(
        &frame[start..start + segment.payload_len as usize],
        b"PING\r\n"
    );
    segment
}

fn behind(header: &[u8], inner: &[u8]) -> Vec<u8> {
    [header, inner].concat()
}

#[test]
fn every_link_layer_leads_to_the_segment() {
    let ip = ipv4(6, &tcp(b"PING\r\n"));
    let macs: &[u8] = &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let frames: Vec<(u32, Vec<u8>)> = vec![
        (1, ethernet()),
        // Padding behind a short packet is no payload.
        (1, behind(&ethernet(), &[0; 9])),
        (1, [macs, &[0x81, 0, 0, 5, 8, 0], &ip].concat()),
        (
            1,
            [macs, &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0], &ip].concat(),
        ),
        // MPLS, two labels; PPP over Ethernet; LLC and SNAP.
        (
            1,
            [macs, &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64], &ip].concat(),
        ),
        (
            1,
            [macs, &[0x88, 0x64, 0x11, 0, 0, 1, 0, 90, 0, 0x21], &ip].concat(),
        ),
        (
            1,
            [macs, &[0, 90, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip].concat(),
        ),
        (0, behind(&[2, 0, 0, 0], &ip)),
        (108, behind(&[0, 0, 0, 2], &ip)),
        (9, behind(&[0xff, 3, 0, 0x21], &ip)),
        (101, ip.clone()),
        (228, ip.clone()),
        (
            113,
            behind(&[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0], &ip),
        ),
        (
            276,
            behind(
                &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0],
                &ip,
            ),
        ),
        (
            105,
            [
                &[0x08, 1][..],
                &[0; 22],
                &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
                &ip,
            ]
            .concat(),
        ),
        (
            127,
            [
                &[0, 0, 8, 0, 0, 0, 0, 0, 0x88, 1][..],
                &[0; 24],
                &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
                &ip,
            ]
            .concat(),
        ),
        // LLC with IP's own service point; VN-Tag; HDLC; prism; token ring; FDDI; ATM; SLIP.
        (1, [macs, &[0, 90, 6, 6, 3], &ip].concat()),
        (1, [macs, &[0x89, 0x26, 0, 0, 0, 0, 8, 0], &ip].concat()),
        (50, behind(&[0x0f, 0, 8, 0], &ip)),
        (
            119,
            [
                &[0, 0, 0, 0x44][..],
                &[0; 140],
                &[0x08, 1],
                &[0; 22],
                &[6, 6, 3],
                &ip,
            ]
            .concat(),
        ),
        (6, [&[0x10, 0x40][..], macs, &[6, 6, 3], &ip].concat()),
        (
            6,
            [
                &[
                    0x10, 0x40, 2, 0, 0, 0, 0, 1, 0x82, 0, 0, 0, 0, 2, 4, 0, 0, 0,
                ][..],
                &[6, 6, 3],
                &ip,
            ]
            .concat(),
        ),
        (10, [&[0x50][..], macs, &[6, 6, 3], &ip].concat()),
        (11, behind(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip)),
        (
            123,
            behind(&[2, 0, 0, 5, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip),
        ),
        (8, behind(&[0; 16], &ip)),
        // Frame relay, and Cisco's; OpenBSD's enc and pflog; IEEE 1394; InfiniBand; ipnet; PPP with a direction.
        (107, behind(&[0x18, 0x41, 3, 0xcc], &ip)),
        (107, behind(&[0x18, 0x41, 8, 0], &ip)),
        (109, behind(&[0; 12], &ip)),
        (117, [&[61, 2][..], &[0; 62], &ip].concat()),
        (138, [&[0; 16][..], &[8, 0], &ip].concat()),
        (242, behind(&[8, 0, 0, 0], &ip)),
        (226, behind(&[0; 24], &ip)),
        (166, behind(&[1, 3, 0, 0x21], &ip)),
        (204, behind(&[1, 0xff, 3, 0, 0x21], &ip)),
        // Per-packet information, PKTAP, switch tags.
        (192, [&[0, 0, 8, 0, 1, 0, 0, 0][..], &ethernet()].concat()),
        (
            258,
            [&[12, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0][..], &ip].concat(),
        ),
        (
            285,
            [macs, &[0xda, 0xda, 0, 0, 0, 0, 0, 0, 8, 0], &ip].concat(),
        ),
        (282, behind(&[0; 4], &ethernet())),
        (
            239,
            behind(&[2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 92, 0, 9, 0], &ip),
        ),
    ];
    for (link, frame) in frames {
        let segment = check(link, &frame);
        assert_eq!(segment.src.ip().to_string(), "10.0.0.1");
        assert_eq!(segment.ip_id, Some(0x1234));
        assert_eq!(segment.tunnel, None);
    }
}

#[test]
fn tunnels_are_unwrapped_and_named() {
    let inner = ethernet();
    let ip = ipv4(6, &tcp(b"PING\r\n"));
    let to_udp = |port: u16, header: &[u8], inner: &[u8]| {
        let mut datagram = 50_000_u16.to_be_bytes().to_vec();
        datagram.extend(port.to_be_bytes());
        datagram.extend(((8 + header.len() + inner.len()) as u16).to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(header);
        datagram.extend(inner);
        ipv4(17, &datagram)
    };
    let udp = |port: u16, header: &[u8]| to_udp(port, header, &inner);
    let table: Vec<(Vec<u8>, &str)> = vec![
        (udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0]), "VXLAN 42"),
        (udp(8472, &[8, 0, 0, 0, 0, 0, 1, 0]), "VXLAN 1"),
        (
            udp(6081, &[1, 0, 0x65, 0x58, 0, 0, 9, 0, 0, 0, 0, 0]),
            "Geneve 9",
        ),
        (ipv4(47, &behind(&[0, 0, 8, 0], &ip)), "GRE 0"),
        (
            ipv4(47, &behind(&[0x20, 0, 8, 0, 0, 0, 0, 77], &ip)),
            "GRE 77",
        ),
        (
            ipv4(
                47,
                &behind(
                    &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 3, 0, 0, 0, 0],
                    &inner,
                ),
            ),
            "ERSPAN 3",
        ),
        (ipv4(4, &ip), "IP-in-IP"),
        (ipv6(4, &ip), "IP-in-IP"),
        (udp(4790, &[0x0c, 0, 0, 3, 0, 0, 5, 0]), "VXLAN 5"),
        (ipv4(97, &behind(&[0x30, 0], &inner)), "EtherIP"),
        (
            ipv4(
                47,
                &behind(
                    &[
                        0x30, 0x81, 0x88, 0x0b, 0, 66, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0,
                        0x21,
                    ],
                    &ip,
                ),
            ),
            "GRE 9",
        ),
        (to_udp(6635, &[0, 1, 1, 64], &ip), "MPLS-in-UDP"),
        (
            to_udp(1701, &[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &ip),
            "L2TP 65538",
        ),
        (to_udp(2152, &[0x30, 255, 0, 72, 0, 0, 0, 7], &ip), "GTP 7"),
        (
            to_udp(
                2152,
                &[0x34, 255, 0, 72, 0, 0, 0, 7, 0, 0, 0, 0x85, 1, 0, 0, 0],
                &ip,
            ),
            "GTP 7",
        ),
        (
            to_udp(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &ipv6(6, &tcp(b"PING\r\n"))),
            "Teredo",
        ),
    ];
    for (frame, name) in table {
        let segment = check(101, &frame);
        assert_eq!(
            segment.tunnel.map(|tunnel| tunnel.to_string()).as_deref(),
            Some(name)
        );
    }
}

#[test]
fn ipv6_with_extension_headers() {
    let plain = ipv6(6, &tcp(b"PING\r\n"));
    assert_eq!(check(229, &plain).src.ip().to_string(), "2001:db8::1");
    // Hop-by-hop options, then destination options.
    let extended = ipv6(
        0,
        &[
            &[60, 0, 1, 4, 0, 0, 0, 0][..],
            &[6, 0, 1, 4, 0, 0, 0, 0],
            &tcp(b"PING\r\n"),
        ]
        .concat(),
    );
    check(229, &extended);
}

#[test]
fn nesting_is_bounded() {
    let mut packet_bytes = ipv4(6, &tcp(b"PING\r\n"));
    for _ in 0..40 {
        packet_bytes = ipv4(4, &packet_bytes);
    }
    assert_eq!(
        packet(101, &packet_bytes),
        Packet::Broken("headers nested too deep")
    );
}

#[test]
fn cut_at_every_byte() {
    let frame = ethernet();
    for length in 0..frame.len() {
        match packet(1, &frame[..length]) {
            // The header is complete from byte 54 on, its options from 66 on.
            Packet::Tcp(segment) => {
                assert!(length >= 54, "{length}");
                assert_eq!(segment.len, 6);
                assert_eq!(segment.payload_len as usize, length.saturating_sub(66));
            }
            Packet::Broken(_) => assert!(length < 54, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_tcp_is_only_named() {
    let macs: &[u8] = &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    assert_eq!(packet(1, &behind(macs, &[8, 6, 0, 1])), Packet::Other);
    assert_eq!(
        packet(101, &ipv4(17, &[0, 53, 0, 53, 0, 8, 0, 0])),
        Packet::Other
    );
    assert_eq!(packet(147, &ethernet()), Packet::UnknownLink);
    assert_eq!(
        packet(101, &[]),
        Packet::Broken("ip header cut off or malformed")
    );
}

#[test]
fn icmp_errors_quote_the_segment() {
    let quoted = ipv4(6, &tcp(b""));
    let table: &[(u8, u8, [u8; 4], &str)] = &[
        (3, 1, [0; 4], "host unreachable"),
        (3, 3, [0; 4], "port unreachable"),
        (3, 13, [0; 4], "administratively prohibited"),
        (3, 4, [0, 0, 5, 0x78], "fragmentation needed (mtu 1400)"),
        (11, 0, [0; 4], "hop count exceeded"),
        (3, 99, [0; 4], "destination unreachable (code 99)"),
    ];
    for &(kind, code, rest, says) in table {
        // Eight bytes of TCP are enough.
        let message = [&[kind, code, 0, 0][..], &rest, &quoted[..28]].concat();
        let Packet::Icmp(error) = packet(101, &ipv4(1, &message)) else {
            panic!("{says}");
        };
        assert_eq!(error.says(), says);
        assert_eq!(
            (error.src_port, error.dst_port, error.seq),
            (41_000, 4222, 256)
        );
        assert_eq!(error.from.ip().to_string(), "10.0.0.1");
    }
    let message = [&[2, 0, 0, 0, 0, 0, 5, 0][..], &ipv6(6, &tcp(b""))].concat();
    let Packet::Icmp(error) = packet(101, &ipv6(58, &message)) else {
        panic!("packet too big");
    };
    assert_eq!(error.says(), "packet too big (mtu 1280)");
    assert_eq!(
        packet(101, &ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 0])),
        Packet::Other
    );
}

#[test]
fn options_of_a_syn_and_of_holes() {
    let mut segment = tcp(b"");
    segment.truncate(20);
    segment[12] = 0xa0;
    segment.extend([
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
    ]);
    let Packet::Tcp(syn) = packet(101, &ipv4(6, &segment)) else {
        panic!("no segment");
    };
    assert_eq!(syn.options.mss, Some(1460));
    assert_eq!(syn.options.window_scale, Some(7));
    assert!(syn.options.sack_permitted);
    assert_eq!(syn.options.timestamps, Some((1, 0)));

    segment.truncate(20);
    segment[12] = 0x80;
    segment.extend([1, 1, 5, 10, 0, 0, 3, 0, 0, 0, 4, 0]);
    let Packet::Tcp(hole) = packet(101, &ipv4(6, &segment)) else {
        panic!("no segment");
    };
    assert_eq!((hole.options.sacks, hole.options.dsack), (1, false));
}

mod properties {
    use proptest::prelude::*;

    use super::super::*;
    use super::{ethernet, ipv6, tcp};

    proptest! {
        /// Whatever the bytes and the link: an answer, and places inside the frame.
        #[test]
        fn any_bytes_give_an_answer(
            link in 0_u32..300,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Packet::Tcp(segment) = packet(link, &bytes) {
                prop_assert!((segment.payload_start + segment.payload_len) as usize <= bytes.len());
            }
        }

        /// A good frame with some bytes changed.
        #[test]
        fn a_damaged_frame_gives_an_answer(
            six in any::<bool>(),
            changes in prop::collection::vec((0_usize..90, any::<u8>()), 1..6),
        ) {
            let (link, mut frame) = if six { (101, ipv6(6, &tcp(b"PING\r\n"))) } else { (1, ethernet()) };
            for (at, value) in changes {
                if let Some(byte) = frame.get_mut(at) {
                    *byte = value;
                }
            }
            if let Packet::Tcp(segment) = packet(link, &frame) {
                prop_assert!((segment.payload_start + segment.payload_len) as usize <= frame.len());
            }
        }
    }
}
