//! What the view shows besides text, and what keys do to it.

use std::time::Duration;

use super::{
    layout::{Role, Row, wrap},
    transcript::{Paragraph, Transcript},
};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End after the last final; the second time end at once.
    Quit,
    Suspend,
    Clear,
    Timestamps,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    /// Follow the newest text again.
    End,
}

/// What recognition is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Listening,
    /// Waits for this keyword.
    Waiting(String),
    /// The microphone has gone, and is waited for.
    Disconnected,
    /// Waits for the last final.
    Ending,
}

/// Everything that is drawn.
#[derive(Debug, Default)]
pub struct State {
    pub transcript: Transcript,
    pub phase: Phase,
    /// The largest amplitude of late, from 0 to 1.
    pub level: f32,
    pub position: Duration,
    pub partial_latency: Option<Duration>,
    pub final_latency: Option<Duration>,
    pub warning: Option<String>,
    timestamps: bool,
    /// The place of the uppermost row of a reader who has scrolled.
    anchor: Option<Place>,
    layout: Layout,
    /// Of the last drawing.
    height: usize,
}

/// A row's place: its paragraph and how much of it comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    paragraph: usize,
    offset: usize,
}

/// All rows: those of closed paragraphs are broken once per width, those of open ones each time.
#[derive(Debug, Default)]
struct Layout {
    columns: usize,
    timestamps: bool,
    first: usize,
    paragraphs: usize,
    closed: Vec<(Place, Row)>,
    open: Vec<(Place, Row)>,
}

impl Layout {
    fn len(&self) -> usize {
        self.closed.len() + self.open.len()
    }

    fn row(&self, at: usize) -> Option<&(Place, Row)> {
        self.closed.get(at).or_else(|| self.open.get(at - self.closed.len()))
    }

    /// The last row that begins at the place or before it.
    fn find(&self, place: Place) -> usize {
        let before = |rows: &[(Place, Row)]| rows.partition_point(|(at, _)| *at <= place);
        (before(&self.closed) + before(&self.open)).saturating_sub(1)
    }
}

/// What of the text is seen.
#[derive(Debug, PartialEq, Eq)]
pub struct Window {
    pub rows: Vec<Row>,
    /// The rows below it, if the reader has scrolled.
    pub below: Option<usize>,
}

impl State {
    /// Does what a key asks for within the view.
    pub fn apply(&mut self, action: Action) {
        let page = self.height.saturating_sub(1).max(1);
        match action {
            Action::Clear => {
                self.transcript.clear();
                self.anchor = None;
            }
            Action::Timestamps => self.timestamps = !self.timestamps,
            Action::Up => self.scroll(|top| top.saturating_sub(1)),
            Action::Down => self.scroll(|top| top + 1),
            Action::PageUp => self.scroll(|top| top.saturating_sub(page)),
            Action::PageDown => self.scroll(|top| top + page),
            Action::Home => self.scroll(|_| 0),
            Action::End => self.anchor = None,
            Action::Quit | Action::Suspend => {}
        }
    }

    /// The rows that fit into so many columns and rows.
    pub fn window(&mut self, columns: usize, height: usize) -> Window {
        self.height = height;
        self.lay_out(columns);
        let last_top = self.layout.len().saturating_sub(height);
        let top = self.top().filter(|&top| top < last_top);
        if top.is_none() {
            self.anchor = None;
        }
        let begin = top.unwrap_or(last_top);
        let end = self.layout.len().min(begin + height);
        let below = top.map(|_| self.layout.len() - end);
        let rows = (begin..end).filter_map(|at| self.layout.row(at));
        Window { rows: rows.map(|(_, row)| row.clone()).collect(), below }
    }

    /// All text in rows of so many columns, for the terminal's normal screen.
    pub fn all_rows(&self, columns: usize) -> Vec<Row> {
        self.transcript.all().iter().flat_map(|paragraph| self.wrap(paragraph, columns)).collect()
    }

    fn scroll(&mut self, to: impl FnOnce(usize) -> usize) {
        self.lay_out(self.layout.columns);
        let last_top = self.layout.len().saturating_sub(self.height);
        let top = to(self.top().unwrap_or(last_top));
        let row = self.layout.row(top).filter(|_| top < last_top);
        self.anchor = row.map(|(place, _)| *place);
    }

    /// The reader's uppermost row.
    fn top(&self) -> Option<usize> {
        self.anchor.map(|anchor| self.layout.find(anchor))
    }

    fn lay_out(&mut self, columns: usize) {
        let (first, timestamps) = (self.transcript.first(), self.timestamps);
        let mut layout = std::mem::take(&mut self.layout);
        if (layout.columns, layout.timestamps, layout.first) != (columns, timestamps, first) {
            layout = Layout { columns, timestamps, first, ..Layout::default() };
        }
        let closed = self.transcript.closed();
        for (number, paragraph) in closed.iter().enumerate().skip(layout.paragraphs) {
            layout.closed.extend(placed(self.wrap(paragraph, columns), first + number));
        }
        layout.paragraphs = closed.len();
        layout.open.clear();
        for (number, paragraph) in self.transcript.open().iter().enumerate() {
            let number = first + layout.paragraphs + number;
            layout.open.extend(placed(self.wrap(paragraph, columns), number));
        }
        self.layout = layout;
    }

