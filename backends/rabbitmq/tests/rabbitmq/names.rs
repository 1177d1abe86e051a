//! Different events have different routing keys, and no character of them is special to the server, for every string.

use std::collections::HashSet;

use graceful::{Code, Context, OrchestrationConfig, Orchestrator, Step, Success};
use graceful_rabbitmq::{Filter, routing_key};
use graceful_tests::World;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::Rabbit;

/// Any text, more often one of those by which a part could be taken for two, or two for one.
fn part() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        ".",
        "..",
        "*",
        ">",
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
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp",
        "#",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(tricky, 0..4).prop_map(|parts| parts.concat())]
}

fn parts() -> impl Strategy<Value = [String; 4]> {
    [part(), part(), part(), part()]
}

fn key([service, tenant, pattern, event]: &[String; 4]) -> String {
    let filter = Filter::new().service(service).tenant(tenant).pattern(pattern).event(event);
    routing_key(&filter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(graceful_tests::soak::cases(4_000)))]

    #[test]
    fn keys_are_injective_and_safe(a in parts(), b in parts()) {
        prop_assert_eq!(a == b, key(&a) == key(&b));
        let key = key(&a);
        prop_assert!(key.len() <= 255, "{}", key);
        let parts: Vec<_> = key.split('.').collect();
        prop_assert_eq!(parts.len(), 4, "{}", key);
        let safe = |c: char| c.is_ascii_alphanumeric() || "_-%~".contains(c);
        prop_assert!(parts.iter().all(|part| !part.is_empty() && part.chars().all(safe)), "{}", key);
    }
}

/// The server stores each event under its own routing key and returns it for a binding with that key.
#[test(requires(RabbitMq))]
async fn every_event_on_the_server_is_under_its_own_key() {
    let rabbit = Rabbit::connect().await;
    let (events, mut runner, mut expected) = (rabbit.events().await, TestRunner::default(), Vec::new());
    while expected.len() < 200 {
        let [service, tenant, pattern, event] = parts().new_tree(&mut runner).unwrap().current();
        let filter = Filter::new().service(&service).tenant(&tenant).pattern(&pattern).event(&event);
        // Names that cannot be part of an event are refused before any is made.
        let is_name = |part: &str| Orchestrator::builder().service(part).build().is_ok();
        if [&service, &pattern, &event].iter().any(|part| !is_name(part)) {
            continue;
        }
        let world = World::with(|builder| builder.service(&service).events(events.clone()));
        let config = OrchestrationConfig::new(&*pattern).id(1).event(&*event).on(&world.orchestrator);
        let flow = Context::new()
            .tenant(&*tenant)
            .scope(async { Success::wrap(Code::Ok, "said", "a").orchestrate(&config).await });
        let report = flow.await;
        assert_eq!(report.step(Step::Event).to_string(), "emitted", "{event:?}");
        expected.push((routing_key(&filter), event));
    }
    let found: Vec<_> = rabbit.messages().await;
    let found: Vec<_> = found
        .into_iter()
        .map(|message| (message.key, message.event["type"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(found, expected);
    let different: HashSet<_> = expected.iter().map(|(key, _)| key).collect();
    assert!(different.len() > 100, "{} keys", different.len());
    rabbit.clean().await;
}
