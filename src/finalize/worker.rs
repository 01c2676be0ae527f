//! The second pass on a thread of its own, behind a bounded queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, unbounded};

use super::message::{Answer, Audio, Message, SegmentState};
use super::second_pass::SecondPass;
use super::thread::Thread;
use super::{Ended, Finalized};
use crate::decode::{Path, Search};
use crate::error::{Error, Result};

/// How long after an utterance's end a live stream waits for its final.
const LATEST: Duration = Duration::from_secs(10);

/// Messages that wait at most: one per chunk of the first pass and one more where an utterance ends in it. In chunks of 640 ms they
/// are 40 s of audio, 1.3 MB.
const QUEUE: usize = 64;

/// The first pass's side.
pub(crate) struct Worker {
    /// `None` once the worker is given up.
    messages: Option<Sender<Message>>,
    answers: Receiver<Answer>,
    /// Segments before this one are not to be decoded.
    wanted_from: Arc<AtomicU64>,
    is_live: bool,
    /// How long a live stream waits for a final.
    latest: Duration,
    /// The one that samples are of now.
    segment: u64,
    /// What is to be sent next.
    frames: Vec<f32>,
    places: Vec<u64>,
    search: Option<Box<Search>>,
    frame_values: usize,
    /// Whether a part of this segment had no room in the queue.
    is_torn: bool,
    /// Utterances without a final, the oldest first.
    pending: VecDeque<Pending>,
    /// Of this segment.
    partial: Option<Path>,
    ready: VecDeque<Finalized>,
    failure: Option<Error>,
}

/// An utterance that waits for its final.
struct Pending {
    segment: u64,
    ended: Ended,
    since: Instant,
    /// Whether the first pass's final is to be taken.
    by_first_pass: bool,
}

impl Worker {
    /// Starts the thread, or gives back what it was to run and why there is none.
    pub fn spawn(
        second: Box<SecondPass>,
        is_live: bool,
    ) -> Result<Self, (Box<SecondPass>, String)> {
        let (worker, ends) = Self::new(second.frame_values(), is_live);
        let (handover, second_receiver) = bounded::<Box<SecondPass>>(1);
        let run = move || {
            if let Ok(second) = second_receiver.recv() {
                ends.run(second);
            }
        };
        if let Err(reason) = thread::Builder::new().name("mynah-finals".to_owned()).spawn(run) {
            return Err((second, reason.to_string()));
        }
        // The thread is waiting for it.
        let _ = handover.send(second);
        Ok(worker)
    }

    fn new(frame_values: usize, is_live: bool) -> (Self, Thread) {
        let (messages, queue) = bounded(QUEUE);
        // One per chunk of the second pass and one per utterance.
        let (answer_sender, answers) = unbounded();
        let wanted_from = Arc::new(AtomicU64::new(0));
        let thread = Thread { queue, answers: answer_sender, wanted_from: wanted_from.clone() };
        let worker = Self {
            messages: Some(messages),
            answers,
            wanted_from,
            is_live,
            latest: LATEST,
            segment: 0,
            frames: Vec::new(),
            places: Vec::new(),
            search: None,
            frame_values,
            is_torn: false,
            pending: VecDeque::new(),
            partial: None,
            ready: VecDeque::new(),
            failure: None,
        };
        (worker, thread)
    }

    pub fn accept_frames(&mut self, frames: &[f32]) {
        self.frames.extend_from_slice(frames);
    }

    pub fn accept_place(&mut self, place: u64) {
        self.places.push(place);
    }

    pub fn advance(&mut self, is_idle: bool) {
        self.send_audio(SegmentState::Continues { is_idle });
    }

    pub fn end(&mut self, ended: Ended) {
        let by_first_pass = !self.send_audio(SegmentState::Ended);
        let (segment, since) = (self.segment, Instant::now());
        self.pending.push_back(Pending { segment, ended, since, by_first_pass });
        self.end_segment(by_first_pass);
    }

    pub fn discard(&mut self) {
        let is_torn = !self.send_audio(SegmentState::Discarded);
        self.end_segment(is_torn);
    }

