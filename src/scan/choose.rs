//! Which image of several: by the name and the platform that were asked for, this machine's platform
//! otherwise, or the only one there is. Whoever has to choose is told what there was.

use super::{Request, here};
use crate::platform::Platform;
use crate::words::escaped;

/// An image that could be meant.
#[derive(Debug, Clone)]
pub(super) struct Candidate<T> {
    /// Its names, where it has any.
    pub(super) names: Vec<String>,
    pub(super) platform: Platform,
    pub(super) image: T,
}

/// The one that is meant, and what to tell about the others.
pub(super) fn choose<T>(
    mut candidates: Vec<Candidate<T>>,
    request: &Request<'_>,
) -> Result<(Candidate<T>, Option<String>), String> {
    let here = here();
    let all = listed(&candidates);
    if let Some(name) = request.image {
        candidates.retain(|one| one.names.iter().any(|known| is_called(known, name)));
    }
    let wanted = match request.platform {
        Some(text) => Some(Platform::parse(text, &here).map_err(|error| error.to_string())?),
        None => None,
    };
    let count = candidates.len();
    let has = |platform: &Platform| candidates.iter().any(|one| one.platform == *platform);
    match &wanted {
        Some(platform) => candidates.retain(|one| one.platform == *platform),
        None if has(&here) => candidates.retain(|one| one.platform == here),
        None => {}
    }
    let asked = || {
        let image = request.image.map(|name| format!(" called {}", escaped(name)));
        let platform = wanted.as_ref().map(|platform| format!(" for {platform}"));
        image.unwrap_or_default() + &platform.unwrap_or_default()
    };
    match (candidates.pop(), candidates.is_empty()) {
        (None, _) if all.is_empty() => Err("it holds no image".to_owned()),
        (None, _) => Err(format!("it holds no image{}, but {all}", asked())),
        (Some(_), false) => {
            Err(format!("it holds several images: {all}; choose with --platform or --image"))
        }
        (Some(one), true) => {
            let others = (count > 1).then(|| format!("{} is scanned, of {all}", one.platform));
            Ok((one, others))
        }
    }
}

/// `name:tag` is found under `docker.io/library/name:tag`, too.
fn is_called(known: &str, name: &str) -> bool {
    let short = |text: &str| {
        let text = text.strip_prefix("docker.io/").unwrap_or(text);
        text.strip_prefix("library/").unwrap_or(text).to_owned()
    };
    let (known, name) = (short(known), short(name));
    known == name || known.strip_suffix(":latest") == Some(&*name)
}

fn listed<T>(candidates: &[Candidate<T>]) -> String {
    const SHOWN: usize = 12;
    let show = |one: &Candidate<T>| match one.names.first() {
        Some(name) => format!("{} ({})", escaped(name), one.platform),
        None => one.platform.to_string(),
    };
    let mut shown: Vec<_> = candidates.iter().take(SHOWN).map(show).collect();
    if candidates.len() > SHOWN {
        shown.push(format!("{} more", candidates.len() - SHOWN));
    }
    shown.join(", ")
}
