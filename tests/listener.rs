//! The worker thread with a scripted source: what it tells, in which order, and that it ends.

#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::time::{Duration, Instant};

use golden::{Signal, random_model, shipped_model_dir};
use mynah::audio::{AudioFile, ReadOutcome, RealtimeSource, Source, capture_ring};
use mynah::decode::{GrammarConstraint, Hotword};
use mynah::{
    EndpointConfig, Error, Event, Grammar, Keyword, ListenEvent, Listener, Model, Pass, Precision,
    Recognizer, RecognizerConfig, Result,
};

/// What a source says, step by step.
enum Step {
    Samples(Vec<f32>),
    Gap(u64),
    /// Nothing arrives for ever.
    Silent,
    /// Does not return for so long.
    Block(Duration),
    Panic,
    Fail,
}

struct Script {
    rate: u32,
    steps: std::vec::IntoIter<Step>,
    waiting: std::vec::IntoIter<f32>,
    silent: bool,
    is_live: bool,
}

impl Script {
    fn new(steps: Vec<Step>) -> Self {
        let waiting = Vec::new().into_iter();
        Self { rate: 16_000, steps: steps.into_iter(), waiting, silent: false, is_live: true }
    }
}

impl Source for Script {
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    fn is_live(&self) -> bool {
        self.is_live
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        if self.silent {
            return Ok(ReadOutcome::Samples(0));
        }
        let waiting = self.waiting.by_ref().zip(buffer).map(|(from, to)| *to = from).count();
        if waiting > 0 {
            return Ok(ReadOutcome::Samples(waiting));
        }
        match self.steps.next() {
            None => Ok(ReadOutcome::End),
            Some(Step::Samples(samples)) => {
                self.waiting = samples.into_iter();
                Ok(ReadOutcome::Samples(0))
            }
            Some(Step::Gap(lost)) => Ok(ReadOutcome::Gap(lost)),
            Some(Step::Silent) => {
                self.silent = true;
                Ok(ReadOutcome::Samples(0))
            }
            Some(Step::Block(time)) => {
                std::thread::sleep(time);
                Ok(ReadOutcome::Samples(0))
            }
            Some(Step::Panic) => panic!("the test's source panics"),
            Some(Step::Fail) => Err(Error::Device("the test's microphone has gone".to_owned())),
        }
    }
}

/// Five seconds on which the random model says something.
fn speech() -> Vec<f32> {
    let signals: Vec<Vec<f32>> = Signal::load_all().iter().map(Signal::samples).collect();
    signals.concat().repeat(2)
}

fn recognizer() -> Recognizer {
    let mut endpoint = EndpointConfig::default();
    endpoint.rule3.trailing_silence = Duration::ZERO;
    endpoint.rule3.utterance_length = Duration::from_secs(1);
    let config = RecognizerConfig { endpoint, ..RecognizerConfig::default() };
    Recognizer::with_config(random_model(), config).unwrap()
}

/// Everything up to [`ListenEvent::Ended`], after which nothing may come.
fn listen(source: impl Source + 'static) -> Vec<ListenEvent> {
    let listener = Listener::spawn(&recognizer(), source);
    collect(&listener)
}

fn collect(listener: &Listener) -> Vec<ListenEvent> {
    let mut events = Vec::new();
    loop {
        let event = listener.recv_timeout(Duration::from_secs(60)).expect("it never ended");
        if matches!(event, ListenEvent::Ended) {
            assert!(listener.recv_timeout(Duration::from_secs(60)).is_none());
            return events;
        }
        events.push(event);
    }
}

fn recognized(events: &[ListenEvent]) -> Vec<Event> {
    let event = |events: &ListenEvent| match events {
        ListenEvent::Recognized { event, .. } => Some(event.clone()),
        _ => None,
    };
    events.iter().filter_map(event).collect()
}

/// What a stream gives without any thread.
fn expected(samples: &[f32]) -> Vec<Event> {
    let mut stream = recognizer().stream();
    stream.accept_waveform(samples).unwrap();
    stream.finish().unwrap();
    std::iter::from_fn(|| stream.next_event()).collect()
}