    pub fn configure(&mut self, search: Search) {
        self.search = Some(Box::new(search));
    }

    pub fn clear(&mut self) {
        self.frames.clear();
        self.places.clear();
        self.is_torn = !self.send(Message::Clear);
    }

    pub fn partial(&mut self) -> Option<&Path> {
        while let Ok(answer) = self.answers.try_recv() {
            self.accept_answer(answer);
        }
        self.partial.as_ref()
    }

    pub fn next_final(&mut self) -> Option<Finalized> {
        while self.ready.is_empty() {
            match self.answers.try_recv() {
                Ok(answer) => self.accept_answer(answer),
                Err(TryRecvError::Disconnected) => self.stopped(),
                Err(TryRecvError::Empty) => {
                    if !self.finalize_overdue() {
                        break;
                    }
                }
            }
            if self.pending.is_empty() {
                break;
            }
        }
        self.ready.pop_front()
    }

    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    pub fn wait(&mut self) -> bool {
        while self.ready.is_empty() && !self.pending.is_empty() {
            if self.finalize_overdue() {
                continue;
            }
            let since = self.pending.front().map_or_else(Instant::now, |pending| pending.since);
            let answer = if self.is_live {
                self.answers.recv_deadline(since + self.latest)
            } else {
                self.answers.recv().map_err(RecvTimeoutError::from)
            };
            match answer {
                Ok(answer) => self.accept_answer(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.stopped(),
            }
        }
        !self.ready.is_empty()
    }

    pub fn finalize_by_first_pass(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.accept_answer(answer);
        }
        if let Some(last) = self.pending.back() {
            self.wanted_from.store(last.segment + 1, Ordering::Relaxed);
        }
        let finals = self.pending.drain(..).map(|pending| Finalized::new(pending.ended, None));
        self.ready.extend(finals);
    }

    pub fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Begins the next segment, with a queue that may miss a part of the last one.
    fn end_segment(&mut self, is_torn: bool) {
        self.segment += 1;
        self.partial = None;
        // The frames that are left here begin the next one.
        self.is_torn = is_torn && !self.send(Message::Clear);
    }

    /// Sends what was accepted, unless a part of the segment had no room; gives whether it did.
    fn send_audio(&mut self, state: SegmentState) -> bool {
        if self.is_torn {
            self.drop_placed();
            return false;
        }
        let audio = Audio {
            segment: self.segment,
            frames: std::mem::take(&mut self.frames),
            places: std::mem::take(&mut self.places),
            search: self.search.take(),
            state,
        };
        let Some(Message::Audio(audio)) = self.offer(Message::Audio(audio)) else { return true };
        Audio { frames: self.frames, places: self.places, search: self.search, .. } = audio;
        self.tear();
        false
    }

    /// Leaves this segment and the utterances before it to the first pass: the queue holds more than a live
    /// stream waits for.
    fn tear(&mut self) {
        log::warn!("finals are computed too slowly: those of the first pass are taken");
        self.is_torn = true;
        self.finalize_by_first_pass();
        self.wanted_from.store(self.segment + 1, Ordering::Relaxed);
        self.drop_placed();
    }

    /// Drops the frames of the encoder frames that were placed.
    fn drop_placed(&mut self) {
        let values = (self.places.len() * self.frame_values).min(self.frames.len());
        self.frames.drain(..values);
        self.places.clear();
    }

    fn send(&mut self, message: Message) -> bool {
        self.offer(message).is_none()
    }

    /// Sends a message, or gives it back.
    fn offer(&mut self, message: Message) -> Option<Message> {
        let Some(messages) = &self.messages else { return Some(message) };
        if self.is_live {
            messages.try_send(message).err().map(|unsent| unsent.into_inner())
        } else {
            messages.send(message).err().map(|unsent| unsent.into_inner())
        }
    }

