//! Spoken commands, and where they stand in a segment.

use std::time::Duration;

use mynah::SpokenWord;

use super::chord::Chord;

/// The commands without a file of the user's, which are its template.
pub const DEFAULTS: &str = include_str!("commands.txt");

/// The least pause between text and a command that ends its segment.
const PAUSE: Duration = Duration::from_millis(400);

/// The commands that are recognized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands(Vec<SpokenCommand>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct SpokenCommand {
    /// In lower case.
    phrase: Vec<String>,
    action: Action,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Insert(String),
    Press(Chord),
    Undo,
    Stop,
    /// A program and its arguments.
    Start(Vec<String>),
}

impl Commands {
    /// Reads commands, one a line as `phrase = action`; empty lines and those that begin with # are skipped.
    ///
    /// # Errors
    ///
    /// A line is neither. The error names it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let command = |(number, line)| {
            SpokenCommand::parse(line).map_err(|reason| format!("line {number}: {reason}"))
        };
        lines.map(command).collect::<Result<_, _>>().map(Self)
    }

    /// The most words that a command has.
    pub fn longest(&self) -> usize {
        self.0.iter().map(|command| command.phrase.len()).max().unwrap_or(0)
    }

    /// Splits a segment into so many words of text and the commands behind them.
    ///
    /// The segment is commands as a whole, or ends with some after a pause.
    pub fn split(&self, words: &[SpokenWord]) -> (usize, Vec<&Action>) {
        let (mut end, mut found) = (words.len(), Vec::new());
        while let Some(command) = self.ending(&words[..end]) {
            end -= command.phrase.len();
            found.push((end, &command.action));
        }
        let is_apart =
            |begin: usize| begin == 0 || words[begin - 1].pause.is_some_and(|pause| pause >= PAUSE);
        let apart = found.iter().rposition(|&(begin, _)| is_apart(begin));
        found.truncate(apart.map_or(0, |last| last + 1));
        let text = found.last().map_or(words.len(), |&(begin, _)| begin);
        (text, found.into_iter().rev().map(|(_, action)| action).collect())
    }

    /// The longest command at the end of the words.
    fn ending(&self, words: &[SpokenWord]) -> Option<&SpokenCommand> {
        let ends = |command: &&SpokenCommand| {
            let begin = words.len().checked_sub(command.phrase.len());
            let spoken = begin.map(|begin| words[begin..].iter());
            spoken.is_some_and(|spoken| {
                spoken
                    .zip(&command.phrase)
                    .all(|(word, phrase)| word.text.to_lowercase() == *phrase)
            })
        };
        self.0.iter().filter(ends).max_by_key(|command| command.phrase.len())
    }
}

impl SpokenCommand {
    fn parse(line: &str) -> Result<Self, String> {
        let (phrase, action) = line
            .split_once('=')
            .ok_or_else(|| format!("{line:?} has no `=`; write `phrase = action`"))?;
        let phrase: Vec<_> = phrase.split_whitespace().map(str::to_lowercase).collect();
        if phrase.is_empty() {
            return Err("there is no phrase before the `=`".to_owned());
        }
        Ok(Self { phrase, action: Action::parse(action.trim())? })
    }
}

impl Action {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(quoted) = text.strip_prefix('"') {
            return unquoted(quoted).map(Self::Insert);
        }
        if let Some(program) = text.strip_prefix("exec:") {
            let program: Vec<_> = program.split_whitespace().map(str::to_owned).collect();
            return if program.is_empty() {
                Err("`exec:` needs a program".to_owned())
            } else {
                Ok(Self::Start(program))
            };
        }
        match text.split_once(' ') {
            Some(("key", keys)) => keys.trim().parse().map(Self::Press),
            None if text == "undo" => Ok(Self::Undo),
            None if text == "stop" => Ok(Self::Stop),
            _ => Err(format!(
                "there is no action {text:?}; use \"TEXT\", key KEYS, undo, stop or exec: PROGRAM"
            )),
        }
    }
}

