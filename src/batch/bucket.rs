//! Roots and outputs in object stores: `s3://`, `gs://`, `az://` and what else [`object_store`] knows by its URL.
//!
//! A bundle is copied to a temporary folder while it is analysed. What is in the bucket is known by its listing: names, sizes
//! and entity tags stand for the contents, so that a second run downloads nothing that is unchanged. Putting an object is
//! atomic, which is all that [`super::store`] asks for. Credentials, region and endpoint come from the environment, by the
//! names of each provider's own tools (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, ...).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, ObjectStoreScheme,
    WriteMultipart,
};
use sha2::{Digest, Sha256};

use super::bundle::{self, Bundle, hex};
use super::place::Place;
use crate::input;

/// Larger files go up in parts of this size.
const PART: usize = 16 << 20;

/// As much of an object as tells an archive from a log.
const HEAD: u64 = 1 << 20;

/// A prefix of a bucket.
pub struct Bucket {
    url: url::Url,
    store: Box<dyn ObjectStore>,
    prefix: Key,
    runtime: tokio::runtime::Runtime,
    stage: tempfile::TempDir,
}

fn failed(error: object_store::Error) -> io::Error {
    let kind = match error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

impl Bucket {
    /// The place that `url` names; nothing is asked of the store yet.
    pub fn open(url: &str) -> io::Result<Self> {
        let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
        let parsed = url::Url::parse(url).map_err(|e| invalid(e.to_string()))?;
        let settings = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) = object_store::parse_url_opts(&parsed, settings).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            url: parsed,
            store,
            prefix,
            runtime,
            stage: tempfile::tempdir()?,
        })
    }

    fn key(&self, name: &str) -> Key {
        let parts = name.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), Key::join)
    }

    /// The name of a key below `prefix`.
    fn below(prefix: &Key, key: &Key) -> Option<String> {
        let parts: Vec<String> = key
            .prefix_match(prefix)?
            .map(|part| part.as_ref().to_owned())
            .collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    /// Every object below `prefix`, by name; the empty objects that stand for folders are left out.
    fn objects(&self, prefix: &Key) -> io::Result<BTreeMap<String, ObjectMeta>> {
        let listed: Vec<ObjectMeta> = self
            .runtime
            .block_on(self.store.list(Some(prefix)).try_collect())
            .map_err(failed)?;
        let mut found: BTreeMap<String, ObjectMeta> = listed
            .into_iter()
            .filter_map(|meta| Some((Self::below(prefix, &meta.location)?, meta)))
            .collect();
        let folders: BTreeSet<String> = found
            .keys()
            .flat_map(|name| name.match_indices('/').map(|(at, _)| name[..at].to_owned()))
            .collect();
        found.retain(|name, meta| meta.size > 0 || !folders.contains(name));
        Ok(found)
    }

    fn download(&self, key: &Key, range: Option<GetRange>, to: &Path) -> io::Result<()> {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = BufWriter::new(File::create(to)?);
        self.runtime.block_on(async {
            let options = GetOptions {
                range,
                ..GetOptions::default()
            };
            let object = self.store.get_opts(key, options).await;
            let mut stream = object.map_err(failed)?.into_stream();
            while let Some(bytes) = stream.try_next().await.map_err(failed)? {
                file.write_all(&bytes)?;
            }
            file.flush()
        })
    }

    fn is_archive(&self, meta: &ObjectMeta) -> io::Result<bool> {
        if meta.size == 0 {
            return Ok(false);
        }
        let folder = tempfile::tempdir()?;
        let head = folder.path().join("head");
        let start = GetRange::Bounded(0..HEAD.min(meta.size));
        self.download(&meta.location, Some(start), &head)?;
        input::is_archive(&head)
    }

    /// What stands for the contents of objects that nobody has downloaded.
    fn content<'a>(objects: impl IntoIterator<Item = (&'a str, &'a ObjectMeta)>) -> String {
        let mut hasher = Sha256::new();
        for (name, meta) in objects {
            let changed = meta.last_modified.to_rfc3339();
            let tag = meta.e_tag.as_deref().unwrap_or(&changed);
            for item in [name.as_bytes(), &meta.size.to_be_bytes(), tag.as_bytes()] {
                hasher.update((item.len() as u64).to_be_bytes());
                hasher.update(item);
            }
        }
        hex(&hasher.finalize())
    }
}

