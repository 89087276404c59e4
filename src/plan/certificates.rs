//! The certificates that a build brings along for its steps: where each step finds them, and the
//! variables by which programs are told.
//!
//! They are mounted as secrets: neither their content nor a trace of them is in a cache key, a
//! layer or the config of an image, which is made from the runtime base and the spec alone. What a
//! stage or a step writes into its environment wins; what its image has does not, since images
//! name their own bundle there.

use super::SecretMount;
use super::runs::overlay;
use crate::options::Certificates;

/// Where the certificates are, as PEM.
const PEM: &str = "/run/hardpan/ca.pem";

/// Where the trust store of Java is: its programs cannot read PEM.
const JAVA: &str = "/run/hardpan/ca.java";

/// Variables that name a file with certificates, and who reads them.
const VARIABLES: &[&str] = &[
    "SSL_CERT_FILE",       // OpenSSL, and with it Python, Ruby, PHP, .NET; Go; rustls
    "NODE_EXTRA_CA_CERTS", // Node
    "REQUESTS_CA_BUNDLE",  // Python's requests
    "PIP_CERT",            // pip
    "CURL_CA_BUNDLE",      // curl
    "GIT_SSL_CAINFO",      // git
    "CARGO_HTTP_CAINFO",   // Cargo
];

/// What every virtual machine of Java reads, whatever starts it.
const JAVA_OPTIONS: &str = "JAVA_TOOL_OPTIONS";

/// The word that trust stores have by custom; certificates are no secret.
const JAVA_PASSWORD: &str = "changeit";

/// The permissions of a secret that a step asks for.
pub(super) const OWN_SECRET: u32 = 0o400;

/// Steps may become other users.
const FOR_ALL: u32 = 0o444;

/// An environment with the variables of the certificates in the place of its own.
pub(super) fn environment(
    certificates: &Certificates,
    env: &[(String, String)],
) -> Vec<(String, String)> {
    let mut ours = Vec::new();
    if certificates.pem.is_some() {
        ours.extend(VARIABLES.iter().map(|name| ((*name).to_owned(), PEM.to_owned())));
    }
    if certificates.java.is_some() {
        let before = env.iter().find(|(name, _)| name == JAVA_OPTIONS).map(|(_, value)| &**value);
        let store = format!(
            "-Djavax.net.ssl.trustStore={JAVA} -Djavax.net.ssl.trustStorePassword={JAVA_PASSWORD}"
        );
        let words: Vec<&str> = before.into_iter().chain([&*store]).collect();
        ours.push((JAVA_OPTIONS.to_owned(), words.join(" ")));
    }
    overlay(env.to_vec(), ours)
}

/// The secrets that bring the certificates.
pub(super) fn mounts(certificates: &Certificates) -> impl Iterator<Item = SecretMount> {
    let both = [(&certificates.pem, PEM), (&certificates.java, JAVA)];
    both.into_iter().filter_map(|(id, target)| {
        Some(SecretMount {
            id: id.clone()?,
            env: None,
            target: Some(target.to_owned()),
            mode: FOR_ALL,
            optional: false,
        })
    })
}
