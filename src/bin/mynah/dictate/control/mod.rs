//! What starts, stops and ends dictation from outside: the socket, signals and Ctrl-C.

mod signals;
mod socket;

use std::{fmt, str::FromStr};

use clap::Subcommand;
use crossbeam_channel::{Receiver, Sender, unbounded};

pub use signals::obey_signals;
pub use socket::{Server, default_path, request};

use super::switch::Switch;

/// Controls the dictation that runs
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Request {
    /// Start to dictate
    Start,
    /// Finalize what was said, type it, and pause
    Stop,
    /// Start, or stop if dictation goes on
    Toggle,
    /// Print `recording` or `paused`
    Status,
    /// Finalize what was said, type it, and end
    Quit,
}

/// What is left to do for the thread that dictates, in the order of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A dictation begins.
    Begin,
    /// Finalize what was said.
    Finalize,
    /// Finalize what was said, and end.
    End,
}

/// Obeys requests: switches the microphone at once, and orders the rest.
#[derive(Clone, Debug)]
pub struct Control {
    switch: Switch,
    orders: Sender<Order>,
}

/// What dictation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Recording,
    Paused,
}

impl Control {
    /// Controls a switch; the orders are for whoever dictates.
    pub fn new(switch: Switch) -> (Self, Receiver<Order>) {
        let (orders, received) = unbounded();
        (Self { switch, orders }, received)
    }

    /// Obeys a request; returns the state after it.
    pub fn obey(&self, request: Request) -> State {
        match request {
            Request::Start if self.switch.set(true) => self.order(Order::Begin),
            Request::Stop if self.switch.set(false) => self.order(Order::Finalize),
            Request::Toggle if self.switch.toggle() => self.order(Order::Begin),
            Request::Toggle => self.order(Order::Finalize),
            Request::Quit => self.order(Order::End),
            Request::Start | Request::Stop | Request::Status => {}
        }
        self.state()
    }

    /// What dictation is doing.
    pub fn state(&self) -> State {
        if self.switch.is_on() { State::Recording } else { State::Paused }
    }

    fn order(&self, order: Order) {
        // Fails once dictation has ended, and then nothing is left to do.
        let _ = self.orders.send(order);
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Recording => "recording",
            Self::Paused => "paused",
        })
    }
}

impl Request {
    const ALL: [(&str, Self); 5] = [
        ("start", Self::Start),
        ("stop", Self::Stop),
        ("toggle", Self::Toggle),
        ("status", Self::Status),
        ("quit", Self::Quit),
    ];

    /// The word that it is sent as.
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, request)| *request == self).map_or("status", |(word, _)| word)
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, request)| *request).ok_or_else(|| format!("there is no request {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_switch_at_once_and_order_what_is_left() {
        let (control, orders) = Control::new(Switch::new(false));
        let states = [
            (Request::Status, State::Paused),
            (Request::Stop, State::Paused),
            (Request::Start, State::Recording),
            (Request::Start, State::Recording),
            (Request::Toggle, State::Paused),
            (Request::Toggle, State::Recording),
            (Request::Stop, State::Paused),
            (Request::Quit, State::Paused),
        ];
        for (request, state) in states {
            assert_eq!(control.obey(request), state, "{request:?}");
        }
        let orders: Vec<_> = orders.try_iter().collect();
        use Order::*;
        assert_eq!(orders, [Begin, Finalize, Begin, Finalize, End]);
    }

    #[test]
    fn a_request_is_sent_as_its_word() {
        for (word, request) in Request::ALL {
            assert_eq!((request.word(), word.parse()), (word, Ok(request)));
        }
        assert!("halt".parse::<Request>().is_err());
    }
}
