//! Files of every kind, whole, cut and damaged.

use std::io::Cursor;

use super::*;
use crate::audio::SampleFormat;

/// What a source gives up to its end: samples, gaps, and the error if there was one.
fn read_all(source: &mut AudioFile) -> (Vec<f32>, Vec<u64>, Option<Error>) {
    let (mut samples, mut gaps) = (Vec::new(), Vec::new());
    let mut buffer = [0.0; 1_000];
    loop {
        match source.read(&mut buffer) {
            Ok(ReadOutcome::Samples(n)) => samples.extend_from_slice(&buffer[..n]),
            Ok(ReadOutcome::Gap(lost)) => gaps.push(lost),
            Ok(ReadOutcome::End) => return (samples, gaps, None),
            Err(e) => {
                assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::End);
                return (samples, gaps, Some(e));
            }
        }
    }
}

#[test]
fn a_stream_is_distinguished_from_raw_samples_by_its_beginning() {
    let format = RawFormat { sample_rate: 8_000, channels: 1, format: SampleFormat::I16 };
    for name in ["tone.flac", "tone.ogg", "tone.opus"] {
        let expected = read_all(&mut AudioFile::open(shared(name)).unwrap());
        let reader = std::fs::File::open(shared(name)).unwrap();
        let mut stream = AudioFile::from_stream(reader, format).unwrap();
        let found = read_all(&mut stream);
        assert_eq!((found.0, found.1), (expected.0, expected.1), "{name}");
        assert!(found.2.is_none() && expected.2.is_none(), "{name}");
    }
    let wav = Wav::i16(1, &[100; 50]).bytes();
    let mut stream = AudioFile::from_stream(Cursor::new(wav), format).unwrap();
    assert_eq!((stream.sample_rate(), read_all(&mut stream).0.len()), (16_000, 50));
    for (bytes, samples) in [(100, 50), (3, 1)] {
        let mut raw = AudioFile::from_stream(Cursor::new(vec![0; bytes]), format).unwrap();
        assert_eq!((raw.sample_rate(), read_all(&mut raw).0.len()), (8_000, samples));
    }
}

fn shared(name: &str) -> PathBuf {
    // 0.5 s of a 440 Hz sine of amplitude 0.5, written by ffmpeg from
    // `-f lavfi -i sine=frequency=440:sample_rate=44100:duration=0.5 -af volume=4`.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)
}

struct Wav {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    data: Vec<u8>,
}

impl Wav {
    fn i16(channels: u16, samples: &[i16]) -> Self {
        let data = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        Self { tag: 1, channels, rate: 16_000, bits: 16, data }
    }

    fn f32(samples: &[f32]) -> Self {
        let data = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        Self { tag: 3, channels: 1, rate: 16_000, bits: 32, data }
    }

    fn bytes(&self) -> Vec<u8> {
        let block = self.channels * self.bits.div_ceil(8);
        let mut out = b"RIFF".to_vec();
        out.extend((36 + self.data.len() as u32).to_le_bytes());
        out.extend(b"WAVEfmt ");
        out.extend(16u32.to_le_bytes());
        out.extend(self.tag.to_le_bytes());
        out.extend(self.channels.to_le_bytes());
        out.extend(self.rate.to_le_bytes());
        out.extend((self.rate.wrapping_mul(u32::from(block))).to_le_bytes());
        out.extend(block.to_le_bytes());
        out.extend(self.bits.to_le_bytes());
        out.extend(b"data");
        out.extend((self.data.len() as u32).to_le_bytes());
        out.extend(&self.data);
        out
    }

    fn open(&self) -> Result<AudioFile> {
        open_bytes("test.wav", &self.bytes())
    }
}

fn open_bytes(name: &str, bytes: &[u8]) -> Result<AudioFile> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    AudioFile::open(&path)
}

/// The error, checked to be one line that names the file.
fn refused(opened: Result<AudioFile>, file: &str) -> String {
    let text = opened.err().expect("the file was opened").to_string();
    assert!(text.contains(file) && !text.contains('\n'), "{text}");
    text
}

