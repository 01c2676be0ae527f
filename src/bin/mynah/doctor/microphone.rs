//! Devices, permissions, and what two seconds of the microphone are like.

use super::finding::Finding;

#[cfg(not(feature = "mic"))]
pub fn check(_: Option<&str>) -> Vec<Finding> {
    let finding = Finding::warning("microphone", "this mynah was built without it");
    vec![
        finding
            .advice("build it with `--features mic`, or pipe audio into `mynah listen --file -`"),
    ]
}

#[cfg(feature = "mic")]
pub use recording::check;

#[cfg(feature = "mic")]
mod recording {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use mynah::audio::{self, DeviceInfo, Microphone, ReadOutcome, Source};

    use super::{super::level::Level, Finding};
    use crate::quiet::quietly;

    const RECORDED: Duration = Duration::from_secs(2);
    /// How long a device may take to begin.
    const PATIENCE: Duration = Duration::from_secs(8);
    const POLL: Duration = Duration::from_millis(10);

    /// The devices, their permissions and a recording of one of them.
    pub fn check(device: Option<&str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        #[cfg(target_os = "linux")]
        findings.push(super::permissions("/dev/snd".as_ref()));
        let devices = match quietly(audio::list_devices) {
            Ok(devices) => devices,
            Err(error) => {
                findings.push(Finding::problem("devices", error).advice(PLUG_IN));
                return findings;
            }
        };
        findings.push(listed(&devices));
        if !devices.is_empty() || device.is_some() {
            findings.extend(recording(device, &devices));
        }
        findings
    }

    const PLUG_IN: &str = "connect a microphone; beside PulseAudio or PipeWire install `libasound2-plugins` or \
        `pipewire-alsa`; without one use `--no-microphone`";

    fn listed(devices: &[DeviceInfo]) -> Finding {
        let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
        match names.as_slice() {
            [] => Finding::problem("devices", "no device that can record").advice(PLUG_IN),
            names => Finding::ok("devices", format!("{}: {}", names.len(), names.join(", "))),
        }
    }

    /// Records a device, and says what it is and what came.
    fn recording(device: Option<&str>, devices: &[DeviceInfo]) -> Vec<Finding> {
        let mut microphone = match quietly(|| Microphone::open(device)) {
            Ok(microphone) => microphone,
            Err(error) => {
                let advice = "close the program that records from it, or choose another `--device`";
                return vec![Finding::problem("microphone", error).advice(advice)];
            }
        };
        let chosen = devices.iter().find(|info| match device {
            Some(name) => info.id == name || info.name.eq_ignore_ascii_case(name),
            None => info.is_default,
        });
        let name = device.or(chosen.map(|info| info.name.as_str())).unwrap_or("the default device");
        let rate = microphone.sample_rate();
        let form = chosen.map_or_else(String::new, |info| {
            format!(", {} channels, {}", info.channels, info.format)
        });
        let opened = if rate < 16_000 {
            let detail = format!("{name}: {rate} Hz{form}: less than speech needs");
            Finding::warning("microphone", detail).advice("choose a device or profile with 16000 Hz or more; a headset's call profile has less")
        } else {
            Finding::ok("microphone", format!("{name}: {rate} Hz{form}"))
        };
        let (level, lost) = match record(&mut microphone) {
            Ok(recorded) => recorded,
            Err(error) => {
                let advice = "it was unplugged, or its sound server ended; connect it again";
                return vec![opened, Finding::problem("level", error).advice(advice)];
            }
        };
        vec![opened, level.finding(), overruns(microphone.overruns(), lost)]
    }

    /// Reads for two seconds from the first samples on; also the samples lost in between.
    fn record(microphone: &mut Microphone) -> mynah::Result<(Level, u64)> {
        let (mut level, mut lost) = (Level::default(), 0);
        let mut left = u64::from(microphone.sample_rate()) * RECORDED.as_secs();
        let mut buffer = vec![0.0; 4_096];
        let deadline = Instant::now() + PATIENCE;
        while left > 0 && Instant::now() < deadline {
            match microphone.read(&mut buffer)? {
                ReadOutcome::Samples(0) => thread::sleep(POLL),
                ReadOutcome::Samples(count) => {
                    level.add(&buffer[..count]);
                    left = left.saturating_sub(count as u64);
                }
                ReadOutcome::Gap(samples) => lost += samples,
                ReadOutcome::End => break,
            }
        }
        Ok((level, lost))
    }

    fn overruns(overruns: u32, lost: u64) -> Finding {
        if overruns == 0 && lost == 0 {
            return Finding::ok("overruns", "none");
        }
        Finding::warning("overruns", format!("{overruns} in the check, {lost} samples lost"))
            .advice("the machine is too busy to fetch sound in time: end other programs")
    }

    #[cfg(test)]
    mod tests {
        use super::{super::super::finding::Status, *};

        #[test]
        fn lost_samples_and_missing_devices_are_found() {
            assert_eq!(overruns(0, 0).status, Status::Ok);
            assert_eq!(overruns(1, 0).status, Status::Warning);
            assert_eq!(overruns(0, 10).status, Status::Warning);
            assert_eq!(listed(&[]).status, Status::Problem);
        }
    }
}

/// Whether the sound devices of Linux may be opened.
#[cfg(all(feature = "mic", target_os = "linux"))]
fn permissions(folder: &std::path::Path) -> Finding {
    use std::{io, path::Path};

    use rustix::fs::{Mode, OFlags, open};

    const CHECK: &str = "permissions";
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_capture = |name: &str| name.starts_with("pcm") && name.ends_with('c');
    let devices: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| is_capture(&name.to_string_lossy())))
        .collect();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let is_denied = |path: &Path| {
        open(path, flags, Mode::empty())
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    let denied: Vec<_> = devices
        .iter()
        .filter(|path| is_denied(path))
        .map(|path| path.display().to_string())
        .collect();
    match (devices.len(), denied.as_slice()) {
        (0, _) => Finding::ok(
            CHECK,
            format!("no sound card in {}; a sound server may have one", folder.display()),
        ),
        (count, []) => Finding::ok(
            CHECK,
            format!("{count} capture devices in {} may be opened", folder.display()),
        ),
        _ => Finding::problem(CHECK, format!("not allowed to open {}", denied.join(", ")))
            .advice("sudo usermod -aG audio $USER, then log in again"),
    }
}
