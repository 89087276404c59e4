//! Where a loader looks for libraries when neither a program nor the environment says so.
//!
//! A loader of glibc carries its folders as text, which distributions choose when they build it: the
//! one of Debian never looks into `/lib64`, the one of Fedora into nothing else. One of musl reads a
//! file beside it.

use super::dynamic::Dynamic;
use super::read::small_file;
use super::tree::Tree;

/// The largest loader that is read, and the largest list of folders of musl.
const MAX_LOADER: u64 = 4 << 20;
const MAX_LIST: u64 = 64 << 10;
/// The most folders of one loader, and the longest.
const MAX_FOLDERS: usize = 64;
const MAX_FOLDER: usize = 256;

/// Where loaders of glibc look that do not say it, as of a library alone; those of Debian know their
/// architecture.
const GLIBC: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
const MUSL: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];
/// Names of Debian's folders by `e_machine`.
const MULTIARCH: [(u16, &str); 6] = [
    (62, "x86_64-linux-gnu"),
    (183, "aarch64-linux-gnu"),
    (40, "arm-linux-gnueabihf"),
    (3, "i386-linux-gnu"),
    (243, "riscv64-linux-gnu"),
    (22, "s390x-linux-gnu"),
];

/// The last part of a path.
pub(crate) fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The architecture in the name of musl's loader, `ld-musl-x86_64.so.1`; `None`: it is another one.
pub(crate) fn musl(loader: &[u8]) -> Option<&[u8]> {
    let name = name(loader).strip_prefix(b"ld-musl-")?;
    let end = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
    Some(&name[..end])
}

/// The folders that are left when nothing else is.
pub(crate) fn default_folders(tree: &Tree, root: &Dynamic) -> Vec<Vec<u8>> {
    let loader = root.loader.as_deref().unwrap_or_default();
    if let Some(architecture) = musl(loader) {
        let path = [b"/etc/ld-musl-", architecture, b".path"].concat();
        let list = small_file(tree, &path, MAX_LIST).ok().flatten();
        return list.map_or_else(
            || MUSL.map(|folder| folder.as_bytes().to_vec()).into(),
            |list| split(&list),
        );
    }
    let content = small_file(tree, loader, MAX_LOADER).ok().flatten();
    let said = content.map_or_else(Vec::new, |content| built_in(&content));
    if said.is_empty() { usual(root.machine) } else { said }
}

/// The lines of musl's list, which may be separated by colons as well.
fn split(list: &[u8]) -> Vec<Vec<u8>> {
    let folders = list.split(|byte| matches!(byte, b'\n' | b':'));
    folders
        .filter(|folder| folder.starts_with(b"/"))
        .take(MAX_FOLDERS)
        .map(<[u8]>::to_vec)
        .collect()
}

/// The texts of a loader that are folders: `/lib/x86_64-linux-gnu/`.
fn built_in(content: &[u8]) -> Vec<Vec<u8>> {
    let mut folders: Vec<Vec<u8>> = Vec::new();
    for text in content.split(|byte| *byte == 0) {
        let Some(folder) = text.strip_suffix(b"/") else { continue };
        let is_one = folder.starts_with(b"/") && folder.len() < MAX_FOLDER;
        if is_one && folders.len() < MAX_FOLDERS && !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_vec());
        }
    }
    folders
}

fn usual(machine: u16) -> Vec<Vec<u8>> {
    let triplet = MULTIARCH.iter().find(|(known, _)| *known == machine);
    let triplets = triplet
        .into_iter()
        .flat_map(|(_, triplet)| ["/lib", "/usr/lib"].map(|folder| format!("{folder}/{triplet}")));
    let plain = GLIBC.iter().map(|folder| (*folder).to_owned());
    triplets.chain(plain).map(String::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_folders_of_the_loader_of_this_machine() {
        let content = std::fs::read("/lib64/ld-linux-x86-64.so.2").unwrap();
        let folders = built_in(&content);
        assert!(folders.contains(&b"/usr/lib".to_vec()), "{folders:?}");
        assert!(built_in(b"\0/etc\0lib/\0//\0").iter().all(|folder| folder == b"/"));
    }

    #[test]
    fn knows_musl_by_the_name_of_its_loader() {
        assert_eq!(musl(b"/lib/ld-musl-x86_64.so.1"), Some(b"x86_64".as_slice()));
        assert_eq!(musl(b"/lib64/ld-linux-x86-64.so.2"), None);
    }
}
