//! What lies beside a Dockerfile of the comparison.

/// A file: its text, or how its bytes are made.
pub(crate) enum Content {
    Text(&'static str),
    Made(fn() -> Vec<u8>),
}

impl Content {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Made(make) => make(),
        }
    }
}

/// Programs, made of those of this machine.
pub(crate) mod program {
    use std::fs;

    const ARM64: u8 = 183;

    /// One without libraries.
    pub(crate) fn of_this_machine() -> Vec<u8> {
        fs::read("/sbin/ldconfig").unwrap()
    }

    /// The same for another processor: `e_machine` is changed.
    pub(crate) fn of_arm64() -> Vec<u8> {
        let mut bytes = of_this_machine();
        bytes[18] = ARM64;
        bytes
    }

    /// One whose loader is that of musl, by a path of the same length.
    pub(crate) fn of_musl() -> Vec<u8> {
        let (glibc, musl) = (b"/lib64/ld-linux-x86-64.so.2", b"/lib/./ld-musl-x86_64.so.1\0");
        let mut bytes = fs::read("/bin/true").unwrap();
        let place = bytes.windows(glibc.len()).position(|text| text == glibc).unwrap();
        bytes[place..place + glibc.len()].copy_from_slice(musl);
        bytes
    }

    /// One that needs libselinux.
    pub(crate) fn that_lists() -> Vec<u8> {
        fs::read("/bin/ls").unwrap()
    }
}
