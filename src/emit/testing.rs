//! Tries the finished image: an exec whose root file system is the image itself, with hardpan's own
//! image mounted beside it.
//!
//! What the runtime contract lets the app write is mounted so, as copies that nobody keeps: each
//! writable path with what is in it, and `/tmp` in memory. The rest is read-only, and there is no
//! network besides the loopback. The starter is a program of the builder's platform whatever the
//! image is for; the kernel runs the image's programs.

use super::probes::ProbeSettings;
use super::{Emitter, at};
use crate::llb::{
    Access, Constraints, ContentCache, Exec, FileOps, ImportError, MakeFile, Mount, MountKind,
    Network, Output,
};
use crate::plan::Plan;
use crate::start::PLACE;

const ORDER: &str = "order.json";

impl Emitter<'_> {
    /// Tries what an order says.
    pub fn testing(
        &mut self,
        settings: &ProbeSettings,
        (plan, image): (&Plan, Output),
        order: Vec<u8>,
    ) -> Result<Output, ImportError> {
        let mut ops = FileOps::on(Output::SCRATCH);
        let path = format!("/{ORDER}");
        // Nobody but root: the variables of the tests are not for the app of another test.
        ops.make_file(MakeFile { path, mode: 0o600, data: order, ..MakeFile::default() });
        let name = format!("[{}internal] write down the tests", self.platform_prefix());
        let order = self.graph.file(&ops, &Constraints::named(name));
        let frontend = self.graph.import(&settings.frontend)?;
        let mounted = |name: &str| format!("{PLACE}/{name}");
        let unhashed = |mount: Mount| mount.content_cache(ContentCache::Off);
        let mut mounts = vec![unhashed(Mount::read_only("/", image))];
        let writable = plan.writable.iter().map(|path| path.resolved.as_str());
        for path in writable.clone() {
            mounts.push(unhashed(Mount::bind(path, image, Access::Discard).at(path)));
        }
        if !writable.clone().any(|path| path == "/tmp") {
            let kind = MountKind::Tmpfs { size: 0 };
            mounts.push(Mount { target: "/tmp".to_owned(), kind });
        }
        // Last, so that nothing of the image takes their place.
        mounts.extend([
            unhashed(Mount::read_only(mounted("frontend"), frontend)),
            Mount::read_only(mounted("order"), order),
            Mount::output(mounted("out"), Output::SCRATCH),
        ]);
        let args =
            ["tests", "--order", &mounted(&format!("order/{ORDER}")), "--out", &mounted("out")];
        let exec = Exec {
            args: [mounted("frontend") + &settings.binary]
                .into_iter()
                .chain(args.map(str::to_owned))
                .collect(),
            cwd: "/".to_owned(),
            user: "0:0".to_owned(),
            network: Network::None,
            mounts,
            ..Exec::default()
        };
        let place = plan.testing.tests.first().map_or(self.place, |test| test.span);
        let name = format!("[{}proof] test the image", self.platform_prefix());
        let with = Constraints {
            platform: Some((&settings.platform).into()),
            ignore_cache: settings.again.holds(self.graph.runs(&[image])),
            ..at(place, name)
        };
        let with = self.again_if(&[image], with);
        let outputs = self.graph.exec(&exec, &with);
        let output = outputs.first().copied().unwrap_or(Output::SCRATCH);
        Ok(self.mark(output, &with))
    }
}