impl Place for Bucket {
    fn bundles(&self, out: &Path, depth: usize) -> io::Result<(Vec<Bundle>, Vec<String>)> {
        let inside = out
            .to_str()
            .and_then(|out| url::Url::parse(out).ok())
            .filter(|out| {
                (out.scheme(), out.host_str()) == (self.url.scheme(), self.url.host_str())
            })
            .and_then(|out| Key::parse(ObjectStoreScheme::parse(&out).ok()?.1).ok());
        let mut folders: BTreeMap<String, Vec<(String, ObjectMeta)>> = BTreeMap::new();
        let (mut bundles, mut loose) = (Vec::new(), Vec::new());
        for (name, meta) in self.objects(&self.prefix)? {
            let hidden = name
                .split('/')
                .take(depth.max(1))
                .any(|part| part.starts_with('.'));
            if hidden
                || inside
                    .as_ref()
                    .is_some_and(|out| meta.location.prefix_matches(out))
            {
                continue;
            }
            let end = name
                .match_indices('/')
                .nth(depth.max(1) - 1)
                .map(|(at, _)| at);
            if let Some(at) = end {
                let (folder, member) = (name[..at].to_owned(), name[at + 1..].to_owned());
                folders.entry(folder).or_default().push((member, meta));
            } else if self.is_archive(&meta)? {
                let listed = Self::content([("", &meta)]);
                bundles.push(Bundle::listed(&name, meta.size, listed));
            } else {
                loose.push(name);
            }
        }
        for (name, members) in folders {
            let bytes = members.iter().map(|(_, meta)| meta.size).sum();
            let listed = Self::content(members.iter().map(|(name, meta)| (&**name, meta)));
            bundles.push(Bundle::listed(&name, bytes, listed));
        }
        bundles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((bundles, loose))
    }

    fn fetch(&self, bundle: &Bundle) -> io::Result<(PathBuf, Option<tempfile::TempDir>)> {
        let folder = tempfile::tempdir()?;
        let last = bundle.name.rsplit('/').next().unwrap_or(&bundle.name);
        let path = folder.path().join(last);
        let key = self.key(&bundle.name);
        let members = self.objects(&key)?;
        if members.is_empty() {
            self.download(&key, None, &path)?;
        }
        for (name, meta) in members {
            if name.split('/').all(bundle::is_plain) {
                self.download(&meta.location, None, &path.join(name))?;
            }
        }
        Ok((path, Some(folder)))
    }

    fn stage(&self) -> &Path {
        self.stage.path()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let key = self.key(name);
        let read = self.runtime.block_on(async {
            let object = self.store.get(&key).await?;
            object.bytes().await
        });
        match read {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn has(&self, name: &str) -> bool {
        let key = self.key(name);
        self.runtime.block_on(self.store.head(&key)).is_ok()
    }

    fn put(&self, from: &Path, name: &str) -> io::Result<()> {
        let key = self.key(name);
        let mut file = BufReader::with_capacity(1 << 20, File::open(from)?);
        if file.get_ref().metadata()?.len() <= PART as u64 {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let put = self.store.put(&key, bytes.into());
            self.runtime.block_on(put).map_err(failed)?;
            return Ok(());
        }
        self.runtime.block_on(async {
            let upload = self.store.put_multipart(&key).await.map_err(failed)?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
            let mut buffer = vec![0; 1 << 20];
            loop {
                parts.wait_for_capacity(2).await.map_err(failed)?;
                match file.read(&mut buffer)? {
                    0 => break,
                    n => parts.write(&buffer[..n]),
                }
            }
            parts.finish().await.map_err(failed)?;
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match self.runtime.block_on(self.store.delete(&self.key(name))) {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}
