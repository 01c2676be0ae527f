//! Recordings and lists as people have them: what is said in them must come out, and nothing may be
//! lost without a word. The recordings are `examples/speech.flac` in other forms.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use mynah::audio::{AudioFile, ReadOutcome, Source};

use crate::support::{self, Folder, SPEECH};

const TEXT: &str =
    "There is nothing in the world that I should like better than to see you happy.\n";

/// The speech as 16-bit samples.
fn speech() -> Vec<u8> {
    let samples = support::speech().into_iter().map(|sample| (sample * 32_768.0) as i16);
    samples.flat_map(i16::to_le_bytes).collect()
}

/// A WAV file of 16 kHz whose lengths are as stated.
fn wav(samples: &[u8], channels: u16, riff: u32, chunks: &[u8], data: u32) -> Vec<u8> {
    let block = channels * 2;
    [
        &b"RIFF"[..],
        &riff.to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x01\0",
        &channels.to_le_bytes(),
        &16_000u32.to_le_bytes(),
        &(16_000 * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &16u16.to_le_bytes(),
        chunks,
        b"data",
        &data.to_le_bytes(),
        samples,
    ]
    .concat()
}

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)
}

fn id3v2(body: usize) -> Vec<u8> {
    let size = [body >> 21, body >> 14, body >> 7, body].map(|part| (part & 127) as u8);
    [b"ID3\x03\0\0", &size[..], &vec![0; body]].concat()
}

fn mynah(arguments: &[&str], stdin: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.args(arguments).env("RUST_LOG", "warn").stdin(stdin).output().unwrap()
}

fn transcribe(path: &Path, options: &[&str]) -> (String, String, i32) {
    let arguments = [&["transcribe", path.to_str().unwrap()], options].concat();
    results(mynah(&arguments, Stdio::null()))
}

fn results(output: Output) -> (String, String, i32) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// The transcript of bytes that come through a pipe.
fn piped(bytes: Vec<u8>, options: &[&str]) -> (String, String, i32) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    // The program may end before it has read everything.
    let feeder = std::thread::spawn(move || {
        let _ = std::io::Write::write_all(&mut writer, &bytes);
    });
    let arguments = [&["transcribe", "-"], options].concat();
    let results = results(mynah(&arguments, reader.into()));
    feeder.join().unwrap();
    results
}

#[test]
fn headers_with_wrong_lengths_are_mended_with_a_warning() {
    let (folder, speech) = (Folder::new(), speech());
    let n = speech.len() as u32;
    let odd = b"LIST\x0D\0\0\0INFOICMT\x01\0\0\0x";
    for (name, bytes) in [
        ("lengths.wav", wav(&speech, 1, 0x7FFF_FFFF, b"", 0x7FFF_FFFF)),
        ("riff_short.wav", wav(&speech, 1, n + 28, b"", n)),
        ("data_0.wav", wav(&speech, 1, n + 36, b"", 0)),
        ("list_odd.wav", wav(&speech, 1, n + 57, odd, n)),
    ] {
        let (stdout, stderr, code) = transcribe(&folder.write(name, bytes), &[]);
        assert_eq!((stdout.as_str(), code), (TEXT, 0), "{name}: {stderr}");
        assert!(stderr.contains(name) && stderr.contains("mended"), "{name}: {stderr}");
    }
}

#[test]
fn channels_that_cancel_are_noticed_and_can_be_chosen() {
    let (folder, speech) = (Folder::new(), speech());
    let sample = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]);
    let both = |pair: &[u8]| [sample(pair), sample(pair).saturating_neg()];
    let stereo: Vec<u8> =
        speech.chunks_exact(2).flat_map(both).flat_map(i16::to_le_bytes).collect();
    let n = stereo.len() as u32;
    let path = folder.write("opposite.wav", wav(&stereo, 2, n + 36, b"", n));
    let (stdout, stderr, code) = transcribe(&path, &[]);
    assert_eq!((stdout.as_str(), code), (TEXT, 0), "{stderr}");
    assert!(stderr.contains("cancel"), "{stderr}");
    assert_eq!(transcribe(&path, &["--channel", "2"]), (TEXT.to_owned(), String::new(), 0));
    assert_eq!(transcribe(&path, &["--channel", "mix"]).0, "");
    let (stdout, stderr, code) = transcribe(&path, &["--channel", "3"]);
    assert_eq!((stdout.as_str(), code), ("", 1));
    assert!(stderr.contains("no channel 3"), "{stderr}");
}

