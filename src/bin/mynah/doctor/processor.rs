//! What the processor has for matrix products.

use super::finding::Finding;
use crate::measure::bench::machine::Machine;

/// The processor and its extensions.
pub fn features() -> Finding {
    let Machine { cpu, cores, architecture, features, .. } = Machine::this();
    let cpu = cpu.unwrap_or_else(|| "unknown processor".to_owned());
    let cores = cores.map_or_else(String::new, |cores| format!(", {cores} cores"));
    let detail = format!("{cpu} ({architecture}{cores}): {}", features.join(" "));
    match is_slow(architecture, &features) {
        true => Finding::warning("processor", detail).advice(
            "no instructions for products of small integers: see the headroom below, and use `--single-pass` if it is short",
        ),
        false => Finding::ok("processor", detail),
    }
}

/// Whether the processor lacks what sums products of integers in few steps.
fn is_slow(architecture: &str, features: &[&str]) -> bool {
    match architecture {
        "x86_64" => !features.contains(&"avx2"),
        "aarch64" => !features.contains(&"dotprod"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_slow_without_products_of_integers() {
        assert!(is_slow("aarch64", &["asimd"]) && !is_slow("aarch64", &["asimd", "dotprod"]));
        assert!(is_slow("x86_64", &[]) && !is_slow("x86_64", &["avx2", "fma"]));
    }
}
