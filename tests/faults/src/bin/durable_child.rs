//! `durable_child DIR work|doom FIRST CALLS [POINT=ACTION:SKIPPED]`, or `durable_child DIR drain`.

use std::path::Path;

use graceful_faults::child;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match arguments[1..] {
        [dir, "drain"] => runtime.block_on(child::drain(Path::new(dir))),
        [dir, what @ ("work" | "doom"), first, calls, ref interrupted @ ..] => {
            for at in interrupted {
                child::interrupt(at);
            }
            let [first, calls] = [first, calls].map(|number| number.parse().expect("a number"));
            match what {
                "work" => runtime.block_on(child::work(Path::new(dir), first, calls)),
                _ => runtime.block_on(child::doom(Path::new(dir), first, calls)),
            }
        }
        _ => panic!("usage: durable_child DIR work|doom FIRST CALLS [POINT=ACTION:SKIPPED] | DIR drain"),
    }
}
