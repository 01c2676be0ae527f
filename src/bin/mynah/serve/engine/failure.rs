//! Why a stream ends before its audio does.

/// What ends a stream, in one line for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub reason: String,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What the client sent can't be used.
    Input,
    /// The client has used up what it may.
    Limit,
    /// A defect of the server.
    Internal,
}

impl Failure {
    pub fn input(reason: impl Into<String>) -> Self {
        Self { kind: FailureKind::Input, reason: reason.into() }
    }

    pub fn limit(reason: impl Into<String>) -> Self {
        Self { kind: FailureKind::Limit, reason: reason.into() }
    }

    pub fn panicked() -> Self {
        let reason = "recognition panicked; this is a defect of mynah, please report it";
        Self { kind: FailureKind::Internal, reason: reason.to_owned() }
    }
}

impl From<mynah::Error> for Failure {
    fn from(error: mynah::Error) -> Self {
        let kind = match error {
            mynah::Error::Config(_) | mynah::Error::Audio { .. } | mynah::Error::Samples { .. } => {
                FailureKind::Input
            }
            _ => FailureKind::Internal,
        };
        Self { kind, reason: error.to_string() }
    }
}
