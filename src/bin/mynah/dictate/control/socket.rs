//! Requests over a Unix socket: a word and a line break each way.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{Control, Request};

/// How long either side waits for the other's line.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64;

/// The socket of the one dictation that runs. Dropping it removes the socket.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
    /// Locked as long as this process runs, so that a socket without it is stale.
    _lock: File,
}

/// Where the socket is: in the user's runtime directory, or in one of the user's own below the temporary one.
pub fn default_path() -> PathBuf {
    let directory = match env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
        Some(runtime) => PathBuf::from(runtime).join("mynah"),
        None => {
            let user = env::var("USER").unwrap_or_default();
            env::temp_dir().join(format!("mynah-{}", user.replace('/', "_")))
        }
    };
    directory.join("dictate.sock")
}

impl Server {
    /// Makes the socket, for the user alone, in place of one whose process has ended.
    ///
    /// # Errors
    ///
    /// Another process has it, or the system refuses it.
    pub fn bind(path: &Path) -> Result<Self> {
        let name = || format!("{}", path.display());
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(name)?;
            if directory.parent() == Some(&env::temp_dir()) {
                claim(directory).with_context(name)?;
            }
        }
        let lock = lock(path)?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(name);
            }
            _ => {}
        }
        let listener = UnixListener::bind(path).with_context(name)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).with_context(name)?;
        Ok(Self { path: path.to_owned(), listener, _lock: lock })
    }

    /// Answers requests from now on, in a thread of its own.
    ///
    /// # Errors
    ///
    /// The system has no thread to spare.
    pub fn answer(&self, control: Control) -> Result<()> {
        let listener = self.listener.try_clone().context("the control socket")?;
        let answer = move || {
            for stream in listener.incoming() {
                match stream.and_then(|stream| answer(stream, &control)) {
                    Ok(()) => {}
                    Err(error) => {
                        log::info!("control socket: {error}");
                        // Not in a tight loop where descriptors have run out.
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("mynah-control".to_owned()).spawn(answer);
        thread.map(|_| ()).context("no thread to answer requests with")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it can't be removed, the next dictation replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Locks the file beside the socket, and writes the process's number into it.
fn lock(path: &Path) -> Result<File> {
    let lock_path = path.with_extension("lock");
    let name = || format!("{}", lock_path.display());
    let options = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .to_owned();
    let mut file = options.open(&lock_path).with_context(name)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // The number is for the message alone.
            let _ = file.take(LONGEST_LINE).read_to_string(&mut process);
            bail!(
                "dictation runs already, as process {}; `mynah dictate toggle` starts and stops it, \
                 `mynah dictate quit` ends it",
                process.trim()
            );
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(name),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).with_context(name)?;
    Ok(file)
}

/// Refuses a folder below the temporary one that another user made.
fn claim(directory: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(directory)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    // Fails unless the folder is this user's.
    fs::set_permissions(directory, Permissions::from_mode(0o700))
}

/// Reads one request and answers it.
fn answer(stream: UnixStream, control: &Control) -> io::Result<()> {
    let line = read_line(&stream)?;
    let reply = match line.parse() {
        Ok(request) => control.obey(request).to_string(),
        Err(reason) => format!("error: {reason}"),
    };
    log::info!("{line}: {reply}");
    writeln!(&stream, "{reply}")
}

/// Sends a request to the dictation that runs; returns its answer.
///
/// # Errors
///
/// None runs, or it does not answer.
pub fn request(path: &Path, request: Request) -> Result<String> {
    let stream = UnixStream::connect(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => anyhow::anyhow!(
            "no dictation runs ({}); start one with `mynah dictate`",
            path.display()
        ),
        _ => anyhow::Error::new(error).context(format!("{}", path.display())),
    })?;
    let reply = writeln!(&stream, "{}", request.word()).and_then(|()| read_line(&stream));
    let reply = reply.with_context(|| format!("{}: dictation does not answer", path.display()))?;
    match reply.strip_prefix("error: ") {
        Some(reason) => bail!("{reason}"),
        None => Ok(reply),
    }
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictate::{control::Order, switch::Switch};

    fn socket() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mynah/dictate.sock");
        (folder, path)
    }

    #[test]
    fn requests_are_answered_and_obeyed() {
        let (_folder, path) = socket();
        let server = Server::bind(&path).unwrap();
        let (control, orders) = Control::new(Switch::new(false));
        server.answer(control).unwrap();
        assert_eq!(request(&path, Request::Status).unwrap(), "paused");
        assert_eq!(request(&path, Request::Toggle).unwrap(), "recording");
        assert_eq!(request(&path, Request::Stop).unwrap(), "paused");
        assert_eq!(orders.try_iter().collect::<Vec<_>>(), [Order::Begin, Order::Finalize]);
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"halt\n").unwrap();
        assert_eq!(read_line(&stream).unwrap(), "error: there is no request \"halt\"");
    }

    #[test]
    fn the_socket_is_the_users_alone_and_goes_with_its_server() {
        let (_folder, path) = socket();
        let server = Server::bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        drop(server);
        assert!(!path.exists());
        let error = request(&path, Request::Status).unwrap_err().to_string();
        assert!(error.starts_with("no dictation runs"), "{error}");
    }

    #[test]
    fn a_second_one_is_refused_and_a_stale_socket_replaced() {
        let (_folder, path) = socket();
        let first = Server::bind(&path).unwrap();
        let error = Server::bind(&path).unwrap_err().to_string();
        let expected = format!("dictation runs already, as process {};", process::id());
        assert!(error.starts_with(&expected), "{error}");
        drop(first);
        // What a killed process leaves behind.
        drop(UnixListener::bind(&path).unwrap());
        assert!(request(&path, Request::Status).is_err());
        let second = Server::bind(&path).unwrap();
        let (control, _orders) = Control::new(Switch::new(true));
        second.answer(control).unwrap();
        assert_eq!(request(&path, Request::Status).unwrap(), "recording");
    }
}
