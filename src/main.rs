//! The program: a frontend inside BuildKit, a command on a laptop.

fn main() {}
