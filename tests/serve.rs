//! `mynah serve` over its sockets, with real speech: what each protocol answers, and that bad input ends
//! its own connection alone.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(all(feature = "serve", feature = "builtin-model", unix))]

mod websocket;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use assert_cmd::cargo::cargo_bin;
use mynah::audio::{AudioFile, ReadOutcome::Samples, Source};
use serde_json::{Value, json};
use websocket::{BINARY, Received, TEXT, WebSocket};

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
const TRANSCRIPT: &str = include_str!("../examples/speech.txt");
const CONFIG: &str = r#"{"config": {"sample_rate": 16000}}"#;
/// 0.2 s at 16 kHz.
const MESSAGE_BYTES: usize = 6_400;
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, killed at the end.
struct Server {
    process: Child,
    http: String,
    wyoming: String,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(cargo_bin!("mynah"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--wyoming", "127.0.0.1:0"])
            .args(options);
        command.env_remove("RUST_LOG").env_remove("MYNAH_TOKEN").stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut address = |begin: &str| {
            let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with(begin));
            let line = line.unwrap_or_else(|| panic!("no line that begins with {begin}"));
            line[begin.len()..].split(' ').next().unwrap().to_owned()
        };
        let (http, wyoming) = (address("listening: http://"), address("listening: tcp://"));
        // A pipe that nobody reads would hold up the server.
        thread::spawn(move || lines.for_each(drop));
        Self { process, http, wyoming }
    }

    fn open(&self) -> WebSocket {
        WebSocket::open(&self.http, "/", "").unwrap()
    }

    /// An HTTP response, its status line first.
    fn request(&self, request: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(&self.http).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (host, length) = (&self.http, body.len());
        let head = format!(
            "{request}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut response = Vec::new();
        socket.read_to_end(&mut response).unwrap();
        String::from_utf8(response).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1"), b"")
    }

    /// Uploads a file with further fields.
    fn transcribe(&self, file: &[u8], fields: &[(&str, &str)]) -> String {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.as_bytes());
        }
        body.extend(b"--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.flac\"\r\n\r\n");
        body.extend(file);
        body.extend(b"\r\n--limit--\r\n");
        let head = "POST /v1/audio/transcriptions HTTP/1.1\r\n\
                    Content-Type: multipart/form-data; boundary=limit";
        self.request(head, &body)
    }

    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics");
        let line = text.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name} is not in {text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The example as 16-bit samples at 16 kHz.
fn speech() -> Vec<u8> {
    let mut file = AudioFile::open(SPEECH).unwrap();
    assert_eq!(file.sample_rate(), 16_000);
    let (mut bytes, mut block) = (Vec::new(), [0.0; 4_096]);
    while let Samples(count) = file.read(&mut block).unwrap() {
        bytes.extend(block[..count].iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()));
    }
    bytes
}

fn words(text: &str) -> String {
    let kept = |c: char| c.is_alphabetic() || c == '\'' || c == ' ';
    text.to_lowercase()
        .replace('\n', " ")
        .chars()
        .filter(|&c| kept(c))
        .collect::<String>()
        .trim()
        .to_owned()
}

fn answer(socket: &mut WebSocket) -> Value {
    match socket.receive() {
        Received::Text(text) => serde_json::from_str(&text).unwrap(),
        closed => panic!("{closed:?} instead of an answer"),
    }
}

