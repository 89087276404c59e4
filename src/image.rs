//! `Plan` → image config and annotations; and the config of another frontend with another user.

pub mod config;
mod user;

pub use config::{DEFAULT_PATH, Healthcheck, History, ImageConfig};
pub use user::with_user;
