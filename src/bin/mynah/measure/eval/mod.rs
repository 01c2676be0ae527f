//! `mynah eval`: error rates, real-time factor and latencies on a manifest of recordings.

pub mod error_rate;
pub mod grammar;
pub mod latency;
pub mod manifest;
pub mod normalize;
pub mod percentile;
pub mod report;
mod stability;

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use mynah::{
    Event, Grammar, Recognizer, Session, Step,
    audio::AudioFile,
    decode::{Decoding, Hotword},
};
use rayon::{ThreadPoolBuilder, prelude::*};
use serde::Serialize;

use self::{
    error_rate::Edits,
    grammar::GrammarTally,
    latency::{ClosedBy, Latencies, LatencyMeter},
    manifest::{Entry, Selection},
    normalize::normalize,
    report::{ErrorRate, RareWords, Report},
    stability::{Stability, StabilityMeter},
};
use crate::{
    audio_input, decoding_args, failure,
    format::write_line,
    measure::args::EvalArgs,
    output::Output,
    progress::Progress,
    recognizer_args::{Defaults, precision_name},
    utterance::{Utterance, seconds},
};

/// What came of one recording; serialized, a line of the hypotheses' file.
#[derive(Serialize)]
struct RecordingOutcome<'a> {
    /// Of the manifest.
    line: usize,
    audio: &'a Path,
    reference: String,
    hypothesis: String,
    words: ErrorRate,
    #[serde(flatten)]
    rare: Option<RareWords>,
    characters: ErrorRate,
    #[serde(serialize_with = "seconds")]
    audio_seconds: Duration,
    #[serde(serialize_with = "seconds")]
    compute_seconds: Duration,
    /// From the recording's beginning to the first event with a word, as latency is simulated.
    first_words_seconds: Option<f64>,
    /// From the recording's end to its last event, as latency is simulated.
    #[serde(serialize_with = "seconds")]
    end_latency_seconds: Duration,
    #[serde(skip)]
    latencies: Latencies,
    #[serde(skip)]
    stability: Stability,
    #[serde(skip)]
    grammar: Option<GrammarTally>,
}

/// Evaluates and prints the report.
///
/// # Errors
///
/// The manifest or the model can't be read, or the report can't be written. A recording that can't be read is
/// reported on standard error and in the exit code.
pub fn run(args: &EvalArgs) -> Result<ExitCode> {
    let selection = Selection { every: args.recordings.every, limit: args.recordings.limit };
    let entries = manifest::read(&args.recordings.manifest, selection)?;
    let (model, config) = args.recognizer.load(Defaults::default())?;
    let decoding = config.decoding.as_ref().unwrap_or(model.default_decoding());
    let (description, grammar) = (decoding_args::describe(decoding), grammar(decoding).cloned());
    let recognizer = Recognizer::with_config(model, config)?;
    let read = entries.iter().map(|entry| entry.path.as_path());
    let read = read.chain([args.recordings.manifest.as_path()]).chain(args.recognizer.read_files());
    let hypotheses = args.hypotheses.as_ref().map(|path| Output::new(Some(path), read));
    let mut hypotheses = hypotheses.transpose()?;
    let evaluated = evaluate_all(&recognizer, grammar.as_ref(), &entries, args)?;
    let (outcomes, failures): (Vec<_>, Vec<_>) = evaluated.into_iter().partition(Result::is_ok);
    let outcomes: Vec<RecordingOutcome> = outcomes.into_iter().flatten().collect();
    if let Some(out) = &mut hypotheses {
        outcomes.iter().try_for_each(|outcome| write_line(out, outcome))?;
        out.commit()?;
    }
    let report = summarize(outcomes, &recognizer, description);
    let mut out = Output::stdout();
    if args.json {
        report.write_json(&mut out)?
    } else {
        report.write_table(&mut out)?
    }
    failures.iter().filter_map(|failed| failed.as_ref().err()).for_each(failure::report);
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Evaluates every recording; one that can't be read keeps no other from being evaluated.
fn evaluate_all<'a>(
    recognizer: &Recognizer,
    grammar: Option<&Grammar>,
    entries: &'a [Entry],
    args: &EvalArgs,
) -> Result<Vec<Result<RecordingOutcome<'a>>>> {
    let progress = Progress::over_recordings(entries.len());
    let pool = ThreadPoolBuilder::new().num_threads(args.jobs.get()).build()?;
    let outcomes = pool.install(|| {
        let evaluate = |entry: &'a Entry| {
            let outcome = evaluate(recognizer, grammar, entry)
                .with_context(|| format!("{}:{}", args.recordings.manifest.display(), entry.line));
            progress.advance_recording();
            outcome
        };
        entries.par_iter().map(evaluate).collect()
    });
    progress.finish();
    Ok(outcomes)
}

