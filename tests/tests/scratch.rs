use graceful::*;
use std::sync::{Arc, Mutex};
#[derive(Debug, Classify)]
enum UserError {
    #[classify(code = NotFound, message = "no such user")]
    NotFound,
    #[classify(code = Internal, message = "store broken")]
    Broken,
    #[classify(code = Internal)]
    Step(StepError),
}
impl From<StepError> for UserError {
    fn from(e: StepError) -> Self {
        Self::Step(e)
    }
}
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug)]
struct User {
    id: u64,
    name: String,
}

#[orchestrate(cache = "user.id", event = "user_updated", pattern = "user")]
async fn update_user(user: User, fail: bool) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    if fail {
        return Err(UserError::Broken);
    }
    Ok(user)
}
async fn both(_: &Flow) -> Result<(), StepError> {
    tokio::task::yield_now().await;
    Ok(())
}
async fn ok_hook(s: &Success<'_, User>) -> Result<(), StepError> {
    assert_eq!(s.value().id, 1);
    tokio::task::yield_now().await;
    Ok(())
}
async fn err_hook(s: &Failure<'_, UserError>) -> Result<(), StepError> {
    assert!(s.error().is_some());
    Err(StepError::new("x"))
}
async fn fb(_: &Failure<'_, UserError>) -> Option<User> {
    Some(User { id: 9, name: "fb".into() })
}

#[orchestrate(cache(key = "{tenant}/{result.id}", ttl = "1m", version = result.id), event, pattern = "user", audit = both, alert(ok = ok_hook, err = err_hook, required), fallback = fb, message = "user {result.name} {tenant}", graph(relation = "x", to = tenant), schedule(after = "1h", timeout = "2s"), tags = ["a"])]
async fn all(tenant: String, user: User, fail: bool) -> Result<User, UserError> {
    drop(tenant);
    if fail {
        return Err(UserError::NotFound);
    }
    Ok(user)
}
struct Svc {
    orchestrator: Orchestrator,
}
#[orchestrate(pattern = "user", on = self.orchestrator)]
impl Svc {
    #[orchestrate(cache(key = id, on_err = "keep"), fallback(last_good, max_age = "1h"))]
    async fn get(&self, id: u64, fail: bool) -> Result<User, UserError> {
        if fail { Err(UserError::Broken) } else { Ok(User { id, name: "x".into() }) }
    }
    #[orchestrate(event = "x", cache = off)]
    fn sync(&self, id: u64) -> Result<u64, std::num::ParseIntError> {
        let x: u64 = "12".parse()?;
        Ok(x + id)
    }
}
#[tokio::test]
async fn scratch() {
    let reports: Arc<Mutex<Vec<String>>> = Arc::default();
    let r = reports.clone();
    let o = Orchestrator::builder()
        .service("users")
        .in_memory()
        .on_report(move |x| r.lock().unwrap().push(format!("{x}{}", x.flow().message())))
        .build()
        .unwrap();
    let u = || User { id: 1, name: "a".into() };
    o.scope(update_user(u(), false)).await.unwrap();
    o.scope(update_user(u(), true)).await.unwrap_err();
    o.scope(all("t".into(), u(), false)).await.unwrap();
    println!("{:?}", o.scope(all("t".into(), u(), true)).await);
    let s = Svc { orchestrator: o.clone() };
    s.get(7, false).await.unwrap();
    println!("{:?}", s.get(7, true).await);
    println!("{:?}", s.sync(7));
    println!("{}", reports.lock().unwrap().join("\n"));
}
