//! A source that can be switched off and on, with the audio from just before it is switched on.

use std::{
    cell::Cell,
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mynah::{
    Error, Result,
    audio::{ReadOutcome, Source},
};

/// Opens the source again after it was closed.
pub type Opener = Box<dyn Fn() -> Result<Box<dyn Source>> + Send>;

/// Whether a [`SwitchedSource`] is on; its clones are one switch.
#[derive(Clone, Debug)]
pub struct Switch(Arc<AtomicBool>);

/// What becomes of the source while it is off.
pub enum WhileOff {
    /// It is read, and the last of it comes first when it is switched on.
    PreRoll(Duration),
    /// It is closed.
    Closed(Opener),
}

/// A source that gives no samples while its switch is off.
///
/// What had arrived when the switch went off is still given, and counted by `buffered_samples`, so that a flush
/// after the switch finalizes all that was said before it. A source that is not live is not read while off.
pub struct SwitchedSource {
    /// None while closed.
    source: Option<Box<dyn Source>>,
    opener: Option<Opener>,
    switch: Switch,
    sample_rate: u32,
    is_live: bool,
    state: Cell<State>,
    pre_roll: VecDeque<f32>,
    most_pre_roll: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    On,
    /// Switched off, with so many samples of the time before to give.
    Ending(usize),
    Off,
}

impl Switch {
    /// A switch that is on or off.
    pub fn new(is_on: bool) -> Self {
        Self(Arc::new(AtomicBool::new(is_on)))
    }

    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Switches on or off; returns whether that changed it.
    pub fn set(&self, is_on: bool) -> bool {
        self.0.swap(is_on, Ordering::SeqCst) != is_on
    }

    /// Switches to the other state, which is returned.
    pub fn toggle(&self) -> bool {
        !self.0.fetch_xor(true, Ordering::SeqCst)
    }
}

impl SwitchedSource {
    /// Puts a switch behind a source that is open.
    pub fn new(source: Box<dyn Source>, switch: Switch, while_off: WhileOff) -> Self {
        let sample_rate = source.sample_rate();
        let (opener, pre_roll) = match while_off {
            WhileOff::PreRoll(length) => (None, length),
            WhileOff::Closed(opener) => (Some(opener), Duration::ZERO),
        };
        let is_live = source.is_live();
        let is_open = switch.is_on() || opener.is_none();
        Self {
            state: Cell::new(if switch.is_on() { State::On } else { State::Off }),
            source: is_open.then_some(source),
            opener,
            switch,
            sample_rate,
            is_live,
            pre_roll: VecDeque::new(),
            most_pre_roll: (pre_roll.as_secs_f64() * f64::from(sample_rate)) as usize,
        }
    }

    /// Notices that the switch went off: what has arrived by now was said before.
    fn notice_off(&self) {
        if self.state.get() == State::On && !self.switch.is_on() {
            self.state.set(State::Ending(self.waiting_at_source()));
        }
    }

    fn waiting_at_source(&self) -> usize {
        self.source.as_ref().map_or(0, |source| source.buffered_samples())
    }

    fn switch_on(&mut self) -> Result<()> {
        if let (None, Some(open)) = (&self.source, &self.opener) {
            let source = open()?;
            if source.sample_rate() != self.sample_rate {
                let (now, before) = (source.sample_rate(), self.sample_rate);
                let reason = format!("it records at {now} Hz, and did at {before} Hz; start again");
                return Err(Error::Device(reason));
            }
            self.source = Some(source);
        }
        self.state.set(State::On);
        Ok(())
    }

    fn switch_off(&mut self) {
        self.state.set(State::Off);
        if self.opener.is_some() {
            self.source = None;
        }
    }

    /// Moves pre-roll to the buffer's start.
    fn read_pre_roll(&mut self, buffer: &mut [f32]) -> ReadOutcome {
        let count = self.pre_roll.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.pre_roll.drain(..count)) {
            *to = from;
        }
        ReadOutcome::Samples(count)
    }

    fn read_source(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        self.source.as_mut().map_or(Ok(ReadOutcome::Samples(0)), |source| source.read(buffer))
    }

    /// Reads the last samples before the switch went off.
    fn read_ending(&mut self, left: usize, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let limit = left.min(buffer.len());
        let read = self.read_source(&mut buffer[..limit])?;
        match read {
            ReadOutcome::Samples(0) => self.switch_off(),
            ReadOutcome::Samples(count) if count < left => {
                self.state.set(State::Ending(left - count))
            }
            ReadOutcome::Samples(_) => self.switch_off(),
            ReadOutcome::Gap(_) | ReadOutcome::End => {}
        }
        Ok(read)
    }

    /// Reads while off: keeps the last samples, and gives none.
    fn retain(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        if !self.is_live {
            return Ok(ReadOutcome::Samples(0));
        }
        match self.read_source(buffer)? {
            ReadOutcome::Samples(count) => {
                self.pre_roll.extend(&buffer[..count]);
                let surplus = self.pre_roll.len().saturating_sub(self.most_pre_roll);
                self.pre_roll.drain(..surplus);
            }
            ReadOutcome::Gap(_) => self.pre_roll.clear(),
            ReadOutcome::End => return Ok(ReadOutcome::End),
        }
        Ok(ReadOutcome::Samples(0))
    }
}

