//! The threads that compute: many tasks, a slice at a time, the longest waiting first.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// So many slices of live tasks may pass a bulk task that waits.
const LIVE_IN_A_ROW: usize = 8;
/// A wait is forgotten after this time.
const WAIT_MEMORY: Duration = Duration::from_secs(1);

/// Work that is done in slices, by one thread at a time.
pub trait Task: Send {
    /// Computes for a fraction of a second at most.
    fn run(&mut self) -> Progress;

    /// Reports that [`Task::run`] has panicked; the task is dropped next.
    fn panicked(&mut self);
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to compute.
    Ready,
    /// There is nothing to compute until [`Handle::wake`].
    Waiting,
    Ended,
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Somebody waits for each slice.
    Live,
    /// Runs where live tasks leave room, and on all threads but one at most.
    Bulk,
}

/// A fixed number of threads.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

/// A task of a pool.
pub struct Handle(Arc<Entry>);

struct Shared {
    queues: Mutex<Queues>,
    filled: Condvar,
    threads: usize,
}

#[derive(Default)]
struct Queues {
    live: VecDeque<Waiting>,
    bulk: VecDeque<Waiting>,
    live_in_a_row: usize,
    bulk_running: usize,
    last_wait: Option<(Instant, Duration)>,
}

struct Waiting {
    since: Instant,
    entry: Arc<Entry>,
}

struct Entry {
    class: Class,
    state: Mutex<State>,
    /// `None` once it has ended.
    task: Mutex<Option<Box<dyn Task>>>,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// In a queue.
    Queued,
    Running,
    /// Running, and there is more to compute.
    Woken,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system has no thread to spare.
    pub fn new(threads: usize) -> io::Result<Self> {
        let (queues, filled) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { queues, filled, threads });
        for index in 0..threads {
            let shared = Arc::clone(&shared);
            let name = format!("mynah-worker-{index}");
            thread::Builder::new().name(name).spawn(move || shared.work())?;
        }
        Ok(Self(shared))
    }

    /// Adds a task, which waits until it is woken.
    pub fn add(&self, class: Class, task: Box<dyn Task>) -> Handle {
        let (state, task) = (Mutex::new(State::Idle), Mutex::new(Some(task)));
        Handle(Arc::new(Entry { class, state, task, shared: Arc::clone(&self.0) }))
    }

    /// How long live tasks wait for a thread: the longest wait of late.
    pub fn wait(&self) -> Duration {
        let queues = lock(&self.0.queues);
        let front = queues.live.front().map_or(Duration::ZERO, |waiting| waiting.since.elapsed());
        let last = queues.last_wait.filter(|(at, _)| at.elapsed() < WAIT_MEMORY);
        front.max(last.map_or(Duration::ZERO, |(_, wait)| wait))
    }
}

impl Handle {
    /// Has the task run as soon as a thread is free.
    pub fn wake(&self) {
        let mut state = lock(&self.0.state);
        match *state {
            State::Idle => {
                *state = State::Queued;
                drop(state);
                self.0.shared.push(Arc::clone(&self.0));
            }
            State::Running => *state = State::Woken,
            State::Queued | State::Woken => {}
        }
    }
}

impl Shared {
    fn push(&self, entry: Arc<Entry>) {
        let mut queues = lock(&self.queues);
        let class = entry.class;
        let waiting = Waiting { since: Instant::now(), entry };
        match class {
            Class::Live => queues.live.push_back(waiting),
            Class::Bulk => queues.bulk.push_back(waiting),
        }
        self.filled.notify_one();
    }

    fn work(&self) {
        loop {
            let entry = self.next();
            let is_bulk = entry.class == Class::Bulk;
            self.run(entry);
            if is_bulk {
                lock(&self.queues).bulk_running -= 1;
                self.filled.notify_one();
            }
        }
    }

