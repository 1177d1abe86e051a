//! A Prometheus that scrapes the service, asked over its HTTP API.

use std::{
    fmt::{Debug, Write as _},
    time::{Duration, Instant},
};

use graceful_tests::{raw_http, services};
use serde_json::Value;

use crate::{exporters::JOBS, service::Service};

pub struct Prometheus(services::Service);

/// A rule as Prometheus has read it.
pub struct Rule {
    pub name: String,
    pub query: String,
}

/// An alert that fires.
#[derive(Debug, PartialEq)]
pub struct Firing {
    pub name: String,
    pub job: String,
}

impl Prometheus {
    pub fn of(service: &Service, rules: &str) -> Self {
        let paths = JOBS.map(|job| (job, format!("/{job}")));
        let targets = paths.each_ref().map(|(job, path)| (*job, service.port(), path.as_str()));
        Self(services::Service::prometheus(&targets, rules))
    }

    /// The samples that a query returns now.
    pub async fn query(&self, query: &str) -> Vec<Value> {
        let form = format!("query={}", encoded(query));
        let kind = "application/x-www-form-urlencoded";
        let (status, body) = raw_http::ask(self.0.port(), "POST", "/api/v1/query", kind, &form).await;
        assert_eq!(status, 200, "{query}: {body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// Their values.
    pub async fn values(&self, query: &str) -> Vec<f64> {
        let samples = self.query(query).await;
        samples.iter().map(|sample| sample["value"][1].as_str().unwrap().parse().unwrap()).collect()
    }

    /// Until the query returns a sample that is a number.
    pub async fn until_sampled(&self, query: &str) {
        until(query, async || {
            let values = self.values(query).await;
            (values.iter().any(|value| !value.is_nan()), values)
        })
        .await;
    }

    /// Until all series of a metric meet a condition, such as `== 1`; each job has one series at least.
    pub async fn until_all(&self, metric: &str, condition: &str) {
        let jobs = JOBS.len();
        self.until_sampled(&format!("count({metric} {condition}) == count({metric}) >= {jobs}")).await;
    }

    pub async fn firing(&self) -> Vec<Firing> {
        let alerts = self.get("/api/v1/alerts").await;
        let firing = alerts["alerts"].as_array().unwrap().iter().filter(|alert| alert["state"] == "firing");
        firing
            .map(|alert| {
                let label = |name| alert["labels"][name].as_str().unwrap_or_default().to_owned();
                Firing { name: label("alertname"), job: label("job") }
            })
            .collect()
    }

    pub async fn until_fires(&self, name: &str, job: &str) {
        let expected = Firing { name: name.to_owned(), job: job.to_owned() };
        until(&format!("{expected:?}"), async || {
            let firing = self.firing().await;
            (firing.contains(&expected), firing)
        })
        .await;
    }

    pub async fn rules(&self) -> Vec<Rule> {
        let groups = self.get("/api/v1/rules").await;
        let groups = groups["groups"].as_array().unwrap();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        let text = |rule: &Value, field: &str| rule[field].as_str().unwrap().to_owned();
        rules.map(|rule| Rule { name: text(rule, "name"), query: text(rule, "query") }).collect()
    }

    async fn get(&self, path: &str) -> Value {
        let mut answer: Value = serde_json::from_str(&raw_http::get(self.0.port(), path).await).unwrap();
        answer["data"].take()
    }
}

/// Prometheus tells nobody when something changes, so it is asked again and again, for whether it is so and for what it saw. The limit is far
/// beyond what is needed, so that only a test that would hang fails by it.
async fn until<S: Debug>(what: &str, mut is_so: impl AsyncFnMut() -> (bool, S)) {
    let began = Instant::now();
    loop {
        let (is_so, seen) = is_so().await;
        if is_so {
            return;
        }
        assert!(began.elapsed() < LIMIT, "never: {what}; at last: {seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const LIMIT: Duration = Duration::from_mins(3);

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").unwrap();
        all
    })
}
