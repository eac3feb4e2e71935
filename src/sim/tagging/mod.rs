//! The Resource Groups Tagging API: what carries which tags, over all services of one account and region.
//!
//! It holds nothing of its own. Each request reads the tags where their services keep them, so that what a client has
//! tagged is found by the next request; AWS's index takes some seconds. A resource that never had a tag is not listed.

mod resources;
#[cfg(test)]
mod tests;
mod wire;

pub use resources::{Tagged, tagged};
pub use wire::answer;