#[test]
fn every_width_of_wav_keeps_its_scale() {
    let half: [(u16, u16, Vec<u8>); 6] = [
        (1, 8, vec![192, 64]),
        (1, 16, vec![0, 0x40, 0, 0xC0]),
        (1, 24, vec![0, 0, 0x40, 0, 0, 0xC0]),
        (1, 32, vec![0, 0, 0, 0x40, 0, 0, 0, 0xC0]),
        (3, 32, [0.5f32, -0.5].iter().flat_map(|s| s.to_le_bytes()).collect()),
        (3, 64, [0.5f64, -0.5].iter().flat_map(|s| s.to_le_bytes()).collect()),
    ];
    for (tag, bits, data) in half {
        let mut file = Wav { tag, channels: 1, rate: 11_025, bits, data }.open().unwrap();
        assert_eq!((file.sample_rate(), file.len_samples()), (11_025, Some(2)), "{bits} bit");
        let (samples, gaps, error) = read_all(&mut file);
        assert_eq!((samples, gaps.len()), (vec![0.5, -0.5], 0), "{bits} bit");
        assert!(error.is_none());
    }
}

#[test]
fn channels_are_averaged() {
    let mut file = Wav::i16(3, &[3_276, 6_552, 0, -9_828, 0, 0]).open().unwrap();
    assert_eq!(file.len_samples(), Some(2));
    let (samples, ..) = read_all(&mut file);
    let wanted = [3_276.0 / 32_768.0, -3_276.0 / 32_768.0];
    assert!(samples.iter().zip(wanted).all(|(s, w)| (s - w).abs() < 1e-7), "{samples:?}");
}

#[test]
fn compressed_formats_give_the_sine_they_were_made_from() {
    // The stereo files were made from mono at equal power, which is 3 dB less in each channel.
    let stereo = 0.5 * std::f32::consts::FRAC_1_SQRT_2;
    for (name, rate, amplitude, exact) in [
        ("tone.flac", 44_100, stereo, true),
        ("tone.ogg", 44_100, stereo, true),
        ("tone.opus", 48_000, 0.5, true),
        ("tone.mp3", 44_100, stereo, false),
        ("tone-alac.m4a", 48_000, 0.5, true),
        ("tone.aiff", 16_000, 0.5, true),
        ("tone.caf", 16_000, 0.5, true),
    ] {
        let mut file = AudioFile::open(shared(name)).unwrap();
        assert_eq!(file.sample_rate(), rate, "{name}");
        let len = file.len_samples();
        let (samples, gaps, error) = read_all(&mut file);
        assert!(error.is_none() && gaps.is_empty(), "{name}: {error:?}");
        let seconds = samples.len() as f64 / f64::from(rate);
        if exact {
            assert_eq!(len, Some(samples.len() as u64), "{name}");
            assert_eq!(seconds, 0.5, "{name}");
        } else {
            assert!((seconds - 0.5).abs() < 0.06, "{name}: {seconds} s");
        }
        // The sine's phase is exact only if the codec's delay was taken off.
        let phase = |i: usize| i as f32 * 440.0 / rate as f32 * std::f32::consts::TAU;
        let middle = samples.len() / 4..samples.len() * 3 / 4;
        let worst = middle.map(|i| (samples[i] - amplitude * phase(i).sin()).abs());
        let worst = worst.fold(0.0, f32::max);
        assert!(worst < 0.1, "{name}: off by {worst}");
    }
}

#[test]
fn formats_whose_delay_is_unknown_give_the_sine_a_little_later() {
    for name in ["tone.m4a", "tone.aac", "tone.webm", "tone.mkv"] {
        let (samples, gaps, error) = read_all(&mut AudioFile::open(shared(name)).unwrap());
        assert!(error.is_none() && gaps.is_empty(), "{name}: {error:?}");
        assert!((23_900..28_000).contains(&samples.len()), "{name}: {}", samples.len());
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let power = middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32;
        assert!(
            (power.sqrt() - 0.5 * std::f32::consts::FRAC_1_SQRT_2).abs() < 0.02,
            "{name}: {power}"
        );
    }
}

