//! A relay finds the hooks of a durable handler again, and restores what they take.

use graceful::{Flow, StepError, Success, orchestrate};

struct Users;

#[derive(serde::Serialize)]
struct Written(u64);

#[derive(serde::Deserialize)]
struct Read(u64);

async fn takes_written(_: &Success<'_, Written>) -> Result<(), StepError> {
    Ok(())
}

async fn takes_read(_: &Success<'_, Read>) -> Result<(), StepError> {
    Ok(())
}

impl Users {
    async fn log(_: &Flow) -> Result<(), StepError> {
        Ok(())
    }

    #[orchestrate(pattern = "user", delivery = "durable", audit = Self::log)]
    async fn of_self(&self) -> Result<u64, StepError> {
        Ok(1)
    }
}

#[orchestrate(pattern = "user", delivery = "durable", audit(ok = takes_written))]
async fn not_restored() -> Result<Written, StepError> {
    Ok(Written(1))
}

#[orchestrate(pattern = "user", delivery = "durable", audit(ok = takes_read))]
async fn not_stored() -> Result<Read, StepError> {
    Ok(Read(1))
}

fn main() {
    let _ = (Users::of_self, not_restored, not_stored, Read(1).0, Written(1).0);
}
