//! What loading a model leaves in memory, given back. Without effect on other systems than Linux with
//! glibc.

use std::thread;

use mynah::Model;

/// Loading frees most of what it allocates, and blocks of weights, of this size and more, are to go
/// back to the system then. In bytes.
const MAPPED_WHILE_LOADING: i32 = 256 << 10;
/// Afterwards such blocks come and go with each chunk, and mapping them anew takes half as long as the
/// computation: what glibc grows to by itself at most.
const MAPPED_AFTERWARDS: i32 = 32 << 20;

/// To be called before a model is loaded, and [`settle`] after it.
pub fn prepare() {
    map_blocks_from(MAPPED_WHILE_LOADING);
}

/// Turns from loading to recognition as soon as the model's last part is loaded.
pub fn settle(model: &Model) {
    let loading = model.clone();
    let wait = move || {
        // The first who needs the part is told why it could not be loaded.
        let _ = loading.finish_loading();
        map_blocks_from(MAPPED_AFTERWARDS);
        release_code();
    };
    if !model.has_second_pass() || thread::Builder::new().spawn(wait).is_err() {
        map_blocks_from(MAPPED_AFTERWARDS);
        release_code();
    }
}

/// Has the allocator map blocks from this size on each on its own, and unmap them when they are freed.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(unused_variables))]
#[allow(unsafe_code)] // The call has no safe form.
fn map_blocks_from(bytes: i32) {
    // SAFETY: the call sets a number under the allocator's lock.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
    }
}

/// Lets the system take back the program's code: ten megabytes of it only read and optimize a model. What
/// runs on is read again from the program's file, which mostly is in the system's cache.
fn release_code() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if let Some((begin, end)) = code_mapping() {
        release(begin, end);
    }
}

/// Where the code of this program is in memory, from the mapping that this function lies in.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn code_mapping() -> Option<(usize, usize)> {
    let here = release_code as *const () as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (begin, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let (begin, end) = (address(begin)?, address(end)?);
        // Code, of a file, which nothing writes to.
        (rest.starts_with("r-xp ") && (begin..end).contains(&here)).then_some((begin, end))
    })
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)] // The system call has no safe form.
fn release(begin: usize, end: usize) {
    // SAFETY: nothing has written to a mapping of code, so what `MADV_DONTNEED` drops of it is what the
    // program's file gives again.
    let result =
        unsafe { libc::madvise(begin as *mut libc::c_void, end - begin, libc::MADV_DONTNEED) };
    if result != 0 {
        log::debug!("keeping the pages of the program: {}", std::io::Error::last_os_error());
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn released_code_still_runs() {
        let (begin, end) = code_mapping().unwrap();
        assert!(end > begin);
        release(begin, end);
        assert_eq!(code_mapping(), Some((begin, end)));
    }
}