#[test]
fn it_tells_what_a_stream_would_have_told() {
    let wanted = expected(&speech());
    assert!(wanted.iter().any(|event| matches!(event, Event::Final { .. })), "{wanted:?}");
    let events = listen(Script::new(vec![Step::Samples(speech())]));
    assert_eq!(recognized(&events), wanted);
    let paced = RealtimeSource::new(Script::new(vec![Step::Samples(speech())])).unwrap();
    assert_eq!(recognized(&listen(paced)), wanted);
}

#[test]
fn the_audio_position_never_goes_back() {
    let events = listen(Script::new(vec![Step::Samples(speech())]));
    let position = |events: &ListenEvent| match events {
        ListenEvent::Recognized { audio_position, .. } => Some(*audio_position),
        _ => None,
    };
    let times: Vec<Duration> = events.iter().filter_map(position).collect();
    assert!(times.is_sorted(), "{times:?}");
    let all = Duration::from_secs_f64(speech().len() as f64 / 16_000.0);
    assert_eq!(*times.last().unwrap(), all);
}

fn two_passes() -> Recognizer {
    Recognizer::new(Model::load(shipped_model_dir(), Precision::Int8).unwrap()).unwrap()
}

/// The example twice, with a pause that ends an utterance.
fn two_utterances() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
    let mut file = AudioFile::open(path).unwrap();
    let (mut speech, mut block) = (Vec::new(), [0.0; 4096]);
    while let ReadOutcome::Samples(count @ 1..) = file.read(&mut block).unwrap() {
        speech.extend_from_slice(&block[..count]);
    }
    [&speech[..], &[0.0; 16_000 * 2], &speech].concat()
}

/// The events of one kind of each utterance, in its order.
fn of_kind(events: Vec<Event>, finals: bool) -> Vec<Event> {
    events.into_iter().filter(|event| event.is_final() == finals).collect()
}

#[test]
fn finals_of_a_thread_of_their_own_are_those_of_a_stream() {
    let recognizer = two_passes();
    let mut stream = recognizer.stream();
    stream.accept_waveform(&two_utterances()).unwrap();
    stream.finish().unwrap();
    let wanted: Vec<Event> = std::iter::from_fn(|| stream.next_event()).collect();
    let numbers = |events: &[Event]| events.iter().map(Event::utterance).collect::<Vec<_>>();
    assert_eq!(numbers(&of_kind(wanted.clone(), true)), [0, 1]);
    for is_live in [false, true] {
        let mut script = Script::new(vec![Step::Samples(two_utterances())]);
        script.is_live = is_live;
        let listener = Listener::spawn(&recognizer, script);
        let events = recognized(&collect(&listener));
        // When a partial has the second pass's words depends on the threads.
        let texts = |events: &[Event]| -> Vec<(u64, String)> {
            let finals = of_kind(events.to_vec(), true).into_iter();
            finals.map(|event| (event.utterance(), event.hypothesis().text.clone())).collect()
        };
        assert_eq!(texts(&events), texts(&wanted));
        assert!(!of_kind(events.clone(), false).is_empty());
        assert!(events.iter().all(|event| match event {
            Event::Final { pass, .. } => *pass == Pass::Second,
            _ => true,
        }));
    }
}

#[test]
fn a_reset_keeps_the_finals_of_utterances_that_have_ended() {
    let pause = vec![0.0; 16_000 * 2];
    let [first, second] = [two_utterances(), pause].map(Step::Samples);
    let listener = Listener::spawn(&two_passes(), Script::new(vec![first, second, Step::Silent]));
    listener.recv_timeout(Duration::from_secs(60)).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    listener.reset().unwrap();
    listener.stop().unwrap();
    let finals = of_kind(recognized(&collect(&listener)), true);
    assert_eq!(finals.iter().map(Event::utterance).collect::<Vec<_>>(), [0, 1]);
}

fn gaps(events: &[ListenEvent]) -> Vec<(u64, Duration)> {
    let gap = |events: &ListenEvent| match events {
        ListenEvent::Gap { samples, at } => Some((*samples, *at)),
        _ => None,
    };
    events.iter().filter_map(gap).collect()
}

#[test]
fn a_gap_is_told_once_and_moves_the_clock() {
    let steps = vec![Step::Samples(speech()), Step::Gap(16_000 * 60), Step::Samples(speech())];
    let events = listen(Script::new(steps));
    let gaps = gaps(&events);
    let length = Duration::from_secs_f64(speech().len() as f64 / 16_000.0);
    assert_eq!(gaps, [(16_000 * 60, length)]);
    let last = recognized(&events).last().unwrap().hypothesis().clone();
    assert!(last.start > Duration::from_secs(60), "{:?}", last.start);
}