/// The text up to the closing quote, which must end it.
fn unquoted(quoted: &str) -> Result<String, String> {
    let (mut text, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next() {
            Some('"') if characters.as_str().is_empty() => return Ok(text),
            Some('"') => return Err("there is something behind the closing quote".to_owned()),
            Some('\\') => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(mark @ ('"' | '\\')) => text.push(mark),
                _ => return Err("a backslash stands before n, t, \" or \\ only".to_owned()),
            },
            Some(character) => text.push(character),
            None => return Err("the closing quote is missing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Commands {
        Commands::parse(DEFAULTS).unwrap()
    }

    /// Words with a pause of half a second where there is a `|`, and of a tenth elsewhere.
    fn words(text: &str) -> Vec<SpokenWord<'_>> {
        let mut words: Vec<SpokenWord> = Vec::new();
        for word in text.split_whitespace() {
            match words.last_mut() {
                Some(last) if word == "|" => last.pause = Some(Duration::from_millis(500)),
                _ => words.push(SpokenWord { text: word, pause: Some(Duration::from_millis(100)) }),
            }
        }
        words
    }

    fn split(text: &str) -> (usize, Vec<Action>) {
        let commands = commands();
        let (text, actions) = commands.split(&words(text));
        (text, actions.into_iter().cloned().collect())
    }

    #[test]
    fn a_command_is_a_whole_segment_or_ends_one_after_a_pause() {
        assert_eq!(split("SCRATCH THAT"), (0, vec![Action::Undo]));
        assert_eq!(split("GOOD MORNING | SCRATCH THAT"), (2, vec![Action::Undo]));
        assert_eq!(split("GOOD MORNING SCRATCH THAT"), (4, vec![]));
        assert_eq!(split("SCRATCH THAT | GOOD MORNING"), (4, vec![]));
        assert_eq!(split("THAT"), (1, vec![]));
        assert_eq!(split(""), (0, vec![]));
    }

    #[test]
    fn commands_follow_each_other() {
        let two = vec![Action::Undo, Action::Stop];
        assert_eq!(split("scratch that stop dictation"), (0, two.clone()));
        assert_eq!(split("NO | SCRATCH THAT STOP DICTATION"), (1, two));
        assert_eq!(split("PLEASE SCRATCH THAT | STOP DICTATION"), (3, vec![Action::Stop]));
    }

    #[test]
    fn the_longest_command_counts() {
        let commands = Commands::parse("that = stop\nscratch that = undo").unwrap();
        assert_eq!(commands.split(&words("SCRATCH THAT")), (0, vec![&Action::Undo]));
        assert_eq!(commands.longest(), 2);
    }

    #[test]
    fn every_action_is_parsed() {
        let text = r#"
            # comment
            My Mail = "a=b@c.d\n\t\"\\"
            go = key ctrl+Return
            off = stop
            lock = exec: loginctl lock-session
        "#;
        let Commands(commands) = Commands::parse(text).unwrap();
        let actions: Vec<_> = commands.iter().map(|command| command.action.clone()).collect();
        assert_eq!(commands[0].phrase, ["my", "mail"]);
        assert_eq!(actions[0], Action::Insert("a=b@c.d\n\t\"\\".to_owned()));
        assert_eq!(actions[1], Action::Press("ctrl+Return".parse().unwrap()));
        assert_eq!(actions[2], Action::Stop);
        assert_eq!(
            actions[3],
            Action::Start(vec!["loginctl".to_owned(), "lock-session".to_owned()])
        );
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = |line: &str| Commands::parse(&format!("# one\n{line}")).unwrap_err();
        assert!(error("scratch that").starts_with("line 2: \"scratch that\" has no `=`"));
        assert!(error("a = undoo").contains("no action \"undoo\""));
        assert!(error("= undo").contains("no phrase"));
        assert!(error("a = \"b").contains("closing quote is missing"));
        assert!(error("a = \"b\" c").contains("behind the closing quote"));
        assert!(error(r#"a = "\x""#).contains("backslash"));
        assert!(error("a = key Retrun").contains("no key"));
        assert!(error("a = exec:").contains("needs a program"));
    }
}