#[test]
fn compressed_recordings_are_found_by_their_content_in_files_and_pipes() {
    let folder = Folder::new();
    for name in ["speech.m4a", "speech.webm", "speech.mp3"] {
        let bytes = fs::read(committed(name)).unwrap();
        // The name says nothing.
        let (stdout, stderr, code) = transcribe(&folder.write("voice.dat", &bytes), &[]);
        assert_eq!((stdout.as_str(), code), (TEXT, 0), "{name}: {stderr}");
        let (stdout, stderr, code) = piped(bytes, &[]);
        assert_eq!((stdout.as_str(), code), (TEXT, 0), "{name} piped: {stderr}");
    }
}

#[test]
fn tags_of_any_size_are_passed_over() {
    let folder = Folder::new();
    let mp3 = fs::read(committed("speech.mp3")).unwrap();
    let tagged = folder.write("cover.mp3", [id3v2(1_300_000), mp3].concat());
    assert_eq!(transcribe(&tagged, &[]).0, TEXT);
    let id3v1 = [&b"TAG"[..], &[0; 125]].concat();
    let flac = [fs::read(SPEECH).unwrap(), id3v1].concat();
    let behind = folder.write("behind.flac", &flac);
    assert_eq!(transcribe(&behind, &[]), (TEXT.to_owned(), String::new(), 0));
    assert_eq!(piped(flac, &[]), (TEXT.to_owned(), String::new(), 0));
}

#[test]
fn a_change_of_channels_within_a_stream_loses_nothing() {
    let folder = Folder::new();
    let [mono, stereo] =
        ["tone-mono.mp3", "tone-stereo.mp3"].map(|name| fs::read(committed(name)).unwrap());
    let seconds = |bytes: &[u8]| {
        let mut file = AudioFile::open(folder.write("tone.mp3", bytes)).unwrap();
        let (mut samples, mut buffer) = (0, [0.0; 1_000]);
        loop {
            match file.read(&mut buffer).unwrap() {
                ReadOutcome::Samples(count) => samples += count,
                ReadOutcome::Gap(lost) => panic!("{lost} samples are lost"),
                ReadOutcome::End => return samples as f64 / f64::from(file.sample_rate()),
            }
        }
    };
    let both = seconds(&[mono.clone(), stereo.clone()].concat());
    let apart = seconds(&mono) + seconds(&stereo);
    assert!((both - apart).abs() < 0.1, "{both} {apart}");
}