/// Sends messages in lock step; gives the texts of the results and how the connection was closed.
fn converse<'a>(
    socket: &mut WebSocket,
    messages: impl Iterator<Item = &'a [u8]>,
) -> (String, Value, u16) {
    let mut texts = Vec::new();
    for message in messages {
        socket.send(BINARY, message).unwrap();
        let answer = answer(socket);
        assert!(answer.get("partial").is_some() != answer.get("text").is_some(), "{answer}");
        texts.extend(answer["text"].as_str().map(str::to_owned));
    }
    socket.send_text(r#"{"eof" : 1}"#);
    let last = answer(socket);
    texts.push(last["text"].as_str().unwrap().to_owned());
    texts.retain(|text| !text.is_empty());
    let Received::Closed(code, _) = socket.receive() else { panic!("an answer too many") };
    (texts.join(" "), last, code)
}

fn recognize(socket: &mut WebSocket) -> String {
    socket.send_text(CONFIG);
    converse(socket, speech().chunks(MESSAGE_BYTES)).0
}

#[test]
fn each_message_has_one_answer() {
    let server = Server::start(&[]);
    let mut socket = server.open();
    socket.send_text(CONFIG);
    let (text, last, code) = converse(&mut socket, speech().chunks(MESSAGE_BYTES));
    assert_eq!((text.as_str(), code), (words(TRANSCRIPT).as_str(), 1000));
    let result = last["result"].as_array().unwrap();
    for word in result {
        assert!(word["start"].as_f64() < word["end"].as_f64(), "{word}");
        assert!((0.0..=1.0).contains(&word["conf"].as_f64().unwrap()), "{word}");
    }
    assert_eq!(result.last().unwrap()["word"], "happy");
    assert!(server.metric("mynah_audio_seconds_total") > 1.0);
    assert!(server.metric("mynah_received_bytes_total{protocol=\"websocket\"}") > 1.0);
}

#[test]
fn bad_input_is_answered_and_disturbs_nobody() {
    let server = Server::start(&["--max-message", "65536"]);
    let mut good = server.open();
    good.send_text(CONFIG);
    let speech = speech();
    let (begin, end) = speech.split_at(MESSAGE_BYTES * 3);
    for message in begin.chunks(MESSAGE_BYTES) {
        good.send(BINARY, message).unwrap();
        answer(&mut good);
    }
    let (long, longer) = (vec![0; 65_537], vec![0; 300_000]);
    let cases: [(u8, &[u8], u16, &str); 9] = [
        (TEXT, br#"{"config": {"sample_rate": 0}}"#, 1007, "0 Hz"),
        (TEXT, br#"{"config": {"sample_rate": 1e9}}"#, 1007, "1000000000 Hz"),
        (TEXT, br#"{"config": {"sample_rate": "fast"}}"#, 1007, "sample_rate"),
        (TEXT, br#"{"config": {"phrase_list": ["a;b"]}}"#, 1007, "';'"),
        (TEXT, b"is this audio?", 1007, "no JSON"),
        (TEXT, b"{\"eof\"", 1007, "no JSON"),
        (TEXT, b"\xff\xfe", 1007, "UTF-8"),
        (BINARY, &long, 1009, "65536"),
        (BINARY, &longer, 1009, ""),
    ];
    for (kind, message, code, reason) in cases {
        let mut socket = server.open();
        // The server may close before it has read all of it.
        let _ = socket.send(kind, message);
        let error = answer(&mut socket);
        assert!(error["error"].as_str().unwrap().contains(reason), "{error} has no {reason:?}");
        let Received::Closed(closed, _) = socket.receive() else { panic!("not closed: {error}") };
        assert_eq!(closed, code, "{error}");
    }
    let (text, ..) = converse(&mut good, end.chunks(MESSAGE_BYTES));
    assert_eq!(text, words(TRANSCRIPT));
}

#[test]
fn samples_may_be_split_between_messages() {
    let server = Server::start(&[]);
    let mut speech = speech();
    let mut socket = server.open();
    socket.send_text(CONFIG);
    let (text, last, _) = converse(&mut socket, speech.chunks(MESSAGE_BYTES - 1));
    assert_eq!((text, last.get("warning")), (words(TRANSCRIPT), None));
    speech.push(0);
    let mut socket = server.open();
    socket.send_text(CONFIG);
    let (text, last, _) = converse(&mut socket, speech.chunks(MESSAGE_BYTES));
    assert_eq!(text, words(TRANSCRIPT));
    assert!(last["warning"].as_str().unwrap().contains("last byte"), "{last}");
}

#[test]
fn a_full_server_refuses_at_once_and_a_client_that_leaves_makes_room() {
    let server = Server::start(&["--max-streams", "1", "--max-uploads", "1"]);
    let mut first = server.open();
    first.send_text(CONFIG);
    first.send(BINARY, &speech()[..MESSAGE_BYTES]).unwrap();
    answer(&mut first);
    let refused = WebSocket::open(&server.http, "/ws", "").err().unwrap();
    assert!(
        refused.starts_with("HTTP/1.1 503") && refused.contains("limit of streams"),
        "{refused}"
    );
    assert_eq!(server.metric("mynah_refused_total{protocol=\"websocket\"}"), 1.0);
    // Without a close, as when a network fails.
    drop(first);
    let began = Instant::now();
    let mut second = loop {
        match WebSocket::open(&server.http, "/ws", "") {
            Ok(socket) => break socket,
            Err(_) if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
            Err(refused) => panic!("no room: {refused}"),
        }
    };
    assert_eq!(recognize(&mut second), words(TRANSCRIPT));
}

#[test]
fn limits_end_a_stream_after_its_result() {
    let server = Server::start(&["--max-idle", "1", "--max-audio", "2.5"]);
    let mut idle = server.open();
    idle.send_text(CONFIG);
    assert_eq!(answer(&mut idle)["text"], "");
    assert_eq!(answer(&mut idle)["error"], "no audio for 1 s");
    assert!(matches!(idle.receive(), Received::Closed(1008, _)));
    let mut long = server.open();
    long.send_text(CONFIG);
    long.send(BINARY, &speech()).unwrap();
    let result = answer(&mut long);
    assert!(
        words(TRANSCRIPT).starts_with(result["text"].as_str().unwrap().split(' ').next().unwrap()),
        "{result}"
    );
    assert_ne!(result["text"], "");
    assert!(answer(&mut long)["error"].as_str().unwrap().contains("2.5 s of audio"));
    assert!(matches!(long.receive(), Received::Closed(1008, _)));
    // A connection without a request holds nothing, and is closed.
    let mut silent = TcpStream::connect(&server.http).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    silent.write_all(b"GET / HT").unwrap();
    assert!(matches!(silent.read(&mut [0; 16]), Ok(0)));
    // After an answer it ends too, whether the client would keep it or not.
    let mut kept = TcpStream::connect(&server.http).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = String::new();
    kept.read_to_string(&mut response).unwrap();
    assert!(response.to_lowercase().contains("\r\nconnection: close"), "{response}");
}

#[test]
fn phrases_restrict_text_and_captions_come_unasked() {
    let server = Server::start(&[]);
    let mut socket = server.open();
    socket.send_text(
        r#"{"config": {"sample_rate": 16000, "phrase_list": ["lights on", "[unk]"], "words": 0}}"#,
    );
    let (text, ..) = converse(&mut socket, speech().chunks(MESSAGE_BYTES));
    assert_eq!(text, "[unk]");
    let mut socket = WebSocket::open(&server.http, "/ws", "").unwrap();
    socket.send_text(
        r#"{"config": {"sample_rate": 16000, "events": true, "formatted": true, "words": false}}"#,
    );
    speech().chunks(MESSAGE_BYTES).for_each(|message| socket.send(BINARY, message).unwrap());
    socket.send_text(r#"{"eof": 1}"#);
    let (mut partials, mut texts) = (0, Vec::new());
    let code = loop {
        match socket.receive() {
            Received::Text(text) => {
                let event: Value = serde_json::from_str(&text).unwrap();
                assert!(event["utterance"].is_u64(), "{event}");
                partials += usize::from(event["partial"].is_string());
                texts.extend(event["text"].as_str().map(str::to_owned));
            }
            Received::Closed(code, _) => break code,
        }
    };
    assert_eq!((words(&texts.join(" ")), code), (words(TRANSCRIPT), 1000));
    assert!(partials > 0 && texts[0].starts_with(char::is_uppercase), "{texts:?}");
}

#[test]
fn the_token_and_the_origin_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "secret\n").unwrap();
    let server = Server::start(&["--token-file", file.to_str().unwrap()]);
    let open = |path, headers: &str| WebSocket::open(&server.http, path, headers).err();
    assert!(open("/", "").unwrap().starts_with("HTTP/1.1 401"));
    assert!(open("/ws", "Authorization: Bearer other\r\n").unwrap().starts_with("HTTP/1.1 401"));
    assert_eq!(open("/ws", "Authorization: Bearer secret\r\n"), None);
    assert_eq!(open("/ws?access_token=secret", ""), None);
    let foreign = "Authorization: Bearer secret\r\nOrigin: https://example.org\r\n";
    assert!(open("/ws", foreign).unwrap().starts_with("HTTP/1.1 403"));
    let own = format!("Authorization: Bearer secret\r\nOrigin: http://{}\r\n", server.http);
    assert_eq!(open("/ws", &own), None);
    assert!(server.get("/metrics").starts_with("HTTP/1.1 401"));
    assert!(server.get("/health").starts_with("HTTP/1.1 200"));
    assert!(server.get("/").contains("content-security-policy"));
}

#[test]
fn files_are_transcribed_as_openai_does() {
    let server = Server::start(&["--max-upload", "200000"]);
    let file = std::fs::read(SPEECH).unwrap();
    let body = |response: &str| response.split_once("\r\n\r\n").unwrap().1.to_owned();
    let json = |response: &str| serde_json::from_str::<Value>(&body(response)).unwrap();
    let response = server.transcribe(&file, &[("model", "whisper-1")]);
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(json(&response)["text"].as_str().unwrap(), TRANSCRIPT.trim());
    let fields = [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")];
    let verbose = json(&server.transcribe(&file, &fields));
    assert_eq!(verbose["words"].as_array().unwrap().last().unwrap()["word"], "happy.");
    let vtt = body(&server.transcribe(&file, &[("response_format", "vtt")]));
    assert!(vtt.starts_with("WEBVTT"), "{vtt}");
    let events = server.transcribe(&file, &[("stream", "true")]);
    assert!(
        events.contains("transcript.text.delta") && events.contains("transcript.text.done"),
        "{events}"
    );
    for (response, status, reason) in [
        (server.transcribe(b"no audio at all", &[]), "400", "a.flac"),
        (server.transcribe(b"", &[]), "400", "empty"),
        (server.transcribe(&file, &[("response_format", "xml")]), "400", "xml"),
        (server.transcribe(&file, &[("language", "fr")]), "400", "English"),
        (server.transcribe(&vec![0; 300_000], &[]), "413", ""),
        (server.get("/v1/nothing"), "404", "docs"),
    ] {
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{response}");
        let message = json(&response)["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(json(&server.get("/v1/models"))["data"][0]["id"], "mynah");
}

/// Sends a Wyoming message.
fn send(socket: &mut TcpStream, kind: &str, data: &Value, payload: &[u8]) {
    let header = json!({ "type": kind, "data": data, "payload_length": payload.len() });
    socket.write_all(format!("{header}\n").as_bytes()).unwrap();
    socket.write_all(payload).unwrap();
}

/// Receives a Wyoming message.
fn receive(reader: &mut impl BufRead) -> (String, Value) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let header: Value = serde_json::from_str(&line).unwrap();
    let mut data = vec![0; header["data_length"].as_u64().unwrap_or(0) as usize];
    reader.read_exact(&mut data).unwrap();
    (header["type"].as_str().unwrap().to_owned(), serde_json::from_slice(&data).unwrap_or_default())
}

fn connect(address: &str) -> (TcpStream, BufReader<TcpStream>) {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let reader = BufReader::new(socket.try_clone().unwrap());
    (socket, reader)
}

#[test]
fn wyoming_clients_get_a_transcript() {
    let server = Server::start(&[]);
    let (mut socket, mut reader) = connect(&server.wyoming);
    let audio = json!({ "rate": 16_000, "width": 2, "channels": 1 });
    send(&mut socket, "audio-start", &audio, b"");
    let bad: [(&[u8], &str); 4] = [
        (b"hello\n", "header"),
        (b"{\"type\": \"audio-chunk\", \"payload_length\": 99999999}\n", "at most"),
        (b"{\"type\": \"audio-stop\"}\n", "without audio-start"),
        (b"{\"type\": \"audio-start\", \"data\": {\"width\": 3}}\n", "16-bit"),
    ];
    for (message, reason) in bad {
        let (mut socket, mut reader) = connect(&server.wyoming);
        socket.write_all(message).unwrap();
        let (kind, data) = receive(&mut reader);
        assert_eq!(kind, "error");
        assert!(data["text"].as_str().unwrap().contains(reason), "{data}");
    }
    for message in speech().chunks(MESSAGE_BYTES) {
        send(&mut socket, "audio-chunk", &audio, message);
    }
    send(&mut socket, "audio-stop", &json!({}), b"");
    let messages: Vec<_> = (0..4).map(|_| receive(&mut reader)).collect();
    let kinds: Vec<_> = messages.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["transcript-start", "transcript-chunk", "transcript", "transcript-stop"]);
    assert_eq!(words(messages[2].1["text"].as_str().unwrap()), words(TRANSCRIPT));
    send(&mut socket, "ping", &json!({ "text": "a" }), b"");
    assert_eq!(receive(&mut reader), ("pong".to_owned(), json!({ "text": "a" })));
}

#[test]
fn a_signal_gives_each_stream_its_final() {
    let mut server = Server::start(&[]);
    let mut socket = server.open();
    socket.send_text(CONFIG);
    for message in speech().chunks(MESSAGE_BYTES) {
        socket.send(BINARY, message).unwrap();
        answer(&mut socket);
    }
    let killed = Command::new("kill").args(["-TERM", &server.process.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(answer(&mut socket)["text"].as_str().unwrap(), words(TRANSCRIPT));
    assert_eq!(answer(&mut socket)["error"], "the server is stopping");
    assert!(matches!(socket.receive(), Received::Closed(1001, _)));
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}
