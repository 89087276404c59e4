//! How images are built that have exactly one defect, and near misses.

use hardpan::harden::{Origin, Profile, Severity, Status};
use hardpan::input::Input;

use Severity::{Block, Info, Warn};

use crate::image::Image;

/// An image whose graph says something.
fn made(change: impl FnOnce(&mut hardpan::harden::Making)) -> Image {
    let mut image = Image::sound();
    change(image.making());
    image
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// The same image from a Dockerfile.
fn from_dockerfile(mut image: Image) -> Image {
    image.input = Input::Dockerfile;
    image
}

fn weight(image: &Image, profile: Profile) -> Severity {
    image.judge_as(profile).findings[0].severity
}

#[test]
fn sup_01_finds_images_without_a_digest_in_the_graph() {
    let image = made(|making| {
        making.lineage.images = words(&["docker-image://docker.io/library/a:1"]);
    });
    let message = "the image docker.io/library/a:1 is not pinned by a digest";
    image.finds(&[("SUP-01", Block, message)]);
    let mut base = Image::sound();
    "dhi.io/node:24".clone_into(&mut base.config.base.name);
    base.making().lineage.images = words(&["docker-image://dhi.io/node:24"]);
    base.finds(&[("SUP-01", Block, "the base dhi.io/node:24 is not pinned by a digest")]);
    assert_eq!(base.judge().findings[0].origin, Origin::Base);
    let mut whole = image;
    whole.base_known = false;
    whole.finds(&[("SUP-01", Block, message)]);
}

#[test]
fn sup_03_is_never_passed_and_stops_nobody() {
    let image = Image::sound();
    for profile in Profile::ALL {
        let judgement = image.judge_as(profile);
        let (_, status) = judgement.checks.iter().find(|(id, _)| id.0 == "SUP-03").unwrap();
        let Status::NotEvaluated(reason) = status else { panic!("{profile:?}: {status:?}") };
        assert!(reason.contains("docs/checks/SUP-03.md"), "leads to what verifies: {reason}");
        assert_eq!(judgement.undecided().count(), 0);
        assert_eq!(judgement.findings, [], "{profile:?}");
    }
}

#[test]
fn sup_05_finds_what_is_fetched_and_can_change() {
    let address = "https://user:pw@a.example/x.tar?token=1";
    let file = || made(|making| making.lineage.files = words(&[address]));
    let message = "`https://a.example/x.tar` is fetched without a checksum";
    file().finds(&[("SUP-05", Block, message)]);
    let repository =
        || made(|making| making.lineage.repositories = words(&["github.com/a/b.git#main:src"]));
    let message = "the repository `github.com/a/b.git#main:src` is fetched without a whole commit";
    repository().finds(&[("SUP-05", Block, message)]);
    for image in [from_dockerfile(file()), from_dockerfile(repository())] {
        assert_eq!(weight(&image, Profile::Standard), Warn, "a `curl` would be seen by nobody");
        assert_eq!(weight(&image, Profile::Strict), Block);
    }
    let mut context = repository();
    context.making().contexts = words(&["github.com/a/b.git"]).into_iter().collect();
    context.finds(&[("SUP-05", Info, message)]);
    assert_eq!(weight(&context, Profile::Strict), Info);
}

#[test]
fn sup_06_finds_layers_that_are_more_than_files() {
    let ran = || made(|making| making.lineage.ran = words(&["RUN rm /bin/sh", "RUN x"]));
    let message = "a program made a layer of the image, which may hide what it deleted: \
                   `RUN rm /bin/sh` and 1 more";
    ran().finds(&[("SUP-06", Block, message)]);
    let removed = || made(|making| making.lineage.removed = words(&["/etc/shadow"]));
    let message = "a layer of the image deletes what stays in the one below: `/etc/shadow`";
    removed().finds(&[("SUP-06", Block, message)]);
    for image in [from_dockerfile(ran()), from_dockerfile(removed())] {
        assert_eq!(weight(&image, Profile::Standard), Warn);
        assert_eq!(weight(&image, Profile::Strict), Block);
    }
    let insecure = made(|making| making.lineage.insecure = words(&["RUN --security=insecure x"]));
    let message = "a step ran with all rights over the builder: `RUN --security=insecure x`";
    insecure.finds(&[("SUP-06", Block, message)]);
    from_dockerfile(insecure).finds(&[("SUP-06", Block, message)]);
    let mut network = made(|making| making.lineage.host_network = words(&["RUN x"]));
    let message = "a step had the network of the builder's machine: `RUN x`";
    network.finds(&[("SUP-06", Block, message)]);
    network.making().host_network = true; // asked for by whoever builds
    network.finds(&[("SUP-06", Warn, message)]);
    assert_eq!(weight(&network, Profile::Strict), Block);
}

#[test]
fn sup_06_is_not_decided_where_the_graph_does_not_say() {
    let image = made(|making| making.lineage.unknown = 1);
    let judgement = image.judge();
    let (_, status) = judgement.checks.iter().find(|(id, _)| id.0 == "SUP-06").unwrap();
    assert!(matches!(status, Status::NotEvaluated(_)), "{status:?}");
}

#[test]
fn sup_08_wants_statements_and_refuses_nobody() {
    let none = made(|making| (making.sbom, making.provenance) = (false, false));
    let message = "the image comes without a list of its packages (SBOM) and without its whole \
                   provenance (mode=max)";
    none.finds(&[("SUP-08", Info, message)]);
    for profile in [Profile::Strict, Profile::Disa] {
        assert_eq!(weight(&none, profile), Warn);
    }
    let half = made(|making| making.provenance = false);
    let message = "the image comes without its whole provenance (mode=max)";
    half.finds(&[("SUP-08", Info, message)]);
}

#[test]
fn what_is_only_there_says_nothing_of_how_it_was_built() {
    let mut image = Image::sound();
    image.config.making = None;
    let judgement = image.judge_as(Profile::Strict);
    let open: Vec<&str> = judgement
        .checks
        .iter()
        .filter(|(_, status)| matches!(status, Status::NotEvaluated(_)))
        .map(|(id, _)| id.0)
        .collect();
    assert_eq!(
        open,
        ["META-04", "SUP-01", "SUP-02", "SUP-03", "SUP-05", "SUP-06", "SUP-07", "SUP-08"]
    );
    let undecided: Vec<_> = judgement.undecided().map(|(check, _)| check.id.0).collect();
    assert_eq!(undecided, [""; 0], "nothing that refuses it");
}
