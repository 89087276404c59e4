//! `Plan` → image config and annotations.

pub mod config;

/// The label and annotation of an image that is a stage's files and no product: `app/stage`.
pub const STAGE_LABEL: &str = "io.hardpan.stage";

pub use config::{DEFAULT_PATH, Healthcheck, History, ImageConfig};
