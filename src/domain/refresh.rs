//! How often AWS is asked, by how near a person looks.

use std::time::Duration;

/// Times between two askings of the service itself. The budget may make what is swept slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The selected resource, and the one in detail.
    pub selected: Duration,
    /// What is on screen.
    pub on_screen: Duration,
    /// All else, and CloudWatch about it; a kind that changes seldom is swept less often than this.
    pub swept: Duration,
}

impl Default for Refresh {
    fn default() -> Self {
        let [selected, on_screen, swept] = [5, 15, 60].map(Duration::from_secs);
        Self { selected, on_screen, swept }
    }
}
