//! Record protection with keys that somebody logged: key schedules and ciphers of TLS 1.3 (RFC 8446 sections 5.2, 5.3 and
//! 7.3) and of the AEAD suites of TLS 1.2 (RFC 5246 section 6.3, RFC 5288, RFC 7905). Suites with CBC or RC4 are not read.

use std::ops::Range;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384};

use super::key_log::{Random, Secret};
use super::{Content, TLS_1_2, TLS_1_3};

const TAG: usize = 16;
const NONCE: usize = 12;
/// Explicit part of a nonce (RFC 5288 section 3).
const EXPLICIT: usize = 8;

/// What a cipher suite means for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    version: u16,
    cipher: Algorithm,
    hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
}

impl Suite {
    /// The suite of a version as a ServerHello names both; `None` when its records cannot be read.
    pub const fn new(version: u16, suite: u16) -> Option<Self> {
        let (cipher, hash) = match (version, suite) {
            (TLS_1_3, 0x1301) => (Algorithm::Aes128Gcm, Hash::Sha256),
            (TLS_1_3, 0x1302) => (Algorithm::Aes256Gcm, Hash::Sha384),
            (TLS_1_3, 0x1303) => (Algorithm::ChaCha20Poly1305, Hash::Sha256),
            // RSA, DHE_RSA, DHE_DSS; ECDHE and ECDH with ECDSA and RSA.
            (TLS_1_2, 0x009c | 0x009e | 0x00a2 | 0xc02b | 0xc02d | 0xc02f | 0xc031) => {
                (Algorithm::Aes128Gcm, Hash::Sha256)
            }
            (TLS_1_2, 0x009d | 0x009f | 0x00a3 | 0xc02c | 0xc02e | 0xc030 | 0xc032) => {
                (Algorithm::Aes256Gcm, Hash::Sha384)
            }
            (TLS_1_2, 0xcca8..=0xccaa) => (Algorithm::ChaCha20Poly1305, Hash::Sha256),
            _ => return None,
        };
        Some(Self {
            version,
            cipher,
            hash,
        })
    }

    /// The records are those of TLS 1.3.
    pub const fn is_1_3(self) -> bool {
        self.version == TLS_1_3
    }

    /// Data bytes in a record body; in TLS 1.3 without padding, which nobody uses.
    pub const fn plain_len(self, body: u16) -> u16 {
        body.saturating_sub(match (self.version, self.cipher) {
            (TLS_1_3, _) => 1 + TAG as u16,
            (_, Algorithm::ChaCha20Poly1305) => TAG as u16,
            _ => (EXPLICIT + TAG) as u16,
        })
    }

    const fn key_len(self) -> usize {
        match self.cipher {
            Algorithm::Aes128Gcm => 16,
            Algorithm::Aes256Gcm | Algorithm::ChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of a TLS 1.2 nonce that come from the key block.
    const fn fixed_iv_len(self) -> usize {
        match self.cipher {
            Algorithm::ChaCha20Poly1305 => NONCE,
            _ => NONCE - EXPLICIT,
        }
    }
}

/// Opens the records of one direction.
pub struct Opener {
    suite: Suite,
    cipher: Cipher,
    iv: [u8; NONCE],
    /// TLS 1.3: what the next key is made of.
    secret: Option<Secret>,
}

enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
    ChaCha(Box<ChaCha20Poly1305>),
}

impl Opener {
    /// For records under a traffic secret of TLS 1.3.
    pub fn tls_1_3(suite: Suite, secret: Secret) -> Option<Self> {
        let mut key = [0; 32];
        let key = &mut key[..suite.key_len()];
        let mut iv = [0; NONCE];
        expand_label(suite.hash, secret.bytes(), b"key", key)?;
        expand_label(suite.hash, secret.bytes(), b"iv", &mut iv)?;
        Some(Self {
            suite,
            cipher: Cipher::new(suite.cipher, key)?,
            iv,
            secret: Some(secret),
        })
    }