#[test]
fn streams_written_one_after_the_other_are_one_file() {
    let once = std::fs::read(shared("tone.opus")).unwrap();
    let mut file = open_bytes("twice.opus", &[once.clone(), once].concat()).unwrap();
    let (samples, gaps, error) = read_all(&mut file);
    assert!(error.is_none() && gaps.is_empty(), "{error:?} {gaps:?}");
    assert_eq!(samples.len(), 48_000);
}

#[test]
fn a_file_cut_short_is_delivered_up_to_the_cut() {
    let bytes = Wav::i16(1, &[8_192; 16_000]).bytes();
    let mut file = open_bytes("cut.wav", &bytes[..44 + 2 * 4_000 + 1]).unwrap();
    let (samples, _, error) = read_all(&mut file);
    assert_eq!(samples, vec![0.25; 4_000]);
    let text = error.unwrap().to_string();
    assert!(text.contains("cut.wav") && text.contains("0.25 of 1.00 s"), "{text}");

    for name in ["tone.mkv", "tone.webm"] {
        let matroska = std::fs::read(shared(name)).unwrap();
        let bytes = &matroska[..matroska.len() - 1];
        let (samples, _, error) = read_all(&mut open_bytes(name, bytes).unwrap());
        assert!(samples.len() > 1_000, "{name}: {}", samples.len());
        assert!(error.unwrap().to_string().contains("cut short"));
    }

    let flac = std::fs::read(shared("tone.flac")).unwrap();
    let mut file = open_bytes("cut.flac", &flac[..flac.len() / 2]).unwrap();
    let (samples, _, error) = read_all(&mut file);
    assert!(samples.len() > 4_000, "{}", samples.len());
    assert!(error.unwrap().to_string().contains("cut short"));
}

#[test]
fn a_length_that_a_pipe_left_open_is_no_cut() {
    for placeholder in [0xFFFF_FFFFu32, 0x7FFF_F000] {
        for wav in [Wav::i16(1, &[8_192; 3_000]), Wav::f32(&[0.25; 3_000])] {
            let mut bytes = wav.bytes();
            bytes[4..8].copy_from_slice(&placeholder.saturating_add(36).to_le_bytes());
            bytes[40..44].copy_from_slice(&placeholder.to_le_bytes());
            let mut file = open_bytes("pipe.wav", &bytes).unwrap();
            assert_eq!(file.len_samples(), Some(3_000));
            let (samples, _, error) = read_all(&mut file);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(samples.len(), 3_000);
        }
    }
}

#[test]
fn a_length_that_was_never_filled_in_is_no_end() {
    let format = RawFormat { sample_rate: 8_000, channels: 1, format: SampleFormat::I16 };
    for riff in [0u32, 36] {
        let mut bytes = Wav::i16(1, &[8_192; 3_000]).bytes();
        bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        bytes[40..44].fill(0);
        let file = open_bytes("crashed.wav", &bytes).unwrap();
        let stream = AudioFile::from_stream(Cursor::new(bytes), format).unwrap();
        for (mut source, len) in [(file, Some(3_000)), (stream, None)] {
            assert_eq!((source.sample_rate(), source.len_samples()), (16_000, len));
            let (samples, gaps, error) = read_all(&mut source);
            assert!(error.is_none() && gaps.is_empty(), "{error:?} {gaps:?}");
            assert_eq!(samples, [0.25; 3_000]);
        }
    }
}

#[test]
fn a_damaged_packet_becomes_a_gap_and_the_time_stays_true() {
    let mut flac = std::fs::read(shared("tone.flac")).unwrap();
    let middle = flac.len() / 2;
    flac[middle..middle + 40].fill(0x55);
    let (samples, gaps, error) = read_all(&mut open_bytes("hurt.flac", &flac).unwrap());
    assert!(error.is_none(), "{error:?}");
    assert!(!gaps.is_empty());
    assert_eq!(samples.len() as u64 + gaps.iter().sum::<u64>(), 22_050);
}

#[test]
fn numbers_that_are_not_finite_stop_the_file_where_they_are() {
    let mut samples = vec![0.5f32; 3_000];
    samples[2_000] = f32::NAN;
    let (read, _, error) = read_all(&mut Wav::f32(&samples).open().unwrap());
    assert_eq!(read, vec![0.5; 2_000]);
    let text = error.unwrap().to_string();
    assert!(text.contains("sample 2000 is NaN"), "{text}");
}

