//! The verbs: what a person can do to a resource.

/// An action's name. Its plan is made in `actions/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionId {
    Reshard,
    Redrive,
    CancelRedrive,
    Invoke,
}

impl ActionId {
    pub const ALL: [Self; 4] = [Self::Reshard, Self::Redrive, Self::CancelRedrive, Self::Invoke];

    /// The word in the journal, JSON and `midwatch do`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reshard => "reshard",
            Self::Redrive => "redrive",
            Self::CancelRedrive => "cancel-redrive",
            Self::Invoke => "invoke",
        }
    }
}
