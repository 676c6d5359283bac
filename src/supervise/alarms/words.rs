//! The words by which logs tell that something is used up.

/// Memory of a GPU or of the machine.
pub(super) fn is_out_of_memory(text: &str) -> bool {
    const TELLING: &[&str] = &[
        "cuda out of memory",
        "outofmemoryerror",
        "hip out of memory",
        "mps backend out of memory",
        "xpu out of memory",
        "cublas_status_alloc_failed",
        "resource_exhausted: out of memory",
        "resource exhausted: oom",
        "cannot allocate memory",
        "unable to allocate",
        "std::bad_alloc",
        "oomkilled",
        "oom-kill",
        "out of memory: killed process",
        "exit code 137",
        "exit code: 137",
        "exitcode: 137",
        "exited with code 137",
        "exit status 137",
        "died with <signals.sigkill: 9>",
        "signal 9 (sigkill)",
    ];
    let trimmed = text.trim();
    if trimmed == "Killed" || trimmed.ends_with("MemoryError") && !trimmed.contains(' ') {
        return true;
    }
    if text.lines().any(|line| line.trim() == "MemoryError" || line.starts_with("MemoryError:")) {
        return true;
    }
    contains_any(text, TELLING)
}

/// Room on the disk.
pub(super) fn is_disk_full(text: &str) -> bool {
    contains_any(text, &["no space left on device", "[errno 28]", "disk quota exceeded", "[errno 122]"])
}

/// A loop that watches itself.
pub(super) fn is_not_a_number(text: &str) -> bool {
    contains_any(text, &["loss is nan", "loss is inf", "nan loss", "loss became nan", "nan detected in loss"])
}

/// Whether one of these (in lower case) stands in the text, in whatever case.
fn contains_any(text: &str, wanted: &[&str]) -> bool {
    // Most lines are short and tell nothing: no copy for those without any of the letters.
    let lower = text.to_ascii_lowercase();
    wanted.iter().any(|words| lower.contains(words))
}