#[test]
fn what_is_no_audio_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let missing = AudioFile::open(folder.path().join("missing.wav"));
    assert!(matches!(missing, Err(Error::Io { .. })));
    refused(missing, "missing.wav");
    let name = folder.path().to_str().unwrap();
    assert!(refused(AudioFile::open(folder.path()), name).contains("folder"));
    assert!(refused(open_bytes("empty.wav", b""), "empty.wav").contains("empty"));
    let text = b"This is a text and no sound at all.\n".repeat(100);
    assert!(refused(open_bytes("text.wav", &text), "text.wav").contains("ffmpeg"));
    assert!(
        refused(AudioFile::from_stream(io::empty(), RawFormat::default()), "-").contains("empty")
    );
    assert!(refused(open_bytes("short.wav", b"RIFF"), "short.wav").contains("ffmpeg"));
}

#[test]
fn a_header_that_cannot_be_is_refused() {
    let mut wav = Wav::i16(1, &[1, 2, 3]);
    wav.rate = 0;
    refused(wav.open(), "test.wav");
    let mut wav = Wav::i16(1, &[1, 2, 3]);
    wav.channels = 0;
    refused(wav.open(), "test.wav");
}

/// Gives its bytes in pieces of three, so that samples are torn apart.
struct Trickle(Cursor<Vec<u8>>);

impl io::Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(3);
        self.0.read(&mut buffer[..n])
    }
}

#[test]
fn raw_samples_of_every_format_are_read_however_the_bytes_come() {
    let cases: [(SampleFormat, Vec<u8>); 5] = [
        (SampleFormat::U8, vec![192, 64]),
        (SampleFormat::I16, vec![0, 0x40, 0, 0xC0]),
        (SampleFormat::I24, vec![0, 0, 0x40, 0, 0, 0xC0]),
        (SampleFormat::I32, vec![0, 0, 0, 0x40, 0, 0, 0, 0xC0]),
        (SampleFormat::F32, [0.5f32, -0.5].iter().flat_map(|s| s.to_le_bytes()).collect()),
    ];
    for (format, two) in cases {
        let mut bytes = two.repeat(3_000);
        bytes.extend_from_slice(&two[..two.len() / 2]); // half a frame is left out
        let raw = RawFormat { sample_rate: 8_000, channels: 2, format };
        let mut source = AudioFile::from_reader(Trickle(Cursor::new(bytes)), raw).unwrap();
        assert_eq!((source.sample_rate(), source.len_samples()), (8_000, None));
        let (samples, _, error) = read_all(&mut source);
        assert!(error.is_none());
        // The mean of the channels would be silence.
        assert_eq!(samples, vec![0.5; 3_000], "{format:?}");
    }
}

#[test]
fn raw_audio_that_cannot_be_is_refused() {
    for (sample_rate, channels) in [(0, 1), (16_000, 0)] {
        let raw = RawFormat { sample_rate, channels, format: SampleFormat::I16 };
        refused(AudioFile::from_reader(io::empty(), raw), "-");
    }
    let raw = RawFormat { sample_rate: 16_000, channels: 1, format: SampleFormat::F32 };
    let bytes = [0.5f32, f32::INFINITY].iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut source = AudioFile::from_reader(Cursor::<Vec<u8>>::new(bytes), raw).unwrap();
    let (samples, _, error) = read_all(&mut source);
    assert_eq!(samples, [0.5]);
    assert!(error.unwrap().to_string().starts_with("-: sample 1 is inf"));
}

#[test]
fn a_read_does_not_wait_for_a_silent_pipe() {
    let (reader, _writer) = io::pipe().unwrap();
    let raw = RawFormat { sample_rate: 16_000, channels: 1, format: SampleFormat::I16 };
    let mut source = AudioFile::from_reader(reader, raw).unwrap();
    let start = std::time::Instant::now();
    assert_eq!(source.read(&mut [0.0; 100]).unwrap(), ReadOutcome::Samples(0));
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}
