//! Whether what the command needs is there once it is started: libraries, its own first file, folders
//! that it may write, certificates, time zones, ports that it may open.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::inspect::accounts::Identity;
use crate::inspect::entry::Kind;
use crate::inspect::escape::escape;
use crate::inspect::evidence::{Lookup, Part, Scripts};
use crate::inspect::program::Program;
use crate::inspect::unlinked::{Unlinked, Useless};
use crate::paths;

use super::access::{describe, unreadable, who};
use super::common::{TOO_MANY_PATHS, asked, at_most, complete, is_placed, may_write, variable};
use super::{Config, Decision, Fault, Origin, Severity, Subject};

/// Folders that no volume may cover: the engine needs them, or the image would be without its own.
const COVERED: [&str; 12] = [
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/root",
    "/var/run/docker.sock",
];
/// The sockets of engines.
const SOCKETS: [&str; 3] = ["docker.sock", "containerd.sock", "podman.sock"];
/// Variables that name certificates.
pub(crate) const CERTIFICATES: [&str; 5] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];
/// The most places of one variable that are looked up.
pub(crate) const MAX_PLACES: usize = 1_024;
/// Where a zone of `TZ` is.
const ZONES: &str = "/usr/share/zoneinfo";
/// Ports below are root's.
const FIRST_FREE_PORT: u32 = 1_024;

/// RUN-06.
pub(crate) fn libraries(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.unlinked;
    let say = |found: &Unlinked| {
        let (path, library) = (&found.path, &found.library);
        let by = if found.needed_by == *path {
            path.clone()
        } else {
            format!("{path}, through {},", found.needed_by)
        };
        let message = match (&found.version, &found.useless) {
            (Some(version), _) => format!("{by} needs {version} of {library}, which is older"),
            (None, None) => format!("{by} needs {library}, which the image does not have"),
            (None, Some(Useless { path, cut: true })) => {
                format!("{by} needs {library}, and the end of {path} is missing")
            }
            (None, Some(Useless { path, cut: false })) => {
                format!("{by} needs {library}, and the user cannot read {path}")
            }
        };
        let fault = Fault::new(subject.origin(found.layer), message).at(path);
        if found.started { fault } else { fault.weighing(Severity::Warn) }
    };
    let mut faults: Vec<_> = list.items.iter().map(say).collect();
    complete(list.truncated, &mut faults)?;
    let gaps = &subject.inventory.not_evaluated.items;
    match gaps.iter().find(|gap| gap.part == Part::Programs) {
        Some(gap) if faults.is_empty() => Err(gap.reason.clone()),
        _ => Ok(faults),
    }
}

/// RUN-07.
pub(crate) fn start_file(subject: &Subject<'_>) -> Decision {
    let config = subject.config;
    let Some((script, places)) = config.start_places() else { return Ok(Vec::new()) };
    let who = who(subject)?;
    let field = config.command_field();
    let workdir = subject.inventory.workdir.as_ref();
    let is_there = workdir.is_none_or(|folder| folder.found_kind(Kind::Folder).is_some());
    if !script.starts_with('/') && !is_there {
        return Ok(Vec::new()); // which is RUN-09
    }
    let tried = places.iter().map(|place| asked(subject, place)).collect::<Result<Vec<_>, _>>()?;
    // A folder may be a package, whose main file only the runtime knows.
    let Some(found) = tried.into_iter().find(|lookup| lookup.found.is_some()) else {
        let place = places.first().map_or("", String::as_str);
        let message = format!(
            "{field} starts \"{}\", and there is no {}",
            escape(script.as_bytes()),
            escape(place.as_bytes())
        );
        return Ok(vec![Fault::new(Origin::Config(field), message)]);
    };
    let Some(refusal) = unreadable(who, found) else { return Ok(Vec::new()) };
    let layer = found.found.as_ref().map_or(0, |target| target.layer);
    let fault = Fault::new(subject.origin(layer), format!("{field} does not start: {refusal}"));
    Ok(vec![fault.at(&found.path)])
}

/// RUN-08.
pub(crate) fn platform(subject: &Subject<'_>) -> Decision {
    let (found, wanted) = (&subject.config.platform, subject.platform);
    let mut parts = found.split('/').zip(wanted.split('/'));
    if !found.is_empty() && parts.all(|(found, wanted)| found == wanted) {
        return Ok(Vec::new());
    }
    let found = escape(found.as_bytes());
    let message = format!("the config says \"{found}\", the image is built for {wanted}");
    Ok(vec![Fault::new(Origin::Image, message)])
}

