//! How the image came about: what was fetched, what was run, what was asked to be said of it.
//!
//! Decided from the graph that is handed out, whoever has written it down, and from the options of
//! the build. Where neither is known, as in a scan, none of it is evaluated.

use crate::input::Input;
use crate::inspect::escape::escape;
use crate::llb::lineage::{name_of_image, repository};
use crate::remote::{shown, shown_in};
use crate::words::quoted;

use super::config::Making;
use super::{Decision, Fault, Origin, Severity, Subject};

/// Known wherever these checks are asked: the table says that they need it.
fn making<'a>(subject: &Subject<'a>) -> Result<&'a Making, String> {
    subject.config.making.as_ref().ok_or_else(|| "the graph is not known".to_owned())
}

/// SUP-01.
pub(crate) fn pinned(subject: &Subject<'_>) -> Decision {
    let name = &subject.config.base.name;
    let making = making(subject)?;
    let images = making.lineage.images.iter().map(|one| name_of_image(one));
    let base = (!name.is_empty() && !name.contains("@sha256:")).then(|| {
        let message = format!("the base {} is not pinned by a digest", escape(name.as_bytes()));
        Fault::new(Origin::Base, message)
    });
    let others = images.filter(|image| *image != name).map(|image| {
        let shown = escape(image.as_bytes());
        let message = format!("the image {shown} is not pinned by a digest");
        let fault = Fault::new(Origin::Image, message);
        // Named by whoever builds, for this one build, whose provenance holds what came.
        if making.contexts.contains(image) { fault.weighing(Severity::Info) } else { fault }
    });
    Ok(base.into_iter().chain(others).collect())
}

/// SUP-03.
pub(crate) fn signed(_: &Subject<'_>) -> Decision {
    Err("hardpan verifies no signatures; a policy of the client does (docs/checks/SUP-03.md)"
        .to_owned())
}

/// SUP-05.
pub(crate) fn sources(subject: &Subject<'_>) -> Decision {
    let making = making(subject)?;
    let files = making.lineage.files.iter().map(|address| {
        let message = format!("{} is fetched without a checksum", quoted(&shown(address)));
        (making.contexts.contains(address), message)
    });
    let repositories = making.lineage.repositories.iter().map(|place| {
        let message = format!("the repository {} is fetched without a whole commit", quoted(place));
        (making.contexts.contains(repository(place)), message)
    });
    let fault = |(is_context, message): (bool, String)| {
        let fault = Fault::new(Origin::Image, message);
        match subject.input {
            _ if is_context => fault.weighing(Severity::Info),
            Input::Spec => fault,
            // To refuse what can be seen would only move it into a `curl`, which nobody sees.
            Input::Dockerfile => fault.usually(Severity::Warn),
        }
    };
    Ok(files.chain(repositories).map(fault).collect())
}

/// SUP-06.
pub(crate) fn layers(subject: &Subject<'_>) -> Decision {
    let making = making(subject)?;
    let lineage = &making.lineage;
    let insecure = together(&lineage.insecure, |names| {
        Fault::new(Origin::Image, format!("a step ran with all rights over the builder: {names}"))
    });
    let network = together(&lineage.host_network, |names| {
        let message = format!("a step had the network of the builder's machine: {names}");
        let fault = Fault::new(Origin::Image, message);
        if making.host_network { fault.usually(Severity::Warn) } else { fault }
    });
    let ours = |message: String| {
        let fault = Fault::new(Origin::Image, message);
        match subject.input {
            Input::Spec => fault,
            Input::Dockerfile => fault.usually(Severity::Warn),
        }
    };
    let ran = together(&lineage.ran, |names| {
        ours(format!(
            "a program made a layer of the image, which may hide what it deleted: {names}"
        ))
    });
    let removed = together(&lineage.removed, |names| {
        ours(format!("a layer of the image deletes what stays in the one below: {names}"))
    });
    let faults: Vec<Fault> = [insecure, network, ran, removed].into_iter().flatten().collect();
    if faults.is_empty() && lineage.unknown > 0 {
        return Err("the graph holds a build within the build, which says nothing".to_owned());
    }
    Ok(faults)
}

/// One fault for all steps of a kind, which names the first.
fn together(names: &[String], say: impl Fn(&str) -> Fault) -> Option<Fault> {
    let (first, rest) = names.split_first()?;
    let first = quoted(&shown_in(first));
    Some(match rest.len() {
        0 => say(&first),
        more => say(&format!("{first} and {more} more")),
    })
}

/// SUP-08.
pub(crate) fn statements(subject: &Subject<'_>) -> Decision {
    let making = making(subject)?;
    let missing = [
        (making.sbom, "a list of its packages (SBOM)"),
        (making.provenance, "its whole provenance (mode=max)"),
    ];
    let missing: Vec<&str> =
        missing.into_iter().filter(|(asked, _)| !asked).map(|(_, what)| what).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("the image comes without {}", missing.join(" and without "));
    Ok(vec![Fault::new(Origin::Image, message)])
}
