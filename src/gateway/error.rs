//! What can go wrong between hardpan and the builder, and how to tell the cases apart that a user
//! can do something about.
//!
//! A failure that the builder reports keeps its `google.rpc.Status` as it came, details included,
//! so that it can be handed on: buildx draws its excerpts from them. BuildKit gives nearly all of
//! them the code Unknown, so the cases are told apart by their text; the texts of the tests were
//! taken from real builders.

use prost::Message as _;

use super::connection::MESSAGE_LIMIT;
use crate::proto::Status;

/// A call that did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The builder answered with a failure.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The connection broke, so the build is over; a second attempt is useless.
    #[error("the connection to the builder broke during {call}: {reason}")]
    Lost {
        /// The method that was under way.
        call: &'static str,
        /// What the transport says.
        reason: String,
    },
    /// No answer to the first call.
    #[error("the builder did not answer within {0} seconds")]
    Silent(u64),
    /// An answer without the part that it must have.
    #[error("the builder answered {call} without {missing}")]
    Incomplete {
        /// The method.
        call: &'static str,
        /// The part.
        missing: &'static str,
    },
    /// A file larger than the caller takes.
    #[error("{path:?} is larger than {limit} bytes")]
    TooLarge {
        /// As it was asked for.
        path: String,
        /// The most that was asked for.
        limit: usize,
    },
    /// Something to send that no message can hold.
    #[error("{call} needs {bytes} bytes, and BuildKit takes at most {MESSAGE_LIMIT} at once")]
    Oversized {
        /// The method.
        call: &'static str,
        /// How much there is to send.
        bytes: usize,
    },
    /// A source policy of the builder put something else in the place of an image.
    #[error("a policy of the builder replaces {asked:?} by {answered:?}, which is no image")]
    NotAnImage {
        /// The identifier that was asked for.
        asked: String,
        /// The identifier that came back.
        answered: String,
    },
    /// stdin or stdout is not the pipe of a builder.
    #[error("stdin and stdout are not connected to BuildKit ({0})")]
    NotABuilder(std::io::Error),
    /// The definition of hardpan's own image is there but cannot be used.
    #[error("the definition of the frontend's image cannot be read: {0}")]
    OwnDefinition(String),
}

impl Error {
    /// Refuses a request that is too large: tonic would notice in the middle of sending it.
    pub(super) fn check_size(
        call: &'static str,
        request: &impl prost::Message,
    ) -> Result<(), Self> {
        let bytes = request.encoded_len();
        if bytes > MESSAGE_LIMIT { Err(Self::Oversized { call, bytes }) } else { Ok(()) }
    }

    /// Turns a failed call into an error. tonic gives transport failures a source, and what a
    /// server sent none.
    pub(super) fn of_call(call: &'static str) -> impl Fn(tonic::Status) -> Self {
        move |status| {
            let Some(source) = std::error::Error::source(&status) else {
                return Self::Refused(Box::new(status_of(&status)));
            };
            let mut deepest = source;
            while let Some(next) = deepest.source() {
                deepest = next;
            }
            Self::Lost { call, reason: deepest.to_string() }
        }
    }

    /// The failure as the builder sent it, if it was the builder that failed.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        if let Self::Refused(status) = self { Some(status) } else { None }
    }

    /// Whether a path does not exist in what was read.
    #[must_use]
    pub fn is_missing_file(&self) -> bool {
        self.status().is_some_and(|status| is_missing_file(&status.message))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(status) => *status,
            other => super::status::failure(other.to_string()),
        }
    }
}

/// The details travel as a serialized status of their own in a trailer.
fn status_of(status: &tonic::Status) -> Status {
    let plain = || Status {
        code: i32::from(status.code()),
        message: status.message().to_owned(),
        details: Vec::new(),
    };
    match Status::decode(status.details()) {
        Ok(full) if full.code != 0 && !status.details().is_empty() => full,
        _ => plain(),
    }
}

/// Why an image could not be resolved, as far as a user can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFailure {
    /// The registry wants a login, or hides that the image does not exist.
    LoginNeeded,
    /// The registry knows no such name or tag.
    NotFound,
    /// The image has nothing for the platform.
    NoSuchPlatform,
    /// The registry has answered often enough for now.
    RateLimited,
    /// The registry was not reached.
    Unreachable,
    /// Something else: show the text as it is.
    Other,
}

/// Tells the failures of resolving an image apart by the builder's text.
#[must_use]
pub fn image_failure(message: &str) -> ImageFailure {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // The platform comes first: its text ends in "not found" as well.
    if says(&["no match for platform", "no matching manifest", "no manifest for platform"]) {
        ImageFailure::NoSuchPlatform
    } else if says(&["429 too many requests", "toomanyrequests"]) {
        ImageFailure::RateLimited
    } else if says(&[
        "401 unauthorized",
        "403 forbidden",
        "pull access denied",
        "insufficient_scope",
        "authorization failed",
        "failed to authorize",
        "failed to fetch anonymous token",
        "failed to fetch oauth token",
        "no basic auth credentials",
        "authentication required",
    ]) {
        // "failed to authorize" also stands before a token server that cannot be reached.
        if is_unreachable(&text) { ImageFailure::Unreachable } else { ImageFailure::LoginNeeded }
    } else if is_unreachable(&text) {
        ImageFailure::Unreachable
    } else if says(&["not found", "manifest unknown", "manifest_unknown", "name unknown"]) {
        ImageFailure::NotFound
    } else {
        ImageFailure::Other
    }
}

