//! Secrets of stores.

use crate::step::StepError;

/// Creates a secret for [`Operations::secret`](super::Operations::secret): 32 random bytes of the operating system.
///
/// # Errors
/// Fails if the operating system gives no random bytes.
///
/// ```
/// use graceful::backends::random_secret;
/// assert_eq!(random_secret()?.len(), 32);
/// assert_ne!(random_secret()?, random_secret()?);
/// # Ok::<(), graceful::StepError>(())
/// ```
pub fn random_secret() -> Result<Vec<u8>, StepError> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        StepError::new(format_args!("the operating system gives no random bytes: {error}"))
    })?;
    Ok(secret)
}
