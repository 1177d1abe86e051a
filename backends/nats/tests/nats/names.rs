//! Different events have different subjects, and no character of them is special to the server, for every string.

use std::collections::HashSet;

use graceful::{Code, Context, OrchestrationConfig, Orchestrator, Step, Success};
use graceful_nats::Filter;
use graceful_tests::World;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::Nats;

/// Any text, more often one of those by which a part could be taken for two, or two for one.
fn part() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        ".",
        "..",
        "*",
        ">",
        "$JS",
        "%",
        "%2E",
        " ",
        "\t",
        "\0",
        "\r\n",
        "_",
        "-",
        "~",
        "a",
        "b",
        "A",
        "é",
        "😀",
        "failed",
        "\u{202e}",
        "{{wildcard(1)}}",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(tricky, 0..4).prop_map(|parts| parts.concat())]
}

fn parts() -> impl Strategy<Value = [String; 4]> {
    [part(), part(), part(), part()]
}

fn subject([service, tenant, pattern, event]: &[String; 4]) -> String {
    Filter::new().service(service).tenant(tenant).pattern(pattern).event(event).subject("graceful")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(graceful_tests::soak::cases(4_000)))]

    #[test]
    fn subjects_are_injective_and_safe(a in parts(), b in parts()) {
        prop_assert_eq!(a == b, subject(&a) == subject(&b));
        let subject = subject(&a);
        let tokens: Vec<_> = subject.split('.').collect();
        prop_assert_eq!(tokens.len(), 5, "{}", subject);
        let safe = |c: char| c.is_ascii_alphanumeric() || "_-%".contains(c);
        prop_assert!(tokens.iter().all(|token| !token.is_empty() && token.chars().all(safe)), "{}", subject);
    }
}

/// The server stores each event under its own subject and returns it for a filter of that subject.
#[test(requires(Nats))]
async fn every_event_on_the_server_is_under_its_own_subject() {
    let nats = Nats::connect().await;
    let (events, mut runner, mut expected) = (nats.events().await, TestRunner::default(), Vec::new());
    while expected.len() < 200 {
        let [service, tenant, pattern, event] = parts().new_tree(&mut runner).unwrap().current();
        let filter = Filter::new().service(&service).tenant(&tenant).pattern(&pattern).event(&event);
        // Names that cannot be part of an event are refused before any is made.
        let is_name = |part: &str| Orchestrator::builder().service(part).build().is_ok();
        if [&service, &pattern, &event].iter().any(|part| !is_name(part))
            || filter.subject(&nats.stream).len() > 1024
        {
            continue;
        }
        let world = World::with(|builder| builder.service(&service).events(events.clone()));
        let config = OrchestrationConfig::new(&*pattern).id(1).event(&*event).on(&world.orchestrator);
        let flow = Context::new()
            .tenant(&*tenant)
            .scope(async { Success::wrap(Code::Ok, "said", "a").orchestrate(&config).await });
        let report = flow.await;
        assert_eq!(report.step(Step::Event).to_string(), "emitted", "{event:?}");
        expected.push((filter.subject(&nats.stream), event));
    }
    let found: Vec<_> = nats.messages().await;
    let found: Vec<_> = found
        .into_iter()
        .map(|message| (message.subject, message.event["type"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(found, expected);
    let different: HashSet<_> = expected.iter().map(|(subject, _)| subject).collect();
    assert!(different.len() > 100, "{} subjects", different.len());
    nats.clean().await;
}
