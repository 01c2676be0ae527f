//! The resident memory of this process.

use serde::Serialize;

const BYTES_PER_MB: f64 = 1e6;

/// In millions of bytes; `None` where the system does not tell (other systems than Linux).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Now.
    pub resident_mb: Option<f64>,
    /// The part of it that is the process's own; the rest is the program's file, which the system
    /// can drop and read again.
    pub own_mb: Option<f64>,
    /// At most since the process began.
    pub peak_mb: Option<f64>,
}

impl Memory {
    /// Asks the system.
    pub fn of_this_process() -> Self {
        std::fs::read_to_string("/proc/self/status").map_or_else(|_| Self::default(), |s| parse(&s))
    }
}

fn parse(status: &str) -> Memory {
    let megabytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some((kibibytes * 1024.0 / BYTES_PER_MB * 10.0).round() / 10.0)
    };
    let own_mb = megabytes("RssAnon:");
    Memory { resident_mb: megabytes("VmRSS:"), own_mb, peak_mb: megabytes("VmHWM:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_status_is_read() {
        let status =
            "Name:\tmynah\nVmHWM:\t  100000 kB\nVmRSS:\t   50000 kB\nRssAnon:\t   20000 kB\n";
        let expected = Memory { resident_mb: Some(51.2), own_mb: Some(20.5), peak_mb: Some(102.4) };
        assert_eq!(parse(status), expected);
        assert_eq!(parse("Name:\tmynah\n"), Memory::default());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        let Memory { resident_mb, peak_mb, .. } = Memory::of_this_process();
        assert!(resident_mb.unwrap() > 1.0 && peak_mb >= resident_mb);
    }
}