fn is_unreachable(text: &str) -> bool {
    [
        "no such host",
        "connection refused",
        "connection reset",
        "network is unreachable",
        "no route to host",
        "i/o timeout",
        "tls handshake timeout",
        "deadline exceeded",
        "server misbehaving",
        "temporary failure in name resolution",
        "failed to verify certificate",
        "server gave http response to https client",
        "dial tcp",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// A failure's text without the layers of "rpc error: code = … desc = " around it.
#[must_use]
pub fn plain_text(message: &str) -> &str {
    let mut text = message;
    while let Some((_, inner)) =
        text.strip_prefix("rpc error: code = ").and_then(|rest| rest.split_once(" desc = "))
    {
        text = inner;
    }
    text
}

/// Whether the text of a failed read says that the path does not exist.
#[must_use]
pub fn is_missing_file(message: &str) -> bool {
    message.contains("no such file or directory") || message.contains("not a directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_image_failures_apart() {
        use ImageFailure::{
            LoginNeeded, NoSuchPlatform, NotFound, Other, RateLimited, Unreachable,
        };
        for (failure, text) in [
            // From v0.34.2 against registries that answer so.
            (
                LoginNeeded,
                "failed to fetch anonymous token: unexpected status from GET request to \
                 https://auth.docker.io/token?scope=repository%3At%3Apull&service=x: 401 Unauthorized",
            ),
            (
                LoginNeeded,
                "failed to fetch anonymous token: unexpected status from GET request to \
                 https://auth.docker.io/token?scope=repository%3At%3Apull&service=x: 403 Forbidden",
            ),
            (
                LoginNeeded,
                "pull access denied, repository does not exist or may require authorization: \
                 server message: insufficient_scope: authorization failed",
            ),
            (
                LoginNeeded,
                "unexpected status from HEAD request to https://dhi.io/v2/node/manifests/24: 401 \
                 Unauthorized",
            ),
            (
                LoginNeeded,
                "unexpected status from HEAD request to https://dhi.io/v2/node/manifests/24: 403 \
                 Forbidden\ndenied: denied",
            ),
            (NotFound, "dhi.io/nodes:24: not found"),
            (NoSuchPlatform, "no match for platform in manifest: not found"),
            (
                RateLimited,
                "unexpected status from HEAD request to https://dhi.io/v2/node/manifests/24: 429 Too \
                 Many Requests",
            ),
            (
                Unreachable,
                "failed to do request: Head \"https://no.such.host/v2/x/manifests/1\": dial tcp: \
                 lookup no.such.host on 10.0.0.53:53: no such host",
            ),
            (
                Unreachable,
                "failed to do request: Head \"http://127.0.0.1:1/v2/x/manifests/1\": dial tcp \
                 127.0.0.1:1: connect: connection refused",
            ),
            (
                Unreachable,
                "failed to fetch anonymous token: Get \"https://auth.docker.io/token?service=x\": \
                 dial tcp: lookup auth.docker.io on 10.0.0.53:53: no such host",
            ),
            (
                Other,
                "unexpected status from HEAD request to https://dhi.io/v2/node/manifests/24: 502 Bad \
                 Gateway",
            ),
            (Other, "encountered unknown type text/html; children may not be fetched"),
            (Other, "object required"),
            // From other releases and registries.
            (NotFound, "manifest unknown: manifest unknown"),
            (
                NotFound,
                "failed to resolve source metadata for dhi.io/nodes:24: dhi.io/nodes:24: not found",
            ),
            (Other, "source policy denied docker-image://docker.io/library/node:24"),
        ] {
            assert_eq!(image_failure(text), failure, "{text}");
        }
    }

    #[test]
    fn knows_a_missing_file_by_its_text() {
        assert!(is_missing_file("open hardpan.yaml: no such file or directory"));
        assert!(is_missing_file(
            "resolve : lstat /tmp/buildkit-mount1/a: no such file or directory"
        ));
        assert!(is_missing_file("lstat hardpan.yaml/x: not a directory"));
        assert!(!is_missing_file("open /: not a regular file"));
        assert!(!is_missing_file("open a.yaml: permission denied"));
        assert!(!is_missing_file("read a: is a directory"));
    }

    #[test]
    fn peels_the_layers_of_remote_failures() {
        for (message, plain) in [
            (
                "rpc error: code = NotFound desc = rpc error: code = NotFound desc = no access \
                 allowed to dir \"nope\"",
                "no access allowed to dir \"nope\"",
            ),
            ("rpc error: code = Unknown", "rpc error: code = Unknown"),
            ("open x: rpc error: code = A desc = b", "open x: rpc error: code = A desc = b"),
            ("", ""),
        ] {
            assert_eq!(plain_text(message), plain);
        }
    }

    #[test]
    fn keeps_the_details_of_a_failure() {
        let detail = crate::proto::google::protobuf::Any {
            type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
            value: br#"{"digest":"sha256:1"}"#.to_vec(),
        };
        let sent = Status { code: 2, message: "it broke".to_owned(), details: vec![detail] };
        let carrier = tonic::Status::with_details(
            tonic::Code::Unknown,
            "it broke",
            sent.encode_to_vec().into(),
        );
        let error = Error::of_call("solve")(carrier);
        assert_eq!(error.status(), Some(&sent));
        assert_eq!(Status::from(error), sent);
    }

    #[test]
    fn a_failure_with_broken_details_keeps_its_text() {
        let carrier =
            tonic::Status::with_details(tonic::Code::Unknown, "it broke", vec![0xff_u8; 9].into());
        let error = Error::of_call("solve")(carrier);
        let expected = Status { code: 2, message: "it broke".to_owned(), details: Vec::new() };
        assert_eq!(error.status(), Some(&expected));
    }
}