impl Source for SwitchedSource {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn buffered_samples(&self) -> usize {
        self.notice_off();
        match self.state.get() {
            State::On => self.pre_roll.len() + self.waiting_at_source(),
            State::Ending(left) => self.pre_roll.len() + left,
            State::Off => 0,
        }
    }

    fn is_live(&self) -> bool {
        self.is_live
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        self.notice_off();
        if self.switch.is_on() && self.state.get() != State::On {
            self.switch_on()?;
        }
        match self.state.get() {
            State::On | State::Ending(_) if !self.pre_roll.is_empty() => {
                Ok(self.read_pre_roll(buffer))
            }
            State::On => self.read_source(buffer),
            State::Ending(0) => {
                self.switch_off();
                self.retain(buffer)
            }
            State::Ending(left) => self.read_ending(left, buffer),
            State::Off => self.retain(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Samples per second, few enough to count.
    const RATE: u32 = 100;

    /// A device whose samples are numbered, and arrive when the test says so.
    #[derive(Clone, Default)]
    struct Device(Arc<Mutex<Recorded>>);

    #[derive(Default)]
    struct Recorded {
        waiting: VecDeque<f32>,
        next: usize,
        has_ended: bool,
        is_file: bool,
    }

    impl Device {
        fn record(&self, samples: usize) {
            let mut recorded = self.0.lock().unwrap();
            let next = recorded.next;
            recorded.waiting.extend((next..next + samples).map(|number| number as f32));
            recorded.next += samples;
        }
    }

    impl Source for Device {
        fn sample_rate(&self) -> u32 {
            RATE
        }

        fn buffered_samples(&self) -> usize {
            self.0.lock().unwrap().waiting.len()
        }

        fn is_live(&self) -> bool {
            !self.0.lock().unwrap().is_file
        }

        fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
            let mut recorded = self.0.lock().unwrap();
            let count = recorded.waiting.len().min(buffer.len());
            if count == 0 && recorded.has_ended {
                return Ok(ReadOutcome::End);
            }
            for (to, from) in buffer.iter_mut().zip(recorded.waiting.drain(..count)) {
                *to = from;
            }
            Ok(ReadOutcome::Samples(count))
        }
    }

    fn switched(is_on: bool, pre_roll: usize) -> (Device, Switch, SwitchedSource) {
        let (device, switch) = (Device::default(), Switch::new(is_on));
        let while_off = WhileOff::PreRoll(Duration::from_secs(pre_roll as u64) / RATE);
        let source = SwitchedSource::new(Box::new(device.clone()), switch.clone(), while_off);
        (device, switch, source)
    }

    /// Reads in small buffers until nothing comes.
    fn read_all(source: &mut SwitchedSource) -> Vec<usize> {
        let (mut all, mut buffer) = (Vec::new(), [0.0; 7]);
        while let ReadOutcome::Samples(count @ 1..) = source.read(&mut buffer).unwrap() {
            all.extend(buffer[..count].iter().map(|&sample| sample as usize));
        }
        all
    }

    /// Lets the source look at the device as often as it takes.
    fn idle(source: &mut SwitchedSource) {
        for _ in 0..100 {
            assert_eq!(source.read(&mut [0.0; 7]).unwrap(), ReadOutcome::Samples(0));
        }
    }

    #[test]
    fn switched_on_it_begins_with_exactly_the_pre_roll() {
        let (device, switch, mut source) = switched(false, 50);
        device.record(120);
        idle(&mut source);
        assert_eq!((device.buffered_samples(), source.buffered_samples()), (0, 0));
        assert!(switch.set(true));
        device.record(5);
        assert_eq!(read_all(&mut source), (70..125).collect::<Vec<_>>());
        device.record(3);
        assert_eq!(read_all(&mut source), [125, 126, 127]);
    }

    #[test]
    fn a_pre_roll_is_no_longer_than_the_time_off() {
        let (device, switch, mut source) = switched(true, 50);
        device.record(100);
        assert_eq!(read_all(&mut source).len(), 100);
        switch.set(false);
        idle(&mut source);
        device.record(10);
        idle(&mut source);
        switch.set(true);
        assert_eq!(read_all(&mut source), (100..110).collect::<Vec<_>>());
    }

    #[test]
    fn switched_off_it_gives_what_had_arrived_and_no_more() {
        let (device, switch, mut source) = switched(true, 0);
        device.record(30);
        switch.set(false);
        assert_eq!(source.buffered_samples(), 30);
        // Arrives after the switch was noticed.
        device.record(20);
        assert_eq!(source.buffered_samples(), 30);
        assert_eq!(read_all(&mut source), (0..30).collect::<Vec<_>>());
        assert_eq!(source.buffered_samples(), 0);
        idle(&mut source);
        switch.set(true);
        device.record(1);
        assert_eq!(read_all(&mut source), [50]);
    }

    #[test]
    fn the_pre_roll_is_not_lost_where_it_is_switched_off_at_once() {
        let (device, switch, mut source) = switched(false, 10);
        device.record(10);
        idle(&mut source);
        switch.set(true);
        assert_eq!(source.read(&mut [0.0; 4]).unwrap(), ReadOutcome::Samples(4));
        device.record(2);
        switch.set(false);
        assert_eq!(source.buffered_samples(), 8);
        assert_eq!(read_all(&mut source), (4..12).collect::<Vec<_>>());
    }

    #[test]
    fn switched_on_before_the_end_was_read_nothing_is_missing() {
        let (device, switch, mut source) = switched(true, 0);
        device.record(10);
        switch.set(false);
        assert_eq!(source.read(&mut [0.0; 4]).unwrap(), ReadOutcome::Samples(4));
        device.record(10);
        switch.set(true);
        assert_eq!(read_all(&mut source), (4..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_waits_while_off() {
        let device = Device::default();
        device.0.lock().unwrap().is_file = true;
        let switch = Switch::new(false);
        let while_off = WhileOff::PreRoll(Duration::from_secs(1));
        let mut source = SwitchedSource::new(Box::new(device.clone()), switch.clone(), while_off);
        device.record(500);
        idle(&mut source);
        switch.toggle();
        assert_eq!(read_all(&mut source).len(), 500);
    }

    #[test]
    fn a_source_that_ends_while_off_ends() {
        let (device, _, mut source) = switched(false, 50);
        device.record(3);
        device.0.lock().unwrap().has_ended = true;
        assert_eq!(source.read(&mut [0.0; 7]).unwrap(), ReadOutcome::Samples(0));
        assert_eq!(source.read(&mut [0.0; 7]).unwrap(), ReadOutcome::End);
    }

    #[test]
    fn a_closed_source_is_opened_again() {
        let opened = Device::default();
        let (device, switch) = (Device::default(), Switch::new(true));
        let reopened = opened.clone();
        let opener: Opener = Box::new(move || Ok(Box::new(reopened.clone())));
        let mut source =
            SwitchedSource::new(Box::new(device.clone()), switch.clone(), WhileOff::Closed(opener));
        device.record(5);
        switch.set(false);
        assert_eq!(read_all(&mut source).len(), 5);
        idle(&mut source);
        assert!(source.source.is_none());
        opened.record(4);
        switch.set(true);
        assert_eq!(read_all(&mut source), [0, 1, 2, 3]);
    }
}
