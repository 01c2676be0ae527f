//! What the figures were measured on.

use std::{env::consts, fs, thread::available_parallelism};

use serde::Serialize;

/// This machine, as far as the system tells.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The board or the processor.
    pub cpu: Option<String>,
    pub cores: Option<usize>,
    pub architecture: &'static str,
    pub system: &'static str,
    /// Those of the processor's extensions that matter to matrix products.
    pub features: Vec<&'static str>,
}

impl Machine {
    /// Asks the system.
    pub fn this() -> Self {
        Self {
            cpu: board().or_else(processor),
            cores: available_parallelism().ok().map(Into::into),
            architecture: consts::ARCH,
            system: consts::OS,
            features: features(),
        }
    }
}

/// Raspberry Pis and their like call themselves by name here.
fn board() -> Option<String> {
    let name = fs::read_to_string("/proc/device-tree/model").ok()?;
    Some(name.trim_end_matches('\0').to_owned())
}

fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = info.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avxvnni", is_x86_feature_detected!("avxvnni")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
    ]
    .into_iter()
    .filter_map(|(name, present)| present.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    [
        ("asimd", is_aarch64_feature_detected!("asimd")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
        ("fp16", is_aarch64_feature_detected!("fp16")),
        ("i8mm", is_aarch64_feature_detected!("i8mm")),
        ("sve", is_aarch64_feature_detected!("sve")),
    ]
    .into_iter()
    .filter_map(|(name, present)| present.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
