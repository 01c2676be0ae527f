//! Words as a writer would put them: punctuation, case, and inverse text normalization.

#[cfg(feature = "itn")]
pub(crate) mod itn;
#[cfg_attr(not(feature = "itn"), allow(dead_code, reason = "a `TextFormatter` uses it"))]
pub(crate) mod punctuation;