    /// Accepts what the worker has finished.
    fn accept_answer(&mut self, answer: Answer) {
        let (segment, paths) = match answer {
            Answer::Final(segment, paths) => (segment, paths),
            Answer::Partial(segment, path) => {
                if segment == self.segment {
                    self.partial = Some(path);
                }
                return;
            }
            Answer::Failed(error) => return self.fail(error),
        };
        self.finalize_marked();
        // That of any other was taken from the first pass by now.
        if let Some(pending) = self.pop_if(|pending| pending.segment == segment) {
            self.ready.push_back(Finalized::new(pending.ended, Some(paths)));
        }
        self.finalize_marked();
    }

    /// Takes the first pass's final for the oldest utterance if it is to be or if it has waited for too long;
    /// gives whether it was so.
    fn finalize_overdue(&mut self) -> bool {
        let latest = self.latest;
        let is_live = self.is_live;
        if let Some(pending) = self.pending.front_mut()
            && is_live
            && !pending.by_first_pass
            && pending.since.elapsed() > latest
        {
            log::warn!("a final took longer than {latest:?}: that of the first pass is taken");
            pending.by_first_pass = true;
            self.wanted_from.store(pending.segment + 1, Ordering::Relaxed);
        }
        self.finalize_marked()
    }

    /// Takes the first pass's finals of the oldest utterances that are marked so.
    fn finalize_marked(&mut self) -> bool {
        let mut any = false;
        while let Some(pending) = self.pop_if(|pending| pending.by_first_pass) {
            self.ready.push_back(Finalized::new(pending.ended, None));
            any = true;
        }
        any
    }

    fn pop_if(&mut self, condition: impl Fn(&Pending) -> bool) -> Option<Pending> {
        self.pending.front().filter(|pending| condition(pending))?;
        self.pending.pop_front()
    }

    fn stopped(&mut self) {
        if self.messages.is_some() {
            self.fail(Error::Worker("finals"));
        } else {
            self.finalize_by_first_pass();
        }
    }