#[test]
fn what_is_no_sound_is_an_error_from_a_pipe_too() {
    let noise: Vec<u8> =
        (0u32..40_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (bytes, what) in [
        (b"Dear diary, today I recorded nothing.\n".repeat(300), "text"),
        (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".repeat(100), "picture"),
        (noise, "known kind"),
        (Vec::new(), "empty"),
    ] {
        let (stdout, stderr, code) = piped(bytes, &[]);
        assert_eq!((stdout.as_str(), code), ("", 1), "{what}");
        assert!(stderr.contains(what), "{what}: {stderr}");
    }
    // Samples without a header, as `arecord -t raw` writes them.
    assert_eq!(piped(speech(), &[]), (TEXT.to_owned(), String::new(), 0));
}

#[test]
fn an_output_is_untouched_until_it_is_complete() {
    let folder = Folder::new();
    let old = folder.write("old.srt", "old");
    let output = ["-f", "srt", "-o", old.to_str().unwrap()];
    assert_eq!(transcribe(&folder.path("missing.mp3"), &output).2, 1);
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    assert_eq!(transcribe(Path::new(SPEECH), &output).2, 0);
    let written = fs::read_to_string(&old).unwrap();
    assert!(written.starts_with("1\n00:00:00,") && written.contains("happy."), "{written}");
    assert!(!folder.path("old.srt.part").exists());
}

#[cfg(unix)]
#[test]
fn an_output_that_is_read_is_refused_under_every_name() {
    let folder = Folder::new();
    let list = folder.write("list.txt", "happy\n");
    let speech = folder.write("speech.flac", fs::read(SPEECH).unwrap());
    let [hard, soft] = ["hard.txt", "soft.txt"].map(|name| folder.path(name));
    fs::hard_link(&speech, &hard).unwrap();
    std::os::unix::fs::symlink(&list, &soft).unwrap();
    for output in [&hard, &soft] {
        let options = ["--hotwords", list.to_str().unwrap(), "-o", output.to_str().unwrap()];
        let (stdout, stderr, code) = transcribe(&speech, &options);
        assert_eq!((stdout.as_str(), code), ("", 1));
        assert!(stderr.contains("is also read"), "{stderr}");
    }
    assert_eq!(fs::read(&speech).unwrap(), fs::read(SPEECH).unwrap());
    assert_eq!(fs::read_to_string(&list).unwrap(), "happy\n");
}

#[test]
fn subtitles_of_several_files_stand_beside_them() {
    let folder = Folder::new();
    let speech = fs::read(committed("speech.webm")).unwrap();
    let files = ["a.webm", "b.webm"].map(|name| folder.write(name, &speech));
    let files = files.each_ref().map(|path| path.to_str().unwrap());
    let output = mynah(&["transcribe", "-f", "vtt", files[0], files[1]], Stdio::null());
    assert_eq!(results(output), (String::new(), String::new(), 0));
    for name in ["a.vtt", "b.vtt"] {
        let written = fs::read_to_string(folder.path(name)).unwrap();
        assert!(written.starts_with("WEBVTT\n") && written.contains("happy."), "{written}");
    }
}

#[test]
fn a_long_recording_is_cut_at_pauses_into_the_same_text_on_any_number_of_cores() {
    const SENTENCES: usize = 15;
    let folder = Folder::new();
    let sentence = [speech(), vec![0; 4 * 32_000]].concat();
    let period = sentence.len() as f64 / 32_000.0;
    let samples = sentence.repeat(SENTENCES);
    let length = samples.len() as u32;
    let path = folder.write("long.wav", wav(&samples, 1, length + 36, &[], length));
    let (one, _, _) = transcribe(&path, &["--format", "json", "--jobs", "1"]);
    let (three, _, code) = transcribe(&path, &["--format", "json", "--jobs", "3"]);
    assert_eq!((&one, code), (&three, 0));
    let json: serde_json::Value = serde_json::from_str(&one).unwrap();
    let utterances = json["files"][0]["utterances"].as_array().unwrap();
    assert_eq!(utterances.len(), SENTENCES);
    for (index, utterance) in utterances.iter().enumerate() {
        assert_eq!(utterance["formatted"], TEXT.trim_end());
        let start = utterance["start"].as_f64().unwrap() - index as f64 * period;
        assert!((0.0..1.0).contains(&start), "{utterance}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_the_old_file_and_what_it_recognized() {
    let folder = Folder::new();
    let output = folder.write("out.json", "old");
    let (reader, mut writer) = std::io::pipe().unwrap();
    let samples = [speech(), vec![0; 60_000]].concat();
    // The pipe stays open behind what the header promises more of.
    let feeder = std::thread::spawn(move || {
        std::io::Write::write_all(&mut writer, &wav(&samples, 1, 1 << 30, b"", 1 << 30)).unwrap();
        writer
    });
    let child = Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["transcribe", "-", "-f", "json", "-o", output.to_str().unwrap()])
        .stdin(reader)
        .spawn()
        .unwrap();
    let part = folder.path("out.json.part");
    while !part.exists() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let writer = feeder.join().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ended = child.wait_with_output().unwrap();
    drop(writer);
    assert_eq!(ended.status.code(), Some(130));
    assert_eq!(fs::read_to_string(&output).unwrap(), "old");
    let written = fs::read_to_string(&part).unwrap();
    assert!(written.contains("interrupted") && written.contains("THERE IS NOTHING"), "{written}");
}

#[test]
fn hotwords_are_written_as_people_write_them() {
    let folder = Folder::new();
    let list = "José\ne-mail\nAT&T\niPhone 15\nMr. Smith\nhappy\n";
    let good = folder.write("good.txt", list);
    let (stdout, stderr, code) =
        transcribe(Path::new(SPEECH), &["--hotwords", good.to_str().unwrap()]);
    assert_eq!((stdout.as_str(), code), (TEXT, 0), "{stderr}");
    let bad = folder.write("bad.txt", "北京\nhappy\n???\n");
    let (_, stderr, code) = transcribe(Path::new(SPEECH), &["--hotwords", bad.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains("line 1:") && stderr.contains("line 3:"), "{stderr}");
}

#[test]
fn an_evaluation_goes_on_without_a_missing_recording() {
    let folder = Folder::new();
    fs::copy(SPEECH, folder.path("speech.flac")).unwrap();
    let line = |audio: &str| format!("{{\"audio\": \"{audio}\", \"text\": \"{}\"}}\n", TEXT.trim());
    let manifest = folder
        .write("list.jsonl", line("speech.flac") + &line("missing.flac") + &line("speech.flac"));
    let arguments = ["eval", "--json", manifest.to_str().unwrap()];
    let (stdout, stderr, code) = results(mynah(&arguments, Stdio::null()));
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stdout.contains("\"recordings\":2") || stdout.contains("\"recordings\": 2"),
        "{stdout}"
    );
    assert!(stderr.contains("missing.flac") && stderr.contains("list.jsonl:2"), "{stderr}");
}

#[test]
fn standard_input_may_be_a_file() {
    let m4a = File::open(committed("speech.m4a")).unwrap();
    assert_eq!(
        results(mynah(&["transcribe", "-"], m4a.into())),
        (TEXT.to_owned(), String::new(), 0)
    );
}
