//! The recipe of docs/signing.md: the evidence of an image that the real frontend has made is taken
//! out, signed, verified and asked for, by the commands that the page shows; and what is not so is
//! refused: a changed document, another key, another profile, another frontend, unsigned bases.

use std::fs;
use std::path::Path;

use crate::markdown::{self, Block};
use crate::run::Folder;
use crate::support::environment::environment;
use crate::tools;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/signing.md");
/// The policy about bases, which buildx would find beside the file of every build.
const BASES: &str = "package docker\n";

/// A command that must not succeed, and words that it must say.
const REFUSED: &str = r#"
refused() {
    local words=$1; shift
    if "$@" > refused.log 2>&1; then echo "not refused: $*"; exit 1; fi
    grep -qF -- "$words" refused.log || { cat refused.log; exit 1; }
}
verify() { cosign verify-attestation --insecure-ignore-tlog --type $HARDENING "$@" "$IMAGE"; }
"#;

/// The page's own lines, with one word otherwise.
const NEAR_MISSES: &str = r#"
# Another key.
mkdir other && (cd other && cosign generate-key-pair)
refused "no matching attestations" verify --key other/cosign.pub
verify --key cosign.pub > /dev/null

# Another document under the same signature.
bundles=${IMAGE%@*}:${IMAGE#*@}; bundles=${bundles/sha256:/sha256-}
bundle=$(crane manifest "$bundles" | jq -r --arg type $HARDENING \
    '[.manifests[] | select(.annotations."dev.sigstore.bundle.predicateType" == $type)][0].digest')
blob=$(crane manifest "${IMAGE%@*}@$bundle" | jq -r '.layers[0].digest')
crane blob "${IMAGE%@*}@$blob" > bundle.json
check() {
    cosign verify-blob-attestation --key cosign.pub --insecure-ignore-tlog --type $HARDENING \
        --digest ${IMAGE#*@sha256:} --digestAlg sha256 --bundle "$1"
}
check bundle.json
jq -c '.dsseEnvelope.payload |= (@base64d | sub("1000:1000"; "2000:2000") | @base64)' bundle.json > changed.json
refused "accepted signatures do not match" check changed.json

# Another profile than the one that is asked for; another frontend.
sed 's/"standard", //' hardened.rego > strict.rego
refused "is not true" verify --key cosign.pub --policy strict.rego
sed -i 's/^trusted := .*/trusted := {"0"}/' frontend.rego
refused "is not true" cosign verify-attestation --key cosign.pub --insecure-ignore-tlog \
    --type https://slsa.dev/provenance/v1 --policy frontend.rego "$IMAGE"

# In the cluster: another profile; an image that nobody signed.
sed 's/\[standard, strict\]/[strict]/' hardened-images.yaml > strict.yaml
sed 's/\["standard", "strict"\]/["strict"]/' hardened-images-cel.yaml > strict-cel.yaml
refused "attestation checks failed" kubectl-kyverno apply strict.yaml --resource pod.yaml --registry
refused "does not say that the image passed" kubectl-kyverno apply strict-cel.yaml --resource pod.yaml --registry
unsigned=${IMAGE%@*}:unsigned
echo 'console.log("unsigned")' > server.mjs
docker buildx build --build-arg BUILDKIT_SYNTAX=$FRONTEND -f hardpan.yaml -t $unsigned --push --metadata-file built.json .
sed -i "s|image: .*|image: ${IMAGE%@*}@$(jq -r '."containerimage.digest"' built.json)|" pod.yaml
refused "attestations verification failed" kubectl-kyverno apply hardened-images.yaml --resource pod.yaml --registry
refused "no signed evidence" kubectl-kyverno apply hardened-images-cel.yaml --resource pod.yaml --registry

# Two platforms: a document for each at its image, and both at the index.
docker buildx build --build-arg BUILDKIT_SYNTAX=$FRONTEND -f hardpan.yaml --platform linux/amd64,linux/arm64 \
    -t ${IMAGE%@*}:both --push --metadata-file built.json .
index=${IMAGE%@*}@$(jq -r '."containerimage.digest"' built.json)
bash sign.sh "$index"
platforms_of() {
    cosign verify-attestation --key cosign.pub --insecure-ignore-tlog --type $HARDENING \
        --policy hardened.rego "$1" | jq -r '.payload | @base64d | fromjson | .predicate.image.platform' | sort | xargs
}
test "$(platforms_of "$index")" = "linux/amd64 linux/arm64"
arm64=$(crane digest --platform linux/arm64 "$index")
test "$(platforms_of "${IMAGE%@*}@$arm64")" = "linux/arm64"
sed -i "s|image: .*|image: $index|" pod.yaml
kubectl-kyverno apply hardened-images.yaml --resource pod.yaml --registry
kubectl-kyverno apply hardened-images-cel.yaml --resource pod.yaml --registry

# One document that fails among those that pass.
crane blob "${IMAGE%@*}@$blob" | jq -c '.dsseEnvelope.payload | @base64d | fromjson | .predicate | .result = "failed"' > failed.json
cosign attest --yes --key cosign.key --signing-config offline.json --type $HARDENING --predicate failed.json "$index"
refused "attestation checks failed" kubectl-kyverno apply hardened-images.yaml --resource pod.yaml --registry

# Every policy is Rego as Open Policy Agent has it today.
opa check --strict hardened.rego
opa check --strict frontend.rego
opa check --strict bases.rego

# A base that Docker has not signed is refused at its line; the same policy knows one that is.
sed "s|ghcr.io/hardpan/hardpan|${FRONTEND%@*}|" bases.rego > hardpan.yaml.rego
refused "hardpan.yaml:2:7: error[REF-02]" docker buildx build --build-arg BUILDKIT_SYNTAX=$FRONTEND -f hardpan.yaml .
grep -F "dhi.io/node:24" refused.log | grep -qF "is not signed as a Docker Hardened Image"
decides() { opa eval --data bases.rego --stdin-input --format raw data.docker.decision.allow; }
is() { test "$(decides <<< "$2")" = "$1"; }
is true '{"image": {"fullRepo": "dhi.io/node", "ref": "x", "signatures": [{"kind": "docker-hardened-image"}]}}'
is false '{"image": {"fullRepo": "dhi.io/node", "ref": "x", "signatures": [{"kind": "self-signed"}]}}'
is false '{"image": {"fullRepo": "docker.io/library/node", "ref": "x", "signatures": [{"kind": "docker-hardened-image"}]}}'
is false '{"image": {"fullRepo": "ghcr.io/hardpan/hardpan", "ref": "x"}}'
is true '{"image": {"fullRepo": "ghcr.io/hardpan/hardpan", "ref": "x", "isCanonical": true}}'
is true '{"git": {"host": "github.com"}}'
"#;

/// The page as one script.
fn recipe(blocks: &[Block]) -> String {
    let shown = blocks.iter().filter(|block| block.language == "sh");
    shown.map(Block::replaced).collect()
}

#[test]
fn what_the_page_signs_is_verified_and_what_is_otherwise_is_not() {
    let Some(tools) = tools("the recipe that signs the evidence") else { return };
    let blocks = markdown::blocks(&fs::read_to_string(Path::new(PAGE)).unwrap());
    let folder = Folder::new();
    for block in &blocks {
        folder.prepare(block);
    }
    let bases = blocks.iter().find(|block| block.text.starts_with(BASES)).unwrap();
    let path = format!("PATH={}/bin:$PATH\n", tools.display());
    let write = format!("cat > bases.rego <<'EOF'\n{}EOF\n", bases.text);
    assert!(!environment().syntax.is_empty(), "the frontend under test");
    let script = [path, recipe(&blocks), write, REFUSED.to_owned(), NEAR_MISSES.to_owned()];
    let printed = folder.command(&script.concat(), false).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(printed.contains("runs as 1000:1000, no shell in "), "{printed}");
}
