//! Docker's own Dockerfile frontend judges the tests before the tests judge hardpan: an ordinary
//! multi-stage Dockerfile goes through the same building, reading back, starting and asking.

use crate::support::ask::Ask;
use crate::support::container::Container;
use crate::support::project::Project;
use crate::support::registry::read_base;

#[test]
fn a_dockerfile_of_the_smallest_example_passes() {
    let folder = crate::examples::folder("minimal");
    let server = std::fs::read(folder.join("server.mjs")).unwrap();
    let dockerfile = "FROM dhi.io/node:24\nUSER 1000:1000\nCOPY server.mjs ./\nENTRYPOINT [\"node\", \"server.mjs\"]\n";
    let image = Project::written(dockerfile).file("server.mjs", server).push();
    let base = read_base("dhi.io/node:24");
    assert_eq!(image.layers[..base.layers.len()], base.layers);
    let differences = base.listing().differences(&image.listing());
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].starts_with("+ /app/server.mjs - 0644 0:0 "), "{differences:?}");
    let ask = Ask::read(&folder);
    let mut container = Container::start(&image, &ask.writable());
    ask.ask(&mut container);
    assert_eq!(container.stop().code, Some(0));
}
