//! Names that are nearly known.

/// So many letters left out, added, exchanged or swapped with their neighbour make a misspelling.
const SLIPS: usize = 2;

/// The known name that was meant by another one.
pub(super) fn meant(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let bare = name.strip_suffix("_URL").or_else(|| name.strip_suffix("_URI")).unwrap_or(&name);
    let slips = |known: &str| {
        // `GRACEFUL_ENV`, too.
        let is_short = bare.len() > "GRACEFUL_".len() + 2 && known.starts_with(bare);
        if is_short { 0 } else { strsim::damerau_levenshtein(bare, known) }
    };
    known
        .map(|known| (slips(known), known))
        .min()
        .filter(|(slips, _)| *slips <= SLIPS)
        .map(|(_, known)| known)
}

/// The known name that was meant by a misspelt one.
pub(super) fn near(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(name, known), known)).min()?;
    (near.0 <= SLIPS).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] =
        ["GRACEFUL_SERVICE", "GRACEFUL_ENVIRONMENT", "GRACEFUL_CACHE", "GRACEFUL_EVENTS"];

    #[test]
    fn misspelt_variable_finds_the_known_one() {
        for (name, known) in [
            ("GRACEFUL_EVENT", "GRACEFUL_EVENTS"),
            ("GRACEFUL_CAHCE", "GRACEFUL_CACHE"),
            ("GRACEFUL_CACHE_URL", "GRACEFUL_CACHE"),
            ("GRACEFUL_EVENT_URI", "GRACEFUL_EVENTS"),
            ("GRACEFULL_CACHE", "GRACEFUL_CACHE"),
            ("graceful_cache", "GRACEFUL_CACHE"),
            ("GRACEFUL_ENV", "GRACEFUL_ENVIRONMENT"),
            ("GRACEFULCACHE", "GRACEFUL_CACHE"),
        ] {
            assert_eq!(meant(name, KNOWN.into_iter()), Some(known), "{name}");
        }
    }

    /// Such variables are set for services that are named `graceful` and `graceful-cache`.
    #[test]
    fn variable_that_runs_containers_sets_is_no_misspelling() {
        for name in [
            "GRACEFUL_PORT",
            "GRACEFUL_PORT_80_TCP",
            "GRACEFUL_PORT_80_TCP_ADDR",
            "GRACEFUL_SERVICE_HOST",
            "GRACEFUL_SERVICE_PORT",
            "GRACEFUL_SERVICE_PORT_HTTP",
            "GRACEFUL_CACHE_SERVICE_HOST",
            "GRACEFUL_CACHE_PORT",
            "GRACEFUL_CACHE_PORT_6379_TCP",
            "GRACEFUL_NAME",
            "PATH",
            "",
        ] {
            assert_eq!(meant(name, KNOWN.into_iter()), None, "{name}");
        }
    }
}