/// RUN-10.
pub(crate) fn volumes(subject: &Subject<'_>) -> Decision {
    let mut faults = Vec::new();
    let user = who(subject);
    for volume in &subject.config.volumes {
        let (path, shown) = (paths::join("/", volume), escape(volume.as_bytes()));
        let fault = |message| Fault::new(Origin::Config("volumes"), message).at(&shown);
        let covers = path == "/" || COVERED.iter().any(|folder| *folder == path);
        let inside = ["/proc", "/sys", "/dev"].iter().any(|top| paths::below(top, &path).is_some());
        if SOCKETS.iter().any(|socket| path.ends_with(socket)) {
            let message = format!("the volume {shown} is the socket of an engine");
            faults.push(fault(message).weighing(Severity::Block));
        } else if covers || inside {
            let message = format!("the volume {shown} covers what the system needs");
            faults.push(fault(message).weighing(Severity::Block));
        } else if let Ok(who) = user {
            let lookup = asked(subject, volume)?;
            faults.extend(not_writable(who, lookup, &shown).map(fault));
        }
    }
    if let Ok(who) = user {
        for path in subject.writable {
            let lookup = asked(subject, path)?;
            let message = not_writable(who, lookup, &escape(path.as_bytes()));
            faults.extend(message.map(|message| {
                Fault::new(Origin::Config("writable"), message).about(path).at(&lookup.path)
            }));
        }
    }
    Ok(at_most(faults))
}

/// Why someone cannot write a place that is there to be written.
fn not_writable(who: &Identity, lookup: &Lookup, shown: &str) -> Option<String> {
    let Some(found) = &lookup.found else {
        return Some(format!("{shown} is to be written and does not exist: it becomes root's"));
    };
    let writes = who.uid == 0 || may_write(who, &found.attributes);
    let described = describe(&found.attributes);
    (!writes).then(|| format!("{shown} is to be written by {}:{} ({described})", who.uid, who.gid))
}

/// RUN-11.
pub(crate) fn ports(subject: &Subject<'_>) -> Decision {
    let low = subject.config.ports.iter().filter(|port| {
        let number = port.split(['/', '-']).next().and_then(|number| number.parse::<u32>().ok());
        number.is_some_and(|number| number < FIRST_FREE_PORT)
    });
    let say = |port: &String| {
        let shown = escape(port.as_bytes());
        let message = format!(
            "port {shown} is below {FIRST_FREE_PORT}, which Kubernetes gives to root alone"
        );
        Fault::new(Origin::Config("expose"), message).about(port)
    };
    Ok(at_most(low.map(say)))
}

/// RUN-13.
pub(crate) fn certificates(subject: &Subject<'_>) -> Decision {
    let env = &subject.config.env;
    let mut faults = Vec::new();
    for name in CERTIFICATES {
        let Some(value) = variable(env, name).filter(|value| !value.is_empty()) else { continue };
        // A list of folders is OpenSSL's; one of them is enough.
        if value.split(':').nth(MAX_PLACES).is_some() {
            return Err(TOO_MANY_PATHS.to_owned());
        }
        let places = subject.config.places(value);
        let found: Vec<_> = places.map(|place| asked(subject, &place)).collect::<Result<_, _>>()?;
        if found.iter().all(|lookup| lookup.found.is_none()) {
            let value = escape(value.as_bytes());
            let message = format!("{name} names {value}, which the image does not have");
            faults.push(Fault::new(subject.env_origin(name), message).about(name));
        }
    }
    let bundle = asked(subject, Config::CA_BUNDLE)?.found.as_ref();
    if let Some(bundle) = bundle.filter(|_| subject.base_known)
        && is_placed(subject, bundle.layer)
    {
        let message = format!("{} is placed: the image trusts what is in it", Config::CA_BUNDLE);
        let fault = Fault::new(subject.origin(bundle.layer), message).at(Config::CA_BUNDLE);
        faults.push(fault.weighing(Severity::Info));
    }
    Ok(faults)
}

/// RUN-14.
pub(crate) fn verification(subject: &Subject<'_>) -> Decision {
    const OFF: [(&str, &[&str]); 6] = [
        ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"]),
        ("PYTHONHTTPSVERIFY", &["0"]),
        ("GIT_SSL_NO_VERIFY", &["1", "true", "yes", "on"]),
        ("npm_config_strict_ssl", &["false"]),
        ("NPM_CONFIG_STRICT_SSL", &["false"]),
        ("CURL_INSECURE", &["1", "true"]),
    ];
    let env = &subject.config.env;
    let off = OFF.into_iter().filter(|(name, values)| {
        variable(env, name)
            .is_some_and(|value| values.contains(&value.to_ascii_lowercase().as_str()))
    });
    let trusted = variable(env, "PIP_TRUSTED_HOST").filter(|host| !host.is_empty());
    let names = off.map(|(name, _)| name).chain(trusted.map(|_| "PIP_TRUSTED_HOST"));
    let say = |name: &str| {
        let message = format!("{name} turns the check of certificates off");
        Fault::new(subject.env_origin(name), message).about(name)
    };
    Ok(names.map(say).collect())
}

