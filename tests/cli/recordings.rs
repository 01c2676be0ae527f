//! Recordings of any kind, and those that are damaged or empty.

use std::{fs, path::Path};

use hound::{SampleFormat, WavSpec, WavWriter};
use insta::assert_snapshot;

use crate::support::{Folder, TRAINED, as_i16, bursts, fail, mynah, run, succeed, transcribe};

#[test]
fn any_rate_and_channels_are_taken() {
    let folder = Folder::new();
    for (rate, channels) in [(8_000, 1), (44_100, 2), (48_000, 6), (96_000, 1)] {
        let file = folder.wav_as("a.wav", &bursts(3.0, rate), rate, channels);
        let transcript = succeed(transcribe(&[&file], &[]));
        assert!(!transcript.trim().is_empty(), "{rate} Hz, {channels} channels");
    }
}

#[test]
fn standard_input_is_raw_samples_or_a_wav_file() {
    let folder = Folder::new();
    let samples: Vec<_> = bursts(3.0, 16_000).into_iter().map(as_i16).collect();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    let expected = succeed(transcribe(&[&file], &[]));
    let stdin = |bytes: Vec<u8>, options: &[&str]| {
        let mut command = transcribe(&[Path::new("-")], options);
        command.write_stdin(bytes);
        succeed(command)
    };
    let s16le: Vec<_> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let stereo_f32le: Vec<_> = samples
        .iter()
        .flat_map(|&sample| [f32::from(sample) / 32768.0; 2])
        .flat_map(f32::to_le_bytes)
        .collect();
    assert_eq!(stdin(s16le, &[]), expected);
    assert_eq!(stdin(stereo_f32le, &["--raw-format", "f32le", "--raw-channels", "2"]), expected);
    assert_eq!(stdin(fs::read(&file).unwrap(), &[]), expected);
}

#[test]
fn no_samples_give_an_empty_transcript() {
    let folder = Folder::new();
    let none = folder.wav("none.wav", &[]);
    assert_eq!(succeed(transcribe(&[&none], &[])), "");
    assert_eq!(succeed(transcribe(&[&none], &["--format", "jsonl"])), "");
}

#[test]
fn a_recorder_that_was_switched_off_leaves_a_transcript() {
    let folder = Folder::new();
    let whole = folder.wav("whole.wav", &bursts(3.0, 16_000));
    let expected = succeed(transcribe(&[&whole], &[]));
    let mut bytes = fs::read(&whole).unwrap();
    bytes[4..8].fill(0);
    bytes[40..44].fill(0);
    let switched_off = folder.write("switched-off.wav", &bytes);
    let (stdout, stderr, code) = run(transcribe(&[&switched_off], &[]));
    assert_eq!((stdout, code), (expected.clone(), 0));
    assert_snapshot!(folder.without_path(&stderr), @"warning: switched-off.wav: its header is wrong and was mended: it gives 0 bytes of samples; read to the end");
    let mut stdin = transcribe(&[Path::new("-")], &[]);
    stdin.write_stdin(bytes);
    assert_eq!(run(stdin).0, expected);
}

#[test]
fn silence_gives_an_empty_transcript() {
    let folder = Folder::new();
    let silence = folder.wav("silence.wav", &[0.0; 160_000]);
    let mut command = mynah(&["transcribe", "--model", TRAINED]);
    command.arg(&silence);
    assert_eq!(succeed(command), "");
}

#[test]
fn a_file_that_holds_no_audio_is_named_with_the_reason() {
    let folder = Folder::new();
    let error = |name: &str, bytes: &[u8]| {
        let file = folder.write(name, bytes);
        folder.without_path(&fail(transcribe(&[&file], &[])))
    };
    assert_snapshot!(error("empty.wav", b""), @"error: empty.wav: is empty; record it again");
    assert_snapshot!(error("text.wav", b"Dear diary, today I recorded nothing.\n"), @"error: text.wav: is text; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    let wav = fs::read(folder.wav("whole.wav", &bursts(1.0, 16_000))).unwrap();
    assert_snapshot!(error("header.wav", &wav[..20]), @"error: header.wav: its format chunk is too short; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    let mut no_channels = wav.clone();
    no_channels[22..24].copy_from_slice(&[0, 0]);
    assert_snapshot!(error("no-channels.wav", &no_channels), @"error: no-channels.wav: its header gives 16000 Hz and 0 channels; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    assert_snapshot!(folder.without_path(&fail(transcribe(&[&folder.path("missing.wav")], &[]))), @"error: missing.wav: No such file or directory (os error 2)");
    assert_snapshot!(folder.without_path(&fail(transcribe(&[&folder.subfolder("takes")], &[]))), @"error: takes: is a folder; name a file in it");
}

#[test]
fn a_truncated_file_is_transcribed_up_to_its_end() {
    let folder = Folder::new();
    let wav = fs::read(folder.wav("whole.wav", &bursts(4.0, 16_000))).unwrap();
    let half = folder.write("half.wav", &wav[..44 + 64_000]);
    let same = folder.wav("same.wav", &bursts(4.0, 16_000)[..32_000]);
    let (stdout, stderr, code) = run(transcribe(&[&half], &[]));
    assert_eq!((stdout, code), (succeed(transcribe(&[&same], &[])), 1));
    assert_snapshot!(folder.without_path(&stderr), @"error: half.wav: the file is cut short: 2.00 of 4.00 s are there");
}

#[test]
fn samples_that_are_not_numbers_are_refused_after_what_came_before() {
    let folder = Folder::new();
    let path = folder.path("nan.wav");
    let sample_format = SampleFormat::Float;
    let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 32, sample_format };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    let good = bursts(3.0, 16_000);
    good.iter().chain([&f32::NAN]).for_each(|&s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
    let (stdout, stderr, code) = run(transcribe(&[&path], &[]));
    assert!(!stdout.trim().is_empty());
    assert_eq!(code, 1);
    assert_snapshot!(folder.without_path(&stderr), @"error: nan.wav: sample 48000 is NaN, which is no sound; export the file again");
}