    fn next(&self) -> Arc<Entry> {
        let most_bulk = (self.threads - 1).max(1);
        let mut queues = lock(&self.queues);
        loop {
            if let Some(entry) = queues.pop(most_bulk) {
                return entry;
            }
            queues = self.filled.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, entry: Arc<Entry>) {
        *lock(&entry.state) = State::Running;
        let progress = entry.run();
        let mut state = lock(&entry.state);
        let is_ready = match progress {
            Progress::Ready => true,
            Progress::Waiting => *state == State::Woken,
            Progress::Ended => false,
        };
        *state = if is_ready { State::Queued } else { State::Idle };
        drop(state);
        if is_ready {
            self.push(entry);
        }
    }
}

impl Queues {
    fn pop(&mut self, most_bulk: usize) -> Option<Arc<Entry>> {
        let bulk_is_due = self.live.is_empty() || self.live_in_a_row >= LIVE_IN_A_ROW;
        if bulk_is_due
            && self.bulk_running < most_bulk
            && let Some(waiting) = self.bulk.pop_front()
        {
            self.live_in_a_row = 0;
            self.bulk_running += 1;
            return Some(waiting.entry);
        }
        let waiting = self.live.pop_front()?;
        self.live_in_a_row += 1;
        let wait = waiting.since.elapsed();
        let longer =
            self.last_wait.is_none_or(|(at, last)| last <= wait || at.elapsed() > WAIT_MEMORY);
        if longer {
            self.last_wait = Some((Instant::now(), wait));
        }
        Some(waiting.entry)
    }
}

impl Entry {
    /// Runs a slice; a panic ends the task alone.
    fn run(&self) -> Progress {
        let mut slot = lock(&self.task);
        let Some(task) = slot.as_mut() else { return Progress::Ended };
        let progress = catch_unwind(AssertUnwindSafe(|| task.run())).unwrap_or_else(|_| {
            task.panicked();
            Progress::Ended
        });
        if progress == Progress::Ended {
            *slot = None;
        }
        progress
    }
}

/// What a panic left half done is dropped with its task; the queues are never left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Counted {
        name: &'static str,
        left: usize,
        ran: Sender<&'static str>,
    }

    impl Task for Counted {
        fn run(&mut self) -> Progress {
            assert!(self.left > 0, "nothing is left to run");
            self.left -= 1;
            self.ran.send(self.name).unwrap();
            if self.left == 0 { Progress::Waiting } else { Progress::Ready }
        }

        fn panicked(&mut self) {
            self.ran.send("panicked").unwrap();
        }
    }

    fn counted(name: &'static str, left: usize, ran: &Sender<&'static str>) -> Box<dyn Task> {
        Box::new(Counted { name, left, ran: ran.clone() })
    }

    #[test]
    fn tasks_take_turns() {
        let pool = Pool::new(1).unwrap();
        let (ran, order) = channel();
        let handles = ["a", "b"].map(|name| pool.add(Class::Live, counted(name, 3, &ran)));
        // Both are in the queue before the first has run.
        let mut queues = lock(&pool.0.queues);
        for handle in &handles {
            *lock(&handle.0.state) = State::Queued;
            let waiting = Waiting { since: Instant::now(), entry: Arc::clone(&handle.0) };
            queues.live.push_back(waiting);
        }
        drop(queues);
        pool.0.filled.notify_one();
        let order: Vec<_> = order.iter().take(6).collect();
        assert_eq!(order, ["a", "b", "a", "b", "a", "b"]);
    }

    #[test]
    fn a_panic_ends_its_task_alone() {
        let pool = Pool::new(1).unwrap();
        let (ran, order) = channel();
        let panics = pool.add(Class::Live, counted("a", 1, &ran));
        panics.wake();
        assert_eq!(order.recv(), Ok("a"));
        // The slice that wakes it while it runs is not lost either.
        panics.wake();
        assert_eq!(order.recv(), Ok("panicked"));
        let other = pool.add(Class::Live, counted("b", 1, &ran));
        other.wake();
        assert_eq!(order.recv(), Ok("b"));
        panics.wake();
        assert!(order.recv_timeout(Duration::from_millis(50)).is_err());
    }

    #[test]
    fn bulk_waits_for_live_tasks_but_not_for_ever() {
        let mut queues = Queues::default();
        let pool = Pool::new(0).unwrap();
        let (ran, _order) = channel();
        let put = |queues: &mut Queues, class| {
            let entry = pool.add(class, counted("", 1, &ran)).0;
            let waiting = Waiting { since: Instant::now(), entry };
            match class {
                Class::Live => queues.live.push_back(waiting),
                Class::Bulk => queues.bulk.push_back(waiting),
            }
        };
        put(&mut queues, Class::Bulk);
        put(&mut queues, Class::Bulk);
        (0..20).for_each(|_| put(&mut queues, Class::Live));
        let classes: Vec<_> = (0..20).filter_map(|_| queues.pop(1)).map(|e| e.class).collect();
        let bulk: Vec<_> = (0..20).filter(|&i| classes[i] == Class::Bulk).collect();
        assert_eq!(bulk, [LIVE_IN_A_ROW]);
    }
}
