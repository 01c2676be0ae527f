//! The picture of a [`State`]: text over the whole screen, a warning, and a status line.

use std::time::Duration;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    layout::{Role, Row, width, wrap},
    state::{Phase, State, clock},
};

/// The rows that a warning takes at most.
const WARNING_ROWS: usize = 3;
/// Fewer rows than this have no room for a warning beside text.
const LEAST_ROWS_WITH_WARNING: u16 = 3;
const METER_COLUMNS: usize = 10;
/// The quietest level that the meter shows, in decibels below full scale.
const METER_FLOOR: f32 = -60.0;

/// Whether color is wanted: not where the variable `NO_COLOR` is set to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    Colored,
    Plain,
}

impl Palette {
    pub fn of_environment() -> Self {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_plain { Self::Plain } else { Self::Colored }
    }

    fn color(self, color: Color) -> Style {
        match self {
            Self::Colored => Style::new().fg(color),
            Self::Plain => Style::new(),
        }
    }
}

/// Draws the state.
pub fn render(frame: &mut Frame, state: &mut State, palette: Palette) {
    let area = frame.area();
    let warning = warning_rows(state, area);
    let status = u16::from(area.height > 1);
    let parts =
        [Constraint::Min(0), Constraint::Length(warning.len() as u16), Constraint::Length(status)];
    let [text, alert, bottom] = Layout::vertical(parts).areas(area);

    let window = state.window(usize::from(text.width), usize::from(text.height));
    let lines: Vec<_> = window.rows.into_iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines), text);

    let style = palette.color(Color::Yellow).add_modifier(Modifier::BOLD);
    let lines: Vec<_> = warning.into_iter().map(|row| line(row).style(style)).collect();
    frame.render_widget(Paragraph::new(lines), alert);
    frame.render_widget(Paragraph::new(status_line(state, window.below, bottom, palette)), bottom);
}

/// Finals are bold, what may change is dim, and what is committed stands between them, in any theme.
fn style(role: Role) -> Style {
    match role {
        Role::Final => Style::new().add_modifier(Modifier::BOLD),
        Role::Stable => Style::new(),
        Role::Unstable | Role::Timestamp => Style::new().add_modifier(Modifier::DIM),
    }
}

fn line(row: Row) -> Line<'static> {
    row.spans.into_iter().map(|(text, role)| Span::styled(text, style(role))).collect()
}

fn warning_rows(state: &State, area: Rect) -> Vec<Row> {
    let Some(warning) = state.warning.as_ref().filter(|_| area.height >= LEAST_ROWS_WITH_WARNING)
    else {
        return Vec::new();
    };
    let most = WARNING_ROWS.min(usize::from(area.height / 3)).max(1);
    let mut rows = wrap([(warning.as_str(), Role::Final)], usize::from(area.width));
    rows.truncate(most);
    rows
}

/// What fits of the status, the most important first.
fn status_line(state: &State, below: Option<usize>, area: Rect, palette: Palette) -> Line<'static> {
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut parts = vec![phase(state, below, palette), meter(state.level, palette)];
    parts.push(Span::raw(clock(state.position)));
    let latency = |name: &str, latency: Option<Duration>| {
        latency.map(|latency| Span::styled(format!("{name} {:.1} s", latency.as_secs_f64()), dim))
    };
    parts.extend(latency("partial", state.partial_latency));
    parts.extend(latency("final", state.final_latency));
    if state.phase != Phase::Ending {
        parts.push(Span::styled("q end", dim));
        parts.push(Span::styled("↑↓ scroll", dim));
        parts.push(Span::styled("t times", dim));
        parts.push(Span::styled("c clear", dim));
    }
    let mut line = Line::default();
    for part in parts {
        let gap = if line.spans.is_empty() { "" } else { "  " };
        if line.width() + gap.len() + part.width() > usize::from(area.width) {
            break;
        }
        line.push_span(gap);
        line.push_span(part);
    }
    line
}

fn phase(state: &State, below: Option<usize>, palette: Palette) -> Span<'static> {
    let (text, color) = match (&state.phase, below) {
        (Phase::Ending, _) => ("… ending".to_owned(), Color::Yellow),
        (_, Some(rows)) => (format!("↓ {rows} more, End"), Color::Cyan),
        (Phase::Disconnected, None) => ("○ no microphone".to_owned(), Color::Red),
        (Phase::Waiting(keyword), None) => (format!("○ say “{keyword}”"), Color::Yellow),
        (Phase::Listening, None) => ("● live".to_owned(), Color::Green),
    };
    Span::styled(text, palette.color(color))
}