#[test]
fn gaps_of_another_rate_are_told_in_samples_of_the_model() {
    let mut script = Script::new(vec![
        Step::Samples(vec![0.0; 44_100]),
        Step::Gap(44_100),
        Step::Samples(vec![0.0; 100]),
        Step::Gap(7),
    ]);
    script.rate = 44_100;
    let gaps = gaps(&listen(script));
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(gaps[0], (16_000, Duration::from_secs(1)));
}

#[test]
fn a_failure_comes_after_what_was_recognized_before_it() {
    let events = listen(Script::new(vec![Step::Samples(speech()), Step::Fail]));
    assert_eq!(recognized(&events), expected(&speech()));
    let Some(ListenEvent::Failed(error)) = events.last() else { panic!("{events:?}") };
    assert_eq!(error.to_string(), "the test's microphone has gone");
}

#[test]
fn samples_that_are_no_numbers_fail_without_losing_what_came_before() {
    let steps = vec![Step::Samples(speech()), Step::Samples(vec![0.1, f32::NAN])];
    let events = listen(Script::new(steps));
    assert_eq!(recognized(&events), expected(&speech()));
    assert!(
        matches!(events.last(), Some(ListenEvent::Failed(Error::Samples { .. }))),
        "{events:?}"
    );
}

#[test]
fn a_rate_that_cannot_be_is_told() {
    let mut script = Script::new(vec![Step::Samples(speech())]);
    script.rate = 3;
    let events = listen(script);
    assert!(matches!(events[..], [ListenEvent::Failed(Error::Config(_))]), "{events:?}");
}

