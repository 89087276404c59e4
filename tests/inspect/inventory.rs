//! `hardpan inventory`: the union of layers, and the lists that checks of later releases need.

use hardpan::inspect::entry::Kind;
use hardpan::inspect::evidence::{Inventory, InventoryError};
use rustix::fs::FileType;

use crate::image::Image;
use crate::rootfs::Rootfs;

#[test]
fn counts_each_path_in_the_layer_that_it_is_seen_from() {
    let mut image = Image::sound();
    image.base = Rootfs::new();
    image.base.file("/a/kept", 0o644, "12345").file("/a/replaced", 0o644, "1234567890");
    image.place(|layer| {
        layer.file("/a/replaced", 0o644, "1").file("/b/new", 0o644, "12").link("/b/l", "new");
    });
    let inventory = image.inventory();
    let counts: Vec<_> =
        inventory.layers.iter().map(|c| (c.files, c.folders, c.links, c.bytes)).collect();
    assert_eq!(counts, [(1, 0, 0, 5), (2, 2, 1, 3)]);
    assert_eq!(inventory.replaced.items[0].path, "/a/replaced");
    assert!(inventory.changed.items.is_empty());
}

#[test]
fn what_is_no_folder_hides_what_lies_below() {
    let mut image = Image::sound();
    image.base = Rootfs::new();
    image.base.file("/x/base", 0o644, "");
    image.place(|layer| {
        layer.file("/x", 0o644, "a file over a folder");
    });
    image.place(|layer| {
        layer.file("/x/top", 0o644, "");
    });
    let inventory = image.inventory();
    // /x/base is hidden by the file in the middle, although /x is a folder again.
    let files: u64 = inventory.files();
    assert_eq!(files, 1);
    let hidden = &inventory.hidden.items[0];
    assert_eq!((&*hidden.path, hidden.below, hidden.layer), ("/x", 1, 2));
    assert_eq!((hidden.before.kind, hidden.after.kind), (Kind::File, Kind::Folder));
}

#[test]
fn a_command_is_found_through_links_of_all_layers() {
    let mut image = Image::sound();
    image.place(|layer| {
        layer.link("/usr/local/bin/serve", "/opt/current/serve");
    });
    image.place(|layer| {
        layer.link("/opt/current", "v2");
    });
    image.place(|layer| {
        layer.link("/opt/v2/serve", "../../usr/bin/node");
    });
    image.entrypoint(&["serve"]).passes();
    let inventory = image.inventory();
    let found = inventory.entrypoint.unwrap().tried.remove(0).found.unwrap();
    assert_eq!((&*found.path, found.layer), ("/usr/bin/node", 0));
}

#[test]
fn lists_what_privileges_hang_on() {
    let image = Image::sound();
    image
        .base
        .file("/set/uid", 0o4755, "x")
        .file("/set/gid", 0o2755, "x")
        .folder("/set/folder", 0o2755)
        .link("/set/link", "uid")
        .file("/open/file", 0o666, "x")
        .folder("/open/folder", 0o777)
        .folder("/open/sticky", 0o1777)
        .special("/dev/pipe", FileType::Fifo)
        .special("/dev/null", FileType::CharacterDevice)
        .special("/dev/socket", FileType::Socket);
    let inventory = image.inventory();
    let paths = |list: &hardpan::inspect::evidence::List<hardpan::inspect::evidence::Item>| {
        list.items.iter().map(|item| item.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&inventory.set_id), ["/set/gid", "/set/uid"]);
    assert_eq!(paths(&inventory.world_writable), ["/open/file", "/open/folder"]);
    assert_eq!(paths(&inventory.special), ["/dev/null", "/dev/pipe", "/dev/socket"]);
}

#[test]
fn lists_capabilities() {
    let image = Image::sound();
    image.base.file("/usr/bin/ping", 0o755, "x").file("/usr/bin/plain", 0o755, "x");
    image.base.file("/srv/later", 0o644, "x").file("/srv/plain", 0o644, "x");
    // Version 2, cap_net_raw permitted and effective.
    let value = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for name in ["usr/bin/ping", "srv/later"] {
        let path = image.base.path().join(name);
        let flags = rustix::fs::XattrFlags::empty();
        if let Err(error) = rustix::fs::setxattr(path, "security.capability", &value, flags) {
            panic!("this file system takes no capabilities: {error}");
        }
    }
    let capabilities = image.inventory().capabilities.unwrap();
    let found: Vec<_> =
        capabilities.items.iter().map(|item| (&*item.path, item.detail.as_deref())).collect();
    let shown = Some("0100000200200000000000000000000000000000");
    // Root's own file that nobody may execute is asked, too.
    assert_eq!(found, [("/srv/later", shown), ("/usr/bin/ping", shown)]);
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let mut image = Image::sound();
    image.place(|layer| {
        for number in 0..2_000 {
            layer.file(format!("/d{}/f{number}", number % 7), 0o666, "x");
        }
    });
    let first = image.json();
    assert_eq!(first, image.json());
    let inventory = Inventory::from_json(&first).unwrap();
    let list = inventory.world_writable;
    assert_eq!((list.items.len(), list.total, list.truncated), (1_000, 2_000, true));
}

#[test]
fn refuses_an_inventory_of_another_release() {
    assert!(matches!(Inventory::from_json(b"{}"), Err(InventoryError::Json(_))));
    let text = String::from_utf8(Image::sound().json()).unwrap();
    let other = text.replacen("\"version\":2", "\"version\":9", 1);
    assert!(matches!(Inventory::from_json(other.as_bytes()), Err(InventoryError::Version(9))));
}
