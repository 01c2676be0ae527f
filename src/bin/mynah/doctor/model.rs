//! The model: whether its files are intact, what it runs in, and how much faster than speech.

use std::{fs, io, path::Path, time::Instant};

use anyhow::{Context, Result};
use mynah::{Chunk, Finals, GateConfig, Model, Recognizer, RecognizerConfig, audio::AudioFile};

use super::{finding::Finding, sha256::Sha256};
use crate::{
    failure::one_line,
    measure::bench::{EXAMPLE, NOT_RAW, speech::Speech},
    recognizer_args::{ModelArgs, precision_name},
};

/// The list of checksums in a model's folder, as `sha256sum` writes it.
const LIST: &str = "SHA256SUMS";
/// Measured recordings of the example, after one that fills caches.
const RECORDINGS: usize = 2;
/// A real-time factor that leaves room for all else that a machine does.
const ROOMY: f64 = 0.5;

/// The checksums, the precision and the headroom.
pub fn check(args: &ModelArgs) -> Vec<Finding> {
    let integrity = match &args.model {
        Some(folder) => listed(folder),
        None => builtin(),
    };
    let began = Instant::now();
    let model = match args.load(Chunk::Streaming, Finals::SecondPass) {
        Ok(model) => model,
        Err(error) => {
            let advice = "give another folder with `--model`, or leave it out for the model inside this program";
            return vec![integrity, Finding::problem("model", one_line(&error)).advice(advice)];
        }
    };
    let loaded = began.elapsed().as_millis();
    let kernels: Vec<_> = model.encoder().matrix_kernels().into_keys().collect();
    let detail = format!(
        "{}, {} in {}, loaded in {loaded} ms",
        model.config().name,
        precision_name(&model),
        kernels.join(" and ")
    );
    vec![integrity, Finding::ok("model", detail), measured(model)]
}

#[cfg(feature = "builtin-model")]
fn builtin() -> Finding {
    match Model::verify_builtin() {
        Ok(()) => Finding::ok("checksums", "the model inside this program is as it was built"),
        Err(error) => Finding::problem("checksums", error).advice("install the program anew"),
    }
}

#[cfg(not(feature = "builtin-model"))]
fn builtin() -> Finding {
    Finding::problem("checksums", "no model is built into this program")
        .advice("give one with `--model DIR`")
}

/// Compares the files of a folder with its list.
fn listed(folder: &Path) -> Finding {
    const CHECK: &str = "checksums";
    let list = match fs::read_to_string(folder.join(LIST)) {
        Ok(list) => list,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Finding::ok(
                CHECK,
                format!("{} has no {LIST} to compare with", folder.display()),
            );
        }
        Err(e) => return Finding::problem(CHECK, format!("{}: {e}", folder.join(LIST).display())),
    };
    match differing(folder, &list) {
        Ok((count, differing)) if differing.is_empty() => {
            Finding::ok(CHECK, format!("{count} files of {} are as listed", folder.display()))
        }
        Ok((_, differing)) => {
            Finding::problem(CHECK, format!("not as listed: {}", differing.join(", ")))
                .advice("copy the model's folder anew")
        }
        Err(error) => {
            Finding::problem(CHECK, one_line(&error)).advice("copy the model's folder anew")
        }
    }
}

/// The number of files in the list, and those that differ or are missing.
fn differing(folder: &Path, list: &str) -> Result<(usize, Vec<String>)> {
    let (mut count, mut differing) = (0, Vec::new());
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (expected, name) = line
            .split_once("  ")
            .or(line.split_once(" *"))
            .with_context(|| format!("{LIST}: not a checksum: {line:?}"))?;
        let is_as_listed = fs::read(folder.join(name))
            .is_ok_and(|bytes| Sha256::of(&bytes).to_string() == expected);
        count += 1;
        if !is_as_listed {
            differing.push(name.to_owned());
        }
    }
    Ok((count, differing))
}

fn measured(model: Model) -> Finding {
    match real_time_factor(model) {
        Ok(factor) => headroom(factor),
        Err(error) => Finding::problem("headroom", one_line(&error)),
    }
}

/// The time that recognition takes over the length of the audio, on one core.
fn real_time_factor(model: Model) -> Result<f64> {
    model.finish_loading()?;
    let decoding = Some(model.default_decoding().clone());
    let gate = Some(GateConfig::default());
    let config = RecognizerConfig { decoding, gate, ..RecognizerConfig::default() };
    let recognizer = Recognizer::with_config(model, config)?;
    let mut speech = Speech::default();
    for recording in 0..=RECORDINGS {
        speech.add(&recognizer, AudioFile::from_stream(EXAMPLE, NOT_RAW)?, "example")?;
        if recording == 0 {
            speech = Speech::default();
        }
    }
    Ok(speech.compute.as_secs_f64() / speech.audio.as_secs_f64())
}

/// What a real-time factor means.
fn headroom(factor: f64) -> Finding {
    const CHECK: &str = "headroom";
    let times = 1.0 / factor.max(f64::MIN_POSITIVE);
    let detail = format!(
        "real-time factor {factor:.2}: recognition takes {:.0} % of a core while somebody speaks, {times:.1} times as fast as speech",
        100.0 * factor
    );
    let advice = "end other programs, or use `--single-pass` and a smaller `--beam`";
    if factor >= 1.0 {
        Finding::problem(CHECK, format!("{detail}; captions fall behind and audio is lost"))
            .advice(advice)
    } else if factor > ROOMY {
        Finding::warning(CHECK, format!("{detail}; captions fall behind when the machine is busy"))
            .advice(advice)
    } else {
        Finding::ok(CHECK, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Status, *};

    #[test]
    fn a_folder_is_compared_with_its_list() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(listed(folder.path()).status, Status::Ok);
        fs::write(folder.path().join("a"), "abc").unwrap();
        let list = |sum: &str, name: &str| {
            fs::write(folder.path().join(LIST), format!("{sum}  {name}\n")).unwrap();
            listed(folder.path())
        };
        let sum = Sha256::of(b"abc").to_string();
        assert_eq!(list(&sum, "a").status, Status::Ok);
        for damaged in [list(&sum.replace('b', "c"), "a"), list(&sum, "b"), list("", "")] {
            assert_eq!(damaged.status, Status::Problem, "{damaged:?}");
        }
    }

    #[test]
    fn the_real_time_factor_must_be_well_below_1() {
        for (factor, expected) in
            [(0.05, Status::Ok), (0.7, Status::Warning), (1.0, Status::Problem)]
        {
            assert_eq!(headroom(factor).status, expected);
        }
        assert!(
            headroom(0.05).detail.contains("5 % of a core")
                && headroom(0.05).detail.contains("20.0 times")
        );
    }
}