    /// For records of TLS 1.2: what the client writes, what the server writes.
    pub fn tls_1_2(
        suite: Suite,
        master: &Secret,
        client: &Random,
        server: &Random,
    ) -> Option<[Self; 2]> {
        let mut block = [0; 2 * (32 + NONCE)];
        let (key_len, iv_len) = (suite.key_len(), suite.fixed_iv_len());
        let block = &mut block[..2 * (key_len + iv_len)];
        let seed = [b"key expansion", &server[..], client].concat();
        prf(suite.hash, master.bytes(), &seed, block)?;
        let (keys, ivs) = block.split_at(2 * key_len);
        let opener = |end: usize| {
            let mut iv = [0; NONCE];
            iv[..iv_len].copy_from_slice(&ivs[end * iv_len..][..iv_len]);
            Some(Self {
                suite,
                cipher: Cipher::new(suite.cipher, &keys[end * key_len..][..key_len])?,
                iv,
                secret: None,
            })
        };
        Some([opener(0)?, opener(1)?])
    }

    /// Opens the record of this sequence number in place: what it holds, and where. `body` is left as it was when the
    /// key or the number is another.
    pub fn open(
        &self,
        seq: u64,
        outer: Content,
        body: &mut [u8],
    ) -> Option<(Content, Range<usize>)> {
        let sealed = body.len();
        let (start, nonce) = self.nonce(seq, body)?;
        let end = sealed.checked_sub(TAG).filter(|&end| end >= start)?;
        if self.suite.is_1_3() {
            let [high, low] = u16::try_from(sealed).ok()?.to_be_bytes();
            let header = [outer.number(), 3, 3, high, low];
            self.cipher.open(&nonce, &header, body)?;
            // Section 5.4: the content type is the last byte that is not zero.
            let last = body[..end].iter().rposition(|&byte| byte != 0)?;
            return Some((Content::of(body[last])?, 0..last));
        }
        let mut header = [0; 13];
        header[..8].copy_from_slice(&seq.to_be_bytes());
        header[8..11].copy_from_slice(&[outer.number(), 3, 3]);
        header[11..].copy_from_slice(&u16::try_from(end - start).ok()?.to_be_bytes());
        self.cipher.open(&nonce, &header, &mut body[start..])?;
        Some((outer, start..end))
    }

    /// After a KeyUpdate (RFC 8446 section 7.2).
    pub fn updated(&self) -> Option<Self> {
        let secret = self.secret?;
        let mut next = [0; 48];
        let next = &mut next[..secret.bytes().len()];
        expand_label(self.suite.hash, secret.bytes(), b"traffic upd", next)?;
        Self::tls_1_3(self.suite, Secret::new(next)?)
    }

    /// Where the sealed bytes begin, and the nonce.
    fn nonce(&self, seq: u64, body: &[u8]) -> Option<(usize, [u8; NONCE])> {
        let mut nonce = self.iv;
        if !self.suite.is_1_3() && self.suite.fixed_iv_len() < NONCE {
            nonce[NONCE - EXPLICIT..].copy_from_slice(body.get(..EXPLICIT)?);
            return Some((EXPLICIT, nonce));
        }
        for (byte, seq) in nonce[NONCE - 8..].iter_mut().zip(seq.to_be_bytes()) {
            *byte ^= seq;
        }
        Some((0, nonce))
    }
}

impl Cipher {
    fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Aes128Gcm => Self::Aes128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Algorithm::Aes256Gcm => Self::Aes256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Algorithm::ChaCha20Poly1305 => {
                Self::ChaCha(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?))
            }
        })
    }

    /// Opens `sealed`, whose last bytes are the tag, in place. The ciphers check the tag first.
    fn open(&self, nonce: &[u8; NONCE], header: &[u8], sealed: &mut [u8]) -> Option<()> {
        let (data, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        let (nonce, tag, data) = (nonce.into(), (&*tag).into(), data.into());
        match self {
            Self::Aes128(cipher) => cipher.decrypt_inout_detached(nonce, header, data, tag),
            Self::Aes256(cipher) => cipher.decrypt_inout_detached(nonce, header, data, tag),
            Self::ChaCha(cipher) => cipher.decrypt_inout_detached(nonce, header, data, tag),
        }
        .ok()
    }
}

