//! `Plan` → image config and annotations.

pub mod config;
