//! Images without a registry, and facts without a root file system: what a builder would have
//! answered, computed from a few lines of text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

use std::collections::BTreeMap;

use hardpan::bases::{Resolved, Root};
use hardpan::image::ImageConfig;
use hardpan::inspect::accounts::Accounts;
use hardpan::inspect::entry::{Attributes, Entry, Kind};
use hardpan::inspect::facts::{Ancestor, Destination, Facts, Holds, Place, VERSION};
use hardpan::llb::{Digest, Local};
use hardpan::options::ContextSource;
use hardpan::paths;
use hardpan::plan::ImageUse;
use hardpan::proto::pb;

const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000::/home/node:/sbin/nologin\n\
                      nginx:x:65532:65532::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnode:x:1000:\nnonroot:x:65532:\n";

/// An image as a registry would have it: what its config says follows from its name.
pub fn resolve(image: &ImageUse) -> Resolved {
    let (reference, identifier) = match image.context.as_ref().map(|context| &context.source) {
        None => (image.reference.clone(), format!("docker-image://{}", image.reference)),
        Some(ContextSource::Image(name)) => (name.clone(), format!("docker-image://{name}")),
        Some(ContextSource::OciLayout(name)) => {
            (image.reference.clone(), format!("oci-layout://{name}"))
        }
        Some(ContextSource::Local(name)) => return folder(image, name),
        Some(other) => panic!("no image: {other:?}"),
    };
    let digest = Digest::of(reference.as_bytes()).to_string();
    let pin = if identifier.contains('@') { String::new() } else { format!("@{digest}") };
    let mut config = ImageConfig::parse(config_of(&reference).as_bytes()).unwrap();
    config.os.clone_from(&image.platform.os);
    config.architecture.clone_from(&image.platform.architecture);
    config.variant.clone_from(&image.platform.variant);
    Resolved {
        root: Root::Source(pb::SourceOp {
            identifier: identifier + &pin,
            ..pb::SourceOp::default()
        }),
        reference,
        digest,
        config,
        platform: image.platform.clone(),
        role: image.role,
        span: image.span,
    }
}

/// A folder of the client as a named context.
fn folder(image: &ImageUse, name: &str) -> Resolved {
    let local = Local {
        name: name.to_owned(),
        session: Some("session".to_owned()),
        shared_key_hint: Some(format!("context:{name}-")),
        ..Local::default()
    };
    Resolved {
        root: Root::Local(local),
        reference: image.reference.clone(),
        digest: String::new(),
        config: ImageConfig::default(),
        platform: image.platform.clone(),
        role: image.role,
        span: image.span,
    }
}

fn config_of(reference: &str) -> &'static str {
    let name = reference.rsplit('/').next().unwrap();
    let dev = name.contains("-dev");
    match name.split([':', '@']).next().unwrap() {
        "node" if dev => {
            r#"{"config":{"User":"root","WorkingDir":"/","Env":["PATH=/usr/local/bin:/usr/bin:/bin","NODE_VERSION=24.18.0"]}}"#
        }
        "node" => {
            r#"{"config":{"User":"node","WorkingDir":"/app","Cmd":["node"],
                "Env":["PATH=/usr/local/bin:/usr/bin:/bin","NODE_VERSION=24.18.0"],
                "Labels":{"com.docker.dhi.name":"dhi/node","com.docker.dhi.version":"24.18.0-debian13"}},
                "history":[{"created_by":"node"}]}"#
        }
        "nginx" if !dev => {
            r#"{"config":{"User":"nginx","Entrypoint":["nginx"],"Cmd":["-g","daemon off;"],
                "ExposedPorts":{"8080/tcp":{}},"StopSignal":"SIGQUIT","Env":["PATH=/usr/bin"]}}"#
        }
        "static" => r#"{"config":{"User":"nonroot:nonroot","WorkingDir":"/"}}"#,
        "bad-root" if !dev => r#"{"config":{"User":"0"}}"#,
        _ => r#"{"config":{"User":"65532","Env":["PATH=/usr/bin"]}}"#,
    }
}

