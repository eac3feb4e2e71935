//! Simulated HTTP endpoints: the web hooks of a scenario's company. They answer well, badly, or not at all.

use crate::sim::lambda::Spread;
use std::collections::BTreeMap;
use std::time::Duration;

/// What an endpoint does with a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// Takes the request and never answers.
    Hang,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub name: String,
    pub answer: Answer,
    /// What it answers when nothing is wrong.
    pub healthy: Answer,
    pub latency: Duration,
    /// What a fault adds to it.
    pub added: Spread,
    /// The share of POSTs that a fault answers so, 0 to 1.
    pub failing: (f64, u16),
    /// POSTs that it was sent.
    pub received: u64,
}

/// All endpoints by URL.
#[derive(Default)]
pub struct Endpoints {
    by_url: BTreeMap<String, Endpoint>,
}

impl Endpoints {
    pub fn add(&mut self, url: &str, name: &str, answer: Answer, latency: Duration) {
        let endpoint = Endpoint {
            name: name.to_owned(),
            answer,
            healthy: answer,
            latency,
            added: Spread::default(),
            failing: (0.0, 500),
            received: 0,
        };
        self.by_url.insert(url.to_owned(), endpoint);
    }

    pub fn get_mut(&mut self, url: &str) -> Option<&mut Endpoint> {
        self.by_url.get_mut(url)
    }

    pub fn url_of(&self, name: &str) -> Option<&str> {
        self.by_url.iter().find(|(_, endpoint)| endpoint.name == name).map(|(url, _)| url.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_url.values().map(|endpoint| endpoint.name.as_str())
    }

    pub fn named(&mut self, name: &str) -> Option<&mut Endpoint> {
        self.by_url.values_mut().find(|endpoint| endpoint.name == name)
    }
}