/// A bar of the level in decibels.
fn meter(level: f32, palette: Palette) -> Span<'static> {
    let decibels = 20.0 * level.max(1e-6).log10();
    let share = ((decibels - METER_FLOOR) / -METER_FLOOR).clamp(0.0, 1.0);
    let filled = (share * METER_COLUMNS as f32).round() as usize;
    let color = match decibels {
        loud if loud > -1.0 => Color::Red,
        quiet if quiet < -45.0 => Color::DarkGray,
        _ => Color::Green,
    };
    let bar = "█".repeat(filled) + &"░".repeat(METER_COLUMNS - filled);
    debug_assert_eq!(width(&bar), METER_COLUMNS);
    Span::styled(bar, palette.color(color))
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

    use super::*;
    use crate::captions::transcript::{Partial, Piece};

    fn state() -> State {
        let mut state = State::default();
        state.transcript.has_marks = true;
        let text = "There is nothing in the world that I should like better than to see you happy.";
        let [start, end] = [Duration::ZERO, Duration::from_secs(4)];
        let pieces = vec![Piece { start, end, text: text.to_owned() }];
        state.transcript.finalize(0, pieces);
        let [stable, unstable] = ["he said and".to_owned(), "went away".to_owned()];
        state.transcript.revise(1, Partial { start: end, end, stable, unstable });
        state.level = 0.1;
        state.partial_latency = Some(Duration::from_millis(700));
        state
    }

    fn drawn(state: &mut State, columns: u16, rows: u16, palette: Palette) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| render(frame, state, palette)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn lines(buffer: &Buffer) -> Vec<String> {
        let cells = buffer.content().chunks(usize::from(buffer.area.width));
        let text = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect();
        cells
            .map(|row| {
                let text: String = text(row);
                text.trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn text_fills_the_screen_by_words() {
        let shown = lines(&drawn(&mut state(), 80, 24, Palette::Colored));
        assert_eq!(
            shown[0],
            "There is nothing in the world that I should like better than to see you happy."
        );
        assert_eq!(shown[1], "he said and went away");
        assert!(
            shown[23].starts_with("● live  ███████░░░  00:00  partial 0.7 s  q end"),
            "{shown:?}"
        );
        let shown = lines(&drawn(&mut state(), 20, 6, Palette::Colored));
        assert_eq!(
            shown[..5],
            ["should like better", "than to see you", "happy.", "he said and went", "away"]
        );
    }

    #[test]
    fn certainty_is_seen() {
        let buffer = drawn(&mut state(), 80, 24, Palette::Colored);
        let modifier = |column, row| buffer[(column, row)].modifier;
        assert_eq!(modifier(0, 0), Modifier::BOLD);
        assert_eq!(modifier(0, 1), Modifier::empty());
        assert_eq!(modifier(13, 1), Modifier::DIM);
    }

    #[test]
    fn a_plain_palette_has_no_color() {
        let mut state = state();
        state.warning = Some("2.00 s of audio lost".to_owned());
        let has_color =
            |buffer: &Buffer| buffer.content().iter().any(|cell| cell.fg != Color::Reset);
        assert!(has_color(&drawn(&mut state, 80, 24, Palette::Colored)));
        assert!(!has_color(&drawn(&mut state, 80, 24, Palette::Plain)));
    }

    #[test]
    fn a_warning_stands_above_the_status() {
        let mut state = state();
        state.warning = Some("the microphone delivers nothing but zeros; unmute it".to_owned());
        let shown = lines(&drawn(&mut state, 30, 12, Palette::Colored));
        assert_eq!(shown[9..11], ["the microphone delivers", "nothing but zeros; unmute it"]);
    }

    #[test]
    fn every_size_can_be_drawn() {
        for (columns, rows) in [(1, 1), (2, 2), (3, 9), (20, 5), (0, 0), (200, 1), (1, 40)] {
            let mut state = state();
            state.warning = Some("the microphone has gone".to_owned());
            for phase in [Phase::Listening, Phase::Ending, Phase::Waiting("x".to_owned())] {
                state.phase = phase;
                assert_eq!(
                    lines(&drawn(&mut state, columns.max(1), rows.max(1), Palette::Plain)).len(),
                    usize::from(rows.max(1))
                );
            }
        }
        let shown = lines(&drawn(&mut state(), 20, 5, Palette::Plain));
        assert_eq!(shown[3], "away");
    }
}
