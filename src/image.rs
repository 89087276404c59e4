//! `Plan` → image config and annotations; and the config of another frontend with another user.

pub mod config;
mod user;

/// The label and annotation of an image that is a stage's files and no product: `app/stage`.
pub const STAGE_LABEL: &str = "io.hardpan.stage";

/// What such an image would start. No stage can make it: nothing is ever below a device.
pub const NO_ENTRYPOINT: &str = "/dev/null/this-is-a-stage-and-no-app";

pub use config::{DEFAULT_PATH, Healthcheck, History, ImageConfig};
pub use user::with_user;
