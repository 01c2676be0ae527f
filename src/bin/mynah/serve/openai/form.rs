//! The fields of a request.

use std::time::Duration;

use axum::{
    extract::{
        Multipart,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
    response::Response,
};
use tokio::time::timeout;

use super::error::error;

/// Bytes of a field other than the file.
const FIELD_BYTES: usize = 64 << 10;
/// The file's name where the client gives none.
const UNNAMED: &str = "file";

/// A file, and how its text is wanted.
#[derive(Debug)]
pub struct Form {
    pub file: Vec<u8>,
    pub name: String,
    pub options: Options,
}

/// How text is wanted.
#[derive(Debug)]
pub struct Options {
    pub format: ResponseFormat,
    pub has_words: bool,
    pub has_segments: bool,
    pub is_stream: bool,
    pub is_formatted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFormat {
    Json,
    Text,
    Srt,
    Vtt,
    VerboseJson,
}

type Refused = Box<Response>;

impl Default for Options {
    fn default() -> Self {
        Self {
            format: ResponseFormat::Json,
            has_words: false,
            has_segments: false,
            is_stream: false,
            is_formatted: true,
        }
    }
}

impl Form {
    /// Reads the request's body; `receive` is given the bytes of each piece of the file, and `idle` is the longest
    /// time without one.
    ///
    /// # Errors
    ///
    /// The answer to a body that can't be used.
    pub async fn read(
        mut multipart: Multipart,
        receive: impl Fn(usize),
        idle: Duration,
    ) -> Result<Self, Refused> {
        let (mut options, mut file) = (Options::default(), None);
        loop {
            let field = timeout(idle, multipart.next_field()).await.map_err(|_| too_slow(idle))?;
            let Some(mut field) = field.map_err(|error| unreadable(&error))? else { break };
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                let file_name = field.file_name().unwrap_or(UNNAMED).to_owned();
                let bytes = read_field(&mut field, usize::MAX, idle, &receive).await?;
                file = Some((file_name, bytes));
            } else {
                let bytes = read_field(&mut field, FIELD_BYTES, idle, |_| {}).await?;
                let value = String::from_utf8_lossy(&bytes);
                options.set(&name, value.trim()).map_err(|reason| refuse(&reason, &name))?;
            }
        }
        let Some((name, file)) = file else {
            return Err(refuse("the form has no file; send one as the field `file`", "file"));
        };
        options.check().map_err(|(reason, param)| refuse(reason, param))?;
        Ok(Self { file, name, options })
    }
}

impl Options {
    /// Takes a field; those without an effect here (model, prompt, temperature and more) are left out.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "response_format" => {
                self.format = match value {
                    "json" => ResponseFormat::Json,
                    "text" => ResponseFormat::Text,
                    "srt" => ResponseFormat::Srt,
                    "vtt" => ResponseFormat::Vtt,
                    "verbose_json" => ResponseFormat::VerboseJson,
                    _ => {
                        return Err(format!(
                            "response_format {value:?}: give json, text, srt, vtt or verbose_json"
                        ));
                    }
                };
            }
            "timestamp_granularities[]" | "timestamp_granularities" => match value {
                "word" => self.has_words = true,
                "segment" => self.has_segments = true,
                _ => {
                    return Err(format!("timestamp_granularities {value:?}: give word or segment"));
                }
            },
            "language" if !["", "en", "english"].contains(&value.to_lowercase().as_str()) => {
                return Err(format!("language {value:?}: the model recognizes English, en, alone"));
            }
            "stream" => self.is_stream = flag(value, name)?,
            "formatted" => self.is_formatted = flag(value, name)?,
            _ => {}
        }
        Ok(())
    }

    /// Refuses what no single field is to blame for.
    fn check(&mut self) -> Result<(), (&'static str, &'static str)> {
        let is_verbose = self.format == ResponseFormat::VerboseJson;
        if (self.has_words || self.has_segments) && !is_verbose {
            let reason = "timestamp_granularities need response_format verbose_json";
            return Err((reason, "timestamp_granularities"));
        }
        if self.is_stream && !matches!(self.format, ResponseFormat::Json | ResponseFormat::Text) {
            return Err(("stream needs response_format json or text", "stream"));
        }
        self.has_segments |= !self.has_words;
        Ok(())
    }
}

async fn read_field(
    field: &mut Field<'_>,
    most: usize,
    idle: Duration,
    count: impl Fn(usize),
) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    loop {
        let chunk = timeout(idle, field.chunk()).await.map_err(|_| too_slow(idle))?;
        let Some(chunk) = chunk.map_err(|error| unreadable(&error))? else { return Ok(bytes) };
        if chunk.len() > most - bytes.len() {
            let name = field.name().unwrap_or_default();
            return Err(refuse(&format!("more than {most} bytes"), name));
        }
        count(chunk.len());
        bytes.extend_from_slice(&chunk);
    }
}

fn flag(value: &str, name: &str) -> Result<bool, String> {
    match value.to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(format!("{name} {value:?}: give true or false")),
    }
}

fn refuse(reason: &str, param: &str) -> Refused {
    Box::new(error(StatusCode::BAD_REQUEST, reason, Some(param)))
}

fn too_slow(idle: Duration) -> Refused {
    let reason = format!("nothing more of the form came for {} s", idle.as_secs_f64());
    Box::new(error(StatusCode::REQUEST_TIMEOUT, &reason, None))
}

fn unreadable(cause: &MultipartError) -> Refused {
    Box::new(error(cause.status(), &cause.body_text(), Some("file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(fields: &[(&str, &str)]) -> Result<Options, String> {
        let mut options = Options::default();
        fields.iter().try_for_each(|(name, value)| options.set(name, value))?;
        options.check().map_err(|(reason, _)| reason.to_owned())?;
        Ok(options)
    }

    #[test]
    fn segments_are_the_default_granularity() {
        let verbose = ("response_format", "verbose_json");
        let granularities = |fields: &[_]| options(fields).map(|o| (o.has_words, o.has_segments));
        assert_eq!(granularities(&[verbose]), Ok((false, true)));
        let word = ("timestamp_granularities[]", "word");
        assert_eq!(granularities(&[verbose, word]), Ok((true, false)));
        let segment = ("timestamp_granularities[]", "segment");
        assert_eq!(granularities(&[verbose, word, segment]), Ok((true, true)));
        assert!(granularities(&[word]).is_err());
    }

    #[test]
    fn wrong_values_are_refused_and_other_fields_left_out() {
        for field in [("response_format", "xml"), ("language", "fr"), ("stream", "maybe")] {
            assert!(options(&[field]).is_err(), "{field:?}");
        }
        assert!(
            options(&[("model", "whisper-1"), ("temperature", "0"), ("language", "en")]).is_ok()
        );
        assert!(options(&[("stream", "true"), ("response_format", "srt")]).is_err());
    }
}
