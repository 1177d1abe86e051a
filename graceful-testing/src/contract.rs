//! The check of a program against its lock, as a test.

use std::path::Path;

use graceful::catalogue::Catalogue;

/// Checks that the handlers of this program promise what their lock says, such as `graceful.lock`. The handlers must be linked: name the crate that
/// has them, `use users as _;`.
///
/// # Panics
/// Panics if the lock is missing, or does not say exactly what the program does. The message has a line for each difference, and how to accept it.
///
/// ```no_run
/// #[test]
/// fn contract_is_locked() {
///     graceful_testing::contract_is_locked(concat!(env!("CARGO_MANIFEST_DIR"), "/graceful.lock"));
/// }
/// ```
#[track_caller]
pub fn contract_is_locked(lock: impl AsRef<Path>) {
    match graceful_contract::check(&Catalogue::of_program(), lock.as_ref()) {
        Ok(report) if report.is_clean() => {}
        Ok(report) => panic!("the program is not that of its lock:\n{report}"),
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn contract_without_a_lock_or_with_another_one_is_a_failure() {
        let file = std::env::temp_dir().join(format!("graceful-{}.lock", std::process::id()));
        assert!(catch_unwind(|| contract_is_locked(&file)).is_err());
        graceful_contract::accept(&Catalogue::of_program(), &file, None).unwrap();
        contract_is_locked(&file);
        std::fs::write(&file, "event paid\n").unwrap();
        assert!(catch_unwind(|| contract_is_locked(&file)).is_err());
        std::fs::remove_file(&file).unwrap();
    }
}