    /// Gives the worker up.
    fn fail(&mut self, error: Error) {
        self.failure = Some(error);
        self.messages = None;
        self.is_torn = true;
        self.finalize_by_first_pass();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends after what it is computing; nobody waits for it.
        self.wanted_from.store(u64::MAX, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::GrammarMatch;
    use crate::finalize::Pass;

    /// One value a frame, one frame an encoder frame.
    fn worker(is_live: bool) -> (Worker, Thread) {
        Worker::new(1, is_live)
    }

    fn path(score: f64) -> Vec<Path> {
        vec![Path { tokens: Vec::new(), stable: 0, score, outcome: GrammarMatch::Unrestricted }]
    }

    fn end(worker: &mut Worker, utterance: u64) {
        worker.end(Ended { utterance, is_shown: true, paths: path(-1.0) });
    }

    /// Audio of one encoder frame.
    fn speak(worker: &mut Worker, place: u64) {
        worker.accept_frames(&[place as f32]);
        worker.accept_place(place);
        worker.advance(false);
    }

    /// The utterances whose finals are there, and the pass of each.
    fn finals(worker: &mut Worker) -> Vec<(u64, Pass)> {
        let next = std::iter::from_fn(|| worker.next_final());
        next.map(|finalized| (finalized.ended.utterance, finalized.pass)).collect()
    }

    #[test]
    fn finals_come_when_they_are_computed() {
        let (mut worker, thread) = worker(true);
        speak(&mut worker, 0);
        end(&mut worker, 0);
        speak(&mut worker, 1);
        assert_eq!(finals(&mut worker), []);
        thread.answers.send(Answer::Final(0, path(-2.0))).unwrap();
        let finalized = worker.next_final().unwrap();
        assert_eq!((finalized.pass, finalized.ended.paths[0].score), (Pass::Second, -2.0));
        // All was sent in order.
        let sent: Vec<_> = thread.queue.try_iter().collect();
        assert!(matches!(
            sent[1],
            Message::Audio(Audio { segment: 0, state: SegmentState::Ended, .. })
        ));
        assert!(matches!(sent[2], Message::Audio(Audio { segment: 1, .. })));
    }

    #[test]
    fn a_live_stream_takes_the_first_pass_where_a_final_is_late() {
        let (mut worker, thread) = worker(true);
        worker.latest = Duration::ZERO;
        end(&mut worker, 5);
        assert_eq!(finals(&mut worker), [(5, Pass::First)]);
        assert!(!thread.is_wanted(0) && thread.is_wanted(1));
        // What comes later is dropped.
        worker.latest = LATEST;
        end(&mut worker, 6);
        thread.answers.send(Answer::Final(0, path(-2.0))).unwrap();
        assert_eq!(finals(&mut worker), []);
        thread.answers.send(Answer::Final(1, path(-2.0))).unwrap();
        assert_eq!(finals(&mut worker), [(6, Pass::Second)]);
    }

    #[test]
    fn a_full_queue_costs_finals_but_no_frames_of_later_utterances() {
        let (mut worker, thread) = worker(true);
        end(&mut worker, 0);
        for place in 0..100 {
            speak(&mut worker, place);
        }
        assert_eq!(finals(&mut worker), [(0, Pass::First)]);
        assert!(!thread.is_wanted(1));
        // The frame behind the end is the next utterance's.
        worker.accept_frames(&[100.0, 101.0]);
        worker.accept_place(100);
        end(&mut worker, 1);
        assert_eq!(finals(&mut worker), [(1, Pass::First)]);
        assert_eq!(thread.queue.try_iter().count(), QUEUE);
        // With room again the next utterance but one has a second pass.
        worker.accept_place(101);
        end(&mut worker, 2);
        assert_eq!(finals(&mut worker), [(2, Pass::First)]);
        speak(&mut worker, 102);
        end(&mut worker, 3);
        let sent: Vec<_> = thread.queue.try_iter().collect();
        assert!(matches!(sent[0], Message::Clear));
        let Message::Audio(Audio { segment: 3, frames, places, .. }) = &sent[1] else { panic!() };
        assert_eq!((&frames[..], &places[..]), (&[102.0][..], &[102][..]));
        let Some(Message::Audio(Audio { segment: 3, state: SegmentState::Ended, .. })) =
            sent.last()
        else {
            panic!()
        };
        assert!(thread.is_wanted(3));
    }

    #[test]
    fn a_source_that_is_not_live_waits_for_room() {
        let (mut worker, thread) = worker(false);
        worker.latest = Duration::ZERO;
        let consumer = thread::spawn(move || {
            // All of it, so that its other end of the answers goes too.
            let thread = thread;
            thread.queue.iter().filter(|message| matches!(message, Message::Audio(_))).count()
        });
        for place in 0..1000 {
            speak(&mut worker, place);
        }
        end(&mut worker, 0);
        worker.messages = None;
        assert_eq!(consumer.join().unwrap(), 1001);
        // The thread has gone without an answer.
        assert!(worker.wait());
        assert_eq!(finals(&mut worker), [(0, Pass::First)]);
    }

    #[test]
    fn after_a_failure_the_first_pass_goes_on() {
        let (mut worker, thread) = worker(true);
        end(&mut worker, 0);
        end(&mut worker, 1);
        thread.answers.send(Answer::Failed(Error::Config("no encoder".to_owned()))).unwrap();
        assert_eq!(finals(&mut worker), [(0, Pass::First), (1, Pass::First)]);
        assert_eq!(worker.failure().unwrap().to_string(), "no encoder");
        speak(&mut worker, 0);
        end(&mut worker, 2);
        drop(thread);
        assert_eq!(finals(&mut worker), [(2, Pass::First)]);
        assert!(worker.failure().is_none());
    }

    #[test]
    fn a_thread_that_stops_is_reported() {
        let (mut worker, thread) = worker(true);
        end(&mut worker, 0);
        drop(thread);
        assert!(worker.wait());
        assert_eq!(finals(&mut worker), [(0, Pass::First)]);
        assert!(matches!(worker.failure(), Some(Error::Worker("finals"))));
    }
}