/// Recognizes one recording and compares what comes of it with its reference.
fn evaluate<'a>(
    recognizer: &Recognizer,
    grammar: Option<&Grammar>,
    entry: &'a Entry,
) -> Result<RecordingOutcome<'a>> {
    log::debug!("recording {}", entry.path.display());
    let mut session = Session::new(recognizer, AudioFile::open(&entry.path)?)?;
    if let Some(hotwords) = &entry.hotwords {
        let list = hotwords.join("\n");
        let hotwords = Hotword::parse_list(&list, recognizer.model().tokens());
        session.stream_mut().set_hotwords(&hotwords.context("hotwords")?)?;
    }
    let mut meter = LatencyMeter::default();
    let mut stability = StabilityMeter::default();
    let mut text = String::new();
    let mut first_words = None;
    let mut computed = Duration::ZERO;
    loop {
        let step = session.advance();
        let step = step.map_err(|error| {
            audio_input::name_file(error, &entry.path, session.audio_position())
        })?;
        meter.computed(session.audio_position(), session.compute_time() - computed);
        computed = session.compute_time();
        let closed_by = match step {
            Step::Ended => ClosedBy::EndOfAudio,
            _ => ClosedBy::Endpoint,
        };
        while let Some(event) = session.next_event() {
            stability.event(&event, meter.now())?;
            if !event.hypothesis().text.is_empty() {
                first_words.get_or_insert(meter.now());
            }
            let utterance = Utterance::new(event.hypothesis(), recognizer.model());
            match event {
                Event::Partial { .. } => meter.partial(&utterance),
                Event::Final { .. } => {
                    meter.final_(&utterance, closed_by);
                    text.push(' ');
                    text.push_str(&utterance.text);
                }
            }
        }
        if step == Step::Ended {
            break;
        }
    }
    let (reference, hypothesis) = (normalize(&entry.text), normalize(&text));
    let rare = entry.rare_words.as_ref().map(|rare| {
        let rare: Vec<_> = rare.iter().map(|word| normalize(word)).collect();
        RareWords::new(Edits::of_rare_words(&reference, &hypothesis, &rare))
    });
    Ok(RecordingOutcome {
        line: entry.line,
        audio: &entry.audio,
        words: Edits::of_words(&reference, &hypothesis).into(),
        rare,
        characters: Edits::of_characters(&reference, &hypothesis).into(),
        grammar: grammar.map(|grammar| GrammarTally::of(grammar, &reference, &hypothesis)),
        reference,
        hypothesis,
        audio_seconds: session.audio_position(),
        compute_seconds: computed,
        first_words_seconds: first_words.map(|shown: Duration| shown.as_secs_f64()),
        end_latency_seconds: meter.now().saturating_sub(session.audio_position()),
        latencies: meter.into_latencies(),
        stability: stability.into_stability(),
    })
}

fn grammar(decoding: &Decoding) -> Option<&Grammar> {
    match decoding {
        Decoding::PrefixBeam(config) => config.constraint.as_ref().map(|r| &r.grammar),
        _ => None,
    }
}

fn summarize(outcomes: Vec<RecordingOutcome>, recognizer: &Recognizer, decoding: String) -> Report {
    let recordings = outcomes.len();
    let (mut words, mut characters) = (Edits::default(), Edits::default());
    let mut rare: Option<[Edits; 2]> = None;
    let (mut audio, mut compute) = (Duration::ZERO, Duration::ZERO);
    let (mut latencies, mut stability) = (Latencies::default(), Stability::default());
    let mut grammar = None;
    for outcome in outcomes {
        if let Some(tally) = outcome.grammar {
            *grammar.get_or_insert_default() += tally;
        }
        words += outcome.words.edits;
        if let Some(found) = outcome.rare {
            let [rare, others] = rare.get_or_insert_default();
            *rare += found.rare_words.edits;
            *others += found.other_words.edits;
        }
        characters += outcome.characters.edits;
        audio += outcome.audio_seconds;
        compute += outcome.compute_seconds;
        latencies.extend(outcome.latencies);
        stability.extend(outcome.stability);
    }
    let config = recognizer.model().config();
    Report {
        model: config.name.clone(),
        precision: precision_name(recognizer.model()),
        chunk_ms: config.frames_duration(config.encoder.chunk_frames).as_millis() as u64,
        decoding,
        recordings,
        audio_seconds: audio,
        compute_seconds: compute,
        real_time_factor: (!audio.is_zero()).then(|| compute.as_secs_f64() / audio.as_secs_f64()),
        words: words.into(),
        rare: rare.map(RareWords::new),
        characters: characters.into(),
        latency_seconds: latencies.summary(),
        stability: stability.summary(),
        grammar,
    }
}
