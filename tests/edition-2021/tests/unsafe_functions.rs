//! Functions that are `unsafe`, which the other package forbids, and identifiers that are keywords only in edition 2024.

use graceful::orchestrate;
use graceful_tests::shapes::{Odd, both, both_sync, even};

/// # Safety
/// `n` points to a number.
#[orchestrate(pattern = "n", id = unsafe { *n })]
unsafe fn of_a_pointer(n: *const u64) -> Result<u64, Odd> {
    even(*n)
}

/// # Safety
/// None is needed.
#[orchestrate(pattern = "n", id = n)]
async unsafe fn asynchronous(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(improper_ctypes_definitions)]
unsafe extern "C" fn other_abi(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[no_mangle]
#[allow(improper_ctypes_definitions)]
extern "C" fn graceful_tests_no_mangle(n: u64) -> Result<u64, Odd> {
    even(n)
}

/// # Safety
/// None is needed.
unsafe trait Unsafe {
    /// # Safety
    /// None is needed.
    unsafe fn get(&self, n: u64) -> Result<u64, Odd>;
}

unsafe impl Unsafe for () {
    #[orchestrate(pattern = "n", id = n)]
    unsafe fn get(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[orchestrate(pattern = "n", id = gen)]
async fn not_reserved(gen: u64) -> Result<u64, Odd> {
    even(gen)
}

#[orchestrate(pattern = "n", id = n)]
async fn unsafe_block(n: u64) -> Result<u64, Odd> {
    let pointer: *const u64 = &n;
    let n = unsafe { *pointer };
    even(n)
}

#[test]
fn shapes() {
    both_sync(|n| unsafe { of_a_pointer(&n) });
    both(async |n| unsafe { asynchronous(n) }.await);
    both_sync(|n| unsafe { other_abi(n) });
    both_sync(|n| graceful_tests_no_mangle(n));
    both_sync(|n| unsafe { ().get(n) });
    both(not_reserved);
    both(unsafe_block);
}