/// RUN-15.
pub(crate) fn time_zone(subject: &Subject<'_>) -> Decision {
    let Some(place) = subject.config.zone() else { return Ok(Vec::new()) };
    if asked(subject, &place)?.found.is_some() {
        return Ok(Vec::new());
    }
    let message = format!("TZ names a zone, and there is no {}", escape(place.as_bytes()));
    Ok(vec![Fault::new(subject.env_origin("TZ"), message).about("TZ")])
}

/// RUN-16.
pub(crate) fn scripts(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.scripts;
    let started = |scripts: &&Scripts| {
        let commands = [&subject.inventory.entrypoint, &subject.inventory.wrapped];
        let mut tried = commands.into_iter().flatten().flat_map(|command| &command.tried);
        let is_it =
            tried.any(|lookup| lookup.found.as_ref().is_some_and(|f| f.path == scripts.path));
        is_it && scripts.count == 1 // which is RUN-03
    };
    let placed = list.items.iter().filter(|scripts| is_placed(subject, scripts.layer));
    let faults = placed.filter(|scripts| !started(scripts)).filter_map(|scripts| {
        let lacks = lacking(&scripts.program)?;
        let path = &scripts.path;
        let (names, need) = match scripts.count {
            1 => (path.clone(), "needs"),
            count => (format!("{path} and {} more", count - 1), "need"),
        };
        let message = format!("{names} {need} {lacks}, which the image does not have");
        let fault = Fault::new(subject.origin(scripts.layer), message).at(path);
        let fault = Fault { more: scripts.count > 1, ..fault };
        Some(if scripts.dependency { fault.weighing(Severity::Info) } else { fault })
    });
    let mut faults: Vec<_> = faults.collect();
    complete(list.truncated, &mut faults)?;
    let gaps = &subject.inventory.not_evaluated.items;
    match gaps.iter().find(|gap| gap.part == Part::Scripts) {
        Some(gap) if faults.is_empty() => Err(gap.reason.clone()),
        _ => Ok(faults),
    }
}

/// The interpreter of a script, or the program that its `env` looks for, if it is not there.
fn lacking(program: &Program) -> Option<String> {
    let Program::Script { interpreter, env, .. } = program else { return None };
    if interpreter.found_kind(Kind::File).is_none() {
        return Some(interpreter.path.clone());
    }
    let env = env.as_deref()?;
    let found = env.tried.iter().any(|lookup| lookup.found_kind(Kind::File).is_some());
    (!found).then(|| format!("\"{}\"", env.name))
}

/// SHL-11.
pub(crate) fn shell_calls(subject: &Subject<'_>) -> Decision {
    let Some(file) = &subject.inventory.start_file else { return Ok(Vec::new()) };
    if file.shell_calls.is_empty() {
        return Ok(Vec::new());
    }
    let calls = file.shell_calls.join(" and ");
    let message = format!("{} may call a shell, which is not there: {calls}", file.path);
    Ok(vec![Fault::new(subject.origin(file.layer), message).at(&file.path)])
}

impl Config {
    /// Where certificates are on Debian and Alpine.
    pub(crate) const CA_BUNDLE: &'static str = "/etc/ssl/certs/ca-certificates.crt";

    /// The places that a variable lists, seen from the working folder.
    pub(crate) fn places(&self, value: &str) -> impl Iterator<Item = String> {
        value.split(':').take(MAX_PLACES).map(|place| paths::join(&self.workdir, place))
    }

    /// The file of the zone that `TZ` names, if it names one by its name.
    pub(crate) fn zone(&self) -> Option<String> {
        let zone = variable(&self.env, "TZ")?;
        let zone = zone.strip_prefix(':').unwrap_or(zone);
        // `CET-1CEST` says all there is to know, `UTC` means the same without a file.
        let by_name = zone.contains('/') || !zone.contains(|c: char| c.is_ascii_digit());
        let known = matches!(zone, "" | "UTC" | "GMT" | "Etc/UTC" | "UCT" | "Zulu");
        (by_name && !known).then(|| paths::join(ZONES, zone))
    }
}
