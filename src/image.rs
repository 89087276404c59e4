//! `Plan` → image config and annotations.

pub mod config;

pub use config::{DEFAULT_PATH, Healthcheck, History, ImageConfig};