    fn wrap(&self, paragraph: &Paragraph, columns: usize) -> Vec<Row> {
        let time = self.timestamps.then(|| clock(paragraph.start));
        let time = time.iter().map(|time| (&**time, Role::Timestamp));
        let spans = paragraph.spans.iter().map(|(text, role)| (&**text, *role));
        wrap(time.chain(spans), columns)
    }
}

fn placed(rows: Vec<Row>, paragraph: usize) -> impl Iterator<Item = (Place, Row)> {
    rows.into_iter().map(move |row| (Place { paragraph, offset: row.offset }, row))
}

/// A time of the audio, `MM:SS`, with hours from the first on.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::transcript::{Partial, Piece};

    /// A state with so many finals, `1 word` and so on.
    fn state(finals: u64) -> State {
        let mut state = State::default();
        (1..=finals).for_each(|number| add(&mut state, number));
        state
    }

    fn add(state: &mut State, number: u64) {
        let start = Duration::from_secs(10 * number);
        let piece = Piece { start, end: start, text: format!("{number} word") };
        state.transcript.finalize(number, vec![piece]);
    }

    fn seen(state: &mut State, columns: usize, height: usize) -> Vec<String> {
        let text = |row: Row| row.spans.into_iter().map(|(text, _)| text).collect();
        state.window(columns, height).rows.into_iter().map(text).collect()
    }

    #[test]
    fn the_newest_rows_are_seen() {
        let mut state = state(5);
        assert_eq!(seen(&mut state, 20, 2), ["4 word", "5 word"]);
        assert_eq!(seen(&mut state, 20, 9).len(), 5);
        assert_eq!(seen(&mut state, 20, 0), Vec::<String>::new());
        add(&mut state, 6);
        assert_eq!(seen(&mut state, 20, 2), ["5 word", "6 word"]);
    }

    #[test]
    fn new_text_does_not_move_a_reader_who_has_scrolled() {
        let mut state = state(6);
        seen(&mut state, 20, 2);
        [Action::Up, Action::Up].into_iter().for_each(|action| state.apply(action));
        assert_eq!(seen(&mut state, 20, 2), ["3 word", "4 word"]);
        add(&mut state, 7);
        let partial = Partial { unstable: "eight".to_owned(), ..Partial::default() };
        state.transcript.revise(8, partial);
        assert_eq!(seen(&mut state, 20, 2), ["3 word", "4 word"]);
        assert_eq!(state.window(20, 2).below, Some(4));
        state.apply(Action::End);
        assert_eq!(seen(&mut state, 20, 2), ["7 word", "eight"]);
        assert_eq!(state.window(20, 2).below, None);
    }

    #[test]
    fn pages_and_ends_are_reached() {
        let mut state = state(9);
        seen(&mut state, 20, 3);
        state.apply(Action::PageUp);
        assert_eq!(seen(&mut state, 20, 3)[0], "5 word");
        state.apply(Action::Home);
        assert_eq!(seen(&mut state, 20, 3)[0], "1 word");
        state.apply(Action::Up);
        assert_eq!(seen(&mut state, 20, 3)[0], "1 word");
        state.apply(Action::Down);
        assert_eq!(seen(&mut state, 20, 3)[0], "2 word");
        (0..4).for_each(|_| state.apply(Action::PageDown));
        assert_eq!(state.window(20, 3).below, None);
    }

    #[test]
    fn a_new_width_keeps_the_readers_place() {
        let mut state = State::default();
        let text = (0..40).map(|n| format!("word{n:02}")).collect::<Vec<_>>().join(" ");
        let piece = Piece { start: Duration::ZERO, end: Duration::ZERO, text };
        state.transcript.finalize(0, vec![piece]);
        seen(&mut state, 20, 3);
        state.apply(Action::Home);
        (0..5).for_each(|_| state.apply(Action::Down));
        assert!(seen(&mut state, 20, 3)[0].starts_with("word15"));
        assert!(seen(&mut state, 6, 3)[0].starts_with("word15"));
        assert!(seen(&mut state, 30, 3)[0].contains("word15"));
    }

    #[test]
    fn clearing_and_timestamps() {
        let mut state = state(2);
        state.apply(Action::Timestamps);
        assert_eq!(seen(&mut state, 20, 2), ["00:10 1 word", "00:20 2 word"]);
        state.apply(Action::Clear);
        assert_eq!(seen(&mut state, 20, 2), Vec::<String>::new());
        add(&mut state, 3);
        assert_eq!(seen(&mut state, 20, 2), ["00:30 3 word"]);
        assert_eq!(state.all_rows(20).len(), 3);
        assert_eq!(clock(Duration::from_secs(3_723)), "1:02:03");
    }
}
