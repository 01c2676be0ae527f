//! Memory that loading a model has used and running it won't.

/// Lets the system take back the whole pages of `bytes`, which stay readable: it reads them from the
/// program's file again when they are touched. Without effect on other systems than Linux.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables))]
pub(super) fn release(bytes: &'static [u8]) {
    #[cfg(target_os = "linux")]
    release_pages(bytes);
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // The system call has no safe form.
fn release_pages(bytes: &'static [u8]) {
    // SAFETY: `sysconf` only reads a number of the system's.
    let Ok(page @ 1..) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else {
        return;
    };
    let before = bytes.as_ptr().align_offset(page);
    let Some(length) = bytes.len().checked_sub(before).map(|rest| rest / page * page) else {
        return;
    };
    let pages = &bytes[before..before + length];
    // SAFETY: the pages lie within an immutable static, which nothing can have written to, so what
    // `MADV_DONTNEED` drops from a private mapping of a file is what the file gives again.
    let result =
        unsafe { libc::madvise(pages.as_ptr().cast_mut().cast(), length, libc::MADV_DONTNEED) };
    if result != 0 {
        log::debug!("keeping the pages of the built-in model: {}", std::io::Error::last_os_error());
    }
}

/// Gives freed memory back to the system. Without effect where the C library is not glibc, which keeps
/// it for each thread that has allocated.
#[allow(unsafe_code)] // The call has no safe form.
pub(super) fn trim_heap() {
    // SAFETY: the call takes the allocator's locks, and touches no memory that is in use.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn released_bytes_stay_as_they_were() {
        static BYTES: &[u8] = include_bytes!(builtin_path!("words.lm"));
        let sum = crc32fast::hash(BYTES);
        super::release(BYTES);
        assert_eq!(crc32fast::hash(BYTES), sum);
        super::release(&BYTES[..100]);
    }
}