/// A root file system in words: `PATH MODE UID:GID` for a folder, `PATH -> TARGET` for a link,
/// `PATH file` for a file.
pub struct Tree(BTreeMap<String, Entry>);

impl Tree {
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(entry).collect())
    }

    /// What the facts of a base with this tree would be.
    pub fn facts(&self, destinations: &[String]) -> Facts {
        Facts {
            version: VERSION,
            accounts: Accounts::parse(Some(PASSWD.as_bytes()), Some(GROUP.as_bytes())),
            os_release: BTreeMap::new(),
            destinations: destinations.iter().map(|path| self.destination(path)).collect(),
        }
    }

    fn destination(&self, path: &str) -> Destination {
        let (place, followed, trouble) = match self.place(path, false) {
            Err(trouble) => {
                (Place { path: path.to_owned(), ..Place::default() }, None, Some(trouble))
            }
            Ok(place) if place.entry.as_ref().is_some_and(|entry| entry.target.is_some()) => {
                match self.place(path, true) {
                    Ok(followed) => (place, Some(followed), None),
                    Err(trouble) => (place, None, Some(trouble)),
                }
            }
            Ok(place) => (place, None, None),
        };
        Destination { path: path.to_owned(), place, followed, trouble }
    }

    fn place(&self, path: &str, follow_last: bool) -> Result<Place, String> {
        let path = self.resolve(path, follow_last)?;
        let ancestors = ["/"].into_iter().chain(paths::ancestors(&path)).filter(|_| path != "/");
        let ancestors = ancestors.filter_map(|folder| {
            let Attributes { mode, uid, gid, .. } = self.0.get(folder)?.attributes;
            Some(Ancestor { path: folder.to_owned(), mode, uid, gid })
        });
        let kind_inside = |kind: Kind| {
            self.0.iter().any(|(inner, entry)| {
                inner != "/" && paths::parent(inner) == path && entry.attributes.kind == kind
            })
        };
        let holds = Holds {
            folders: kind_inside(Kind::Folder),
            links: kind_inside(Kind::Link),
            files: kind_inside(Kind::File),
        };
        let ancestors = ancestors.collect();
        Ok(Place { entry: self.0.get(&path).cloned(), ancestors, holds, path })
    }

    fn resolve(&self, path: &str, follow_last: bool) -> Result<String, String> {
        let mut path = paths::join("/", path);
        'again: for _ in 0..40 {
            let prefixes: Vec<String> =
                paths::ancestors(&path).map(str::to_owned).chain([path.clone()]).collect();
            for prefix in &prefixes {
                let last = *prefix == path;
                let Some(entry) = self.0.get(prefix) else { continue };
                if let Some(target) = entry.target.as_ref().filter(|_| !last || follow_last) {
                    let rest = paths::below(prefix, &path).unwrap_or_default();
                    let target = paths::join(paths::parent(prefix), target);
                    path = paths::join(&target, &format!("./{rest}"));
                    continue 'again;
                }
                if !last && entry.attributes.kind == Kind::File {
                    return Err(format!("{prefix} is a file"));
                }
            }
            return Ok(path);
        }
        Err("too many links".to_owned())
    }
}

fn entry(line: &str) -> (String, Entry) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let attributes = |kind, mode, uid, gid| Attributes { kind, mode, uid, gid };
    let (attributes, target) = match words[1..] {
        ["->", target] => (attributes(Kind::Link, 0o777, 0, 0), Some(target.to_owned())),
        ["file"] => (attributes(Kind::File, 0o644, 0, 0), None),
        [mode, owner] => {
            let (uid, gid) = owner.split_once(':').unwrap();
            let mode = u32::from_str_radix(mode, 8).unwrap();
            (attributes(Kind::Folder, mode, uid.parse().unwrap(), gid.parse().unwrap()), None)
        }
        _ => panic!("{line}"),
    };
    (words[0].to_owned(), Entry { attributes, target })
}