#[test]
fn stop_tells_what_was_being_said() {
    let listener =
        Listener::spawn(&recognizer(), Script::new(vec![Step::Samples(speech()), Step::Silent]));
    // The first event says that the worker is at work; the rest is already in its hands.
    let first = listener.recv_timeout(Duration::from_secs(60)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    listener.stop().unwrap();
    let mut events = vec![first];
    events.extend(collect(&listener));
    assert!(matches!(recognized(&events).last(), Some(Event::Final { .. })), "{events:?}");
    assert!(listener.flush().is_err());
}

#[test]
fn what_was_captured_before_stop_is_recognized() {
    let speech = speech().repeat(4);
    let (mut sink, source) = capture_ring(16_000, 1, speech.len());
    sink.push_interleaved(&speech);
    let listener = Listener::spawn(&recognizer(), source);
    listener.stop().unwrap();
    assert_eq!(recognized(&collect(&listener)), expected(&speech));
}

#[test]
fn flush_ends_the_utterance_and_listening_goes_on() {
    let listener =
        Listener::spawn(&recognizer(), Script::new(vec![Step::Samples(speech()), Step::Silent]));
    listener.recv_timeout(Duration::from_secs(60)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    listener.flush().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let events: Vec<ListenEvent> = std::iter::from_fn(|| listener.try_recv()).collect();
    assert!(matches!(recognized(&events).last(), Some(Event::Final { .. })), "{events:?}");
    listener.stop().unwrap();
    assert!(recognized(&collect(&listener)).is_empty());
}

#[test]
fn a_gap_of_a_minute_makes_two_utterances() {
    let speech = two_utterances()[..80_000].to_vec();
    let steps = vec![Step::Samples(speech.clone()), Step::Gap(16_000 * 60), Step::Samples(speech)];
    let events = collect(&Listener::spawn(&two_passes(), Script::new(steps)));
    let finals = of_kind(recognized(&events), true);
    let times: Vec<_> = finals.iter().map(|event| event.hypothesis()).collect();
    assert_eq!(times.len(), 2);
    assert!(times[0].end < Duration::from_secs(5), "{:?}", times[0].end);
    assert!(times[1].start > Duration::from_secs(65), "{:?}", times[1].start);
}

#[test]
fn a_panic_is_a_failure_and_the_end() {
    let events = listen(Script::new(vec![Step::Samples(speech()), Step::Panic]));
    assert!(matches!(events.last(), Some(ListenEvent::Failed(Error::Worker(_)))), "{events:?}");
}

#[test]
fn dropping_it_does_not_wait_for_a_source_that_blocks() {
    let blocked = Script::new(vec![Step::Block(Duration::from_secs(20))]);
    let listener = Listener::spawn(&recognizer(), blocked);
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    drop(listener);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn dropping_it_does_not_wait_for_the_source() {
    let listener = Listener::spawn(&recognizer(), Script::new(vec![Step::Silent]));
    let start = Instant::now();
    drop(listener);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_reader_that_stalls_gets_every_final_and_few_partials() {
    let long = speech().repeat(40);
    let wanted = of_kind(expected(&long), true);
    assert!(wanted.len() > 100, "{}", wanted.len());
    let mut script = Script::new(vec![Step::Samples(long)]);
    script.is_live = true;
    let listener = Listener::spawn(&recognizer(), script);
    let whole = Duration::from_secs(60);
    let started = Instant::now();
    while listener.metrics().audio_position < Duration::from_secs_f64(5.0 * 39.9) {
        assert!(started.elapsed() < whole, "{:?}", listener.metrics());
        std::thread::sleep(Duration::from_millis(20));
    }
    let events = recognized(&collect(&listener));
    assert_eq!(of_kind(events.clone(), true), wanted);
    let partials = of_kind(events, false).len();
    assert!(partials <= 64, "{partials} partials for a reader that stalled");
}

#[test]
fn another_recognizer_takes_over_with_clock_and_numbers() {
    let speech = two_utterances()[..80_000].to_vec();
    let pause = vec![0.0; 16_000 * 2];
    let (mut sink, source) = capture_ring(16_000, 1, 16_000 * 30);
    let listener = Listener::spawn(&two_passes(), source);
    sink.push_interleaved(&speech);
    let other = Recognizer::with_config(
        Model::load(shipped_model_dir(), mynah::LoadOptions::low_latency()).unwrap(),
        RecognizerConfig::default(),
    )
    .unwrap();
    listener.set_recognizer(&other).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    sink.push_interleaved(&[&speech[..], &pause].concat());
    std::thread::sleep(Duration::from_millis(200));
    listener.stop().unwrap();
    let finals = of_kind(recognized(&collect(&listener)), true);
    assert_eq!(finals.iter().map(Event::utterance).collect::<Vec<_>>(), [0, 1]);
    assert!(finals[1].hypothesis().start > Duration::from_secs(5), "{finals:?}");
    let Event::Final { pass, .. } = &finals[1] else { panic!() };
    assert_eq!(*pass, Pass::First);
    let metrics = listener.metrics();
    assert_eq!(metrics.audio_position, Duration::from_secs(12));
    assert!(metrics.real_time_factor().unwrap() > 0.0);
    assert_eq!((metrics.samples_lost, metrics.finals_pending), (0, 0));
}

#[test]
fn keywords_hotwords_and_grammars_change_while_it_runs() {
    let (mut sink, source) = capture_ring(16_000, 1, 16_000 * 30);
    let listener = Listener::spawn(&two_passes(), source);
    let speech = two_utterances()[..80_000].to_vec();
    let wrong = listener.set_keywords(&[Keyword { phrase: "there".to_owned(), threshold: 3.0 }]);
    assert!(matches!(wrong, Err(Error::Config(_))), "{wrong:?}");
    listener.set_keywords(&[Keyword::new("there")]).unwrap();
    let hotword = Hotword { phrase: "THERE".to_owned(), boost: f32::NAN };
    assert!(listener.set_hotwords(&[hotword]).is_err());
    let grammar = Grammar::from_phrases(["there"]).unwrap();
    listener.set_grammar(Some(&GrammarConstraint::new(grammar))).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    sink.push_interleaved(&speech);
    listener.stop().unwrap();
    let events = collect(&listener);
    let is_hit = |event: &ListenEvent| matches!(event, ListenEvent::Keyword { hit, .. } if hit.phrase == "there");
    assert!(events.iter().any(is_hit), "{events:?}");
    let texts: Vec<_> = of_kind(recognized(&events), true);
    let is_restricted = |event: &Event| ["", "THERE"].contains(&event.hypothesis().text.as_str());
    assert!(texts.iter().all(is_restricted), "{texts:?}");
    assert!(listener.reset().is_err(), "it has ended");
}
