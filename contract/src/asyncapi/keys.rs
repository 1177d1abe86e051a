//! Keys of the document. They have only letters, digits, `.`, `_` and `-`, and two names never have one key.

/// The key of a name. Each other character is its number between two `_`: `a b` is `a_20_b`. An `_` that would begin such a number is
/// written as one itself.
pub(super) fn key(name: &str) -> String {
    encoded(name, |character| character.is_ascii_alphanumeric() || "._-".contains(character))
}

/// The key of a channel. Its first `.` is the one between pattern and event.
pub(super) fn channel_key(pattern: &str, event: &str) -> String {
    let pattern = encoded(pattern, |character| character.is_ascii_alphanumeric() || "_-".contains(character));
    format!("{pattern}.{}", key(event))
}

fn encoded(name: &str, is_kept: impl Fn(char) -> bool) -> String {
    // From the last to the first, since what follows an `_` decides how it is written.
    name.chars().rev().fold(String::new(), |following, character| {
        let is_number = character == '_' && begins_with_a_number(&following);
        match is_kept(character) && !is_number {
            true => format!("{character}{following}"),
            false => format!("_{:X}_{following}", u32::from(character)),
        }
    })
}

/// Whether a text begins as `20_` does.
fn begins_with_a_number(text: &str) -> bool {
    let digits = text.trim_start_matches(|digit: char| matches!(digit, '0'..='9' | 'A'..='F'));
    digits.len() < text.len() && digits.starts_with('_')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// All texts of at most four characters of those that matter.
    fn names() -> Vec<String> {
        let mut names = vec![String::new()];
        let mut shorter = 0;
        for _ in 0..4 {
            let longer = names.len();
            for index in shorter..longer {
                for character in ['_', '.', ' ', '-', '2', '0', 'F', 'f', 'é'] {
                    names.push(format!("{}{character}", names[index]));
                }
            }
            shorter = longer;
        }
        names
    }

    #[test]
    fn two_names_have_two_keys() {
        let mut names = names();
        names.extend(["a b", "a_20_b", "a_5F_20_b", "_20_20_", " 20_", "_20 "].map(str::to_owned));
        let mut keys = BTreeMap::new();
        for name in &names {
            let key = key(name);
            assert!(key.chars().all(|of| of.is_ascii_alphanumeric() || "._-".contains(of)), "{key}");
            if let Some(other) = keys.insert(key, name).filter(|other| *other != name) {
                panic!("`{name}` and `{other}` have one key");
            }
        }
    }

    #[test]
    fn two_channels_have_two_keys() {
        let names: Vec<_> = names().into_iter().filter(|name| name.chars().count() <= 2).collect();
        let mut keys = BTreeMap::new();
        for (pattern, event) in names.iter().flat_map(|first| names.iter().map(move |second| (first, second)))
        {
            if let Some(other) = keys.insert(channel_key(pattern, event), (pattern, event)) {
                panic!("{:?} and {other:?} have one key", (pattern, event));
            }
        }
        assert_ne!(channel_key("user.address", "changed"), channel_key("user", "address.changed"));
    }

    #[test]
    fn usual_names_are_their_keys() {
        assert_eq!(channel_key("user", "user_updated.failed"), "user.user_updated.failed");
        assert_eq!(key("2_step-id"), "2_step-id");
        assert_eq!(key("Page<User>"), "Page_3C_User_3E_");
    }
}
