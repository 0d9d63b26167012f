//! Ports that servers listen at: without the first SYN, they tell which end is the responder.

/// TCP ports that Zeek takes for a server's (`likely_server_ports`, the union of its protocols' `ports`), sorted.
const LIKELY: [u16; 54] = [
    21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587,
    614, 631, 636, 989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222,
    5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000, 4222, 4223, 6222,
    7222, 7422,
];

/// A service is usually found at this port.
pub fn is_likely(port: u16) -> bool {
    LIKELY.contains(&port)
}