impl std::fmt::Debug for Opener {
    /// Without its keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({:?})", self.suite)
    }
}

/// HKDF-Expand-Label without context (RFC 8446 section 7.1), for outputs that one block of HKDF-Expand (RFC 5869 section
/// 2.3) gives: keys, nonces and secrets are never longer than their hash.
fn expand_label(hash: Hash, secret: &[u8], label: &[u8], out: &mut [u8]) -> Option<()> {
    let mut info = (out.len() as u16).to_be_bytes().to_vec();
    info.push(6 + label.len() as u8);
    info.extend(b"tls13 ");
    info.extend(label);
    // No context; the number of the block.
    info.extend([0, 1]);
    let block = mac(hash, secret, &[&info])?;
    out.copy_from_slice(block.get(..out.len())?);
    Some(())
}

/// The pseudorandom function of TLS 1.2 (RFC 5246 section 5); `seed` holds the label too.
fn prf(hash: Hash, secret: &[u8], seed: &[u8], out: &mut [u8]) -> Option<()> {
    let mut a = mac(hash, secret, &[seed])?;
    let len = a.len();
    for part in out.chunks_mut(len) {
        let block = mac(hash, secret, &[&a, seed])?;
        part.copy_from_slice(&block[..part.len()]);
        a = mac(hash, secret, &[&a])?;
    }
    Some(())
}

fn mac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    fn of<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().to_vec())
    }
    match hash {
        Hash::Sha256 => of::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => of::<Hmac<Sha384>>(key, parts),
    }
}

#[cfg(test)]
mod tests {
    use super::{Opener, Suite};
    use crate::parse::tls::key_log::Secret;
    use crate::parse::tls::{Content, TLS_1_2, TLS_1_3};

    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn opener_of_rfc_8448() -> Opener {
        let suite = Suite::new(TLS_1_3, 0x1301).unwrap();
        let secret = bytes("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
        Opener::tls_1_3(suite, Secret::new(&secret).unwrap()).unwrap()
    }

    /// The client's application data of RFC 8448 section 3.
    const RFC_8448: &str = "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5
        b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";

    #[test]
    fn the_record_of_rfc_8448() {
        let opener = opener_of_rfc_8448();
        let mut body = bytes(RFC_8448);
        let (content, range) = opener
            .open(0, Content::ApplicationData, &mut body)
            .expect("the record opens");
        assert_eq!(content, Content::ApplicationData);
        assert_eq!(body[range], (0..50).collect::<Vec<u8>>());
    }

    #[test]
    fn what_does_not_open_stays_as_it_was() {
        let opener = opener_of_rfc_8448();
        let whole = bytes(RFC_8448);
        for cut in 0..whole.len() {
            let mut body = whole[..cut].to_vec();
            assert_eq!(opener.open(0, Content::ApplicationData, &mut body), None);
            assert_eq!(body, whole[..cut]);
        }
        let mut body = whole.clone();
        assert_eq!(opener.open(1, Content::ApplicationData, &mut body), None);
        assert_eq!(opener.open(0, Content::Alert, &mut body), None);
        let next = opener.updated().unwrap();
        assert_eq!(next.open(0, Content::ApplicationData, &mut body), None);
        assert_eq!(body, whole);
    }

    #[test]
    fn suites_that_are_read() {
        assert_eq!(Suite::new(TLS_1_3, 0x1301).unwrap().plain_len(23), 6);
        assert_eq!(Suite::new(TLS_1_2, 0xc02b).unwrap().plain_len(30), 6);
        assert_eq!(Suite::new(TLS_1_2, 0xcca8).unwrap().plain_len(22), 6);
        assert_eq!(Suite::new(TLS_1_2, 0xc013), None, "CBC");
        assert_eq!(Suite::new(0x0302, 0xc013), None, "TLS 1.1");
    }
}
