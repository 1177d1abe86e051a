//! The part of an error that all failures with one cause have in common.

/// The version of [`normalized`], which is a part of each group's id.
pub(super) const VERSION: u8 = 1;

/// The words before a number that says what went wrong.
const KEPT_AFTER: [&str; 5] = ["sqlstate", "http", "status", "code", "os error"];

/// Replaces every word that contains a digit by `#`, with what is joined to it by `-`, `.` or `:`. So ids, addresses, durations and
/// numbers make no difference. A number after one of the words of [`KEPT_AFTER`] stays.
pub(super) fn normalized(error: &str) -> String {
    let (mut normal, mut rest) = (String::with_capacity(error.len()), error);
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        let (between, word) = rest.split_at(start);
        let (word, after) = word.split_at(length(word));
        normal.push_str(between);
        if word.contains(|c: char| c.is_numeric()) && !is_kept(&normal) {
            normal.push('#');
        } else {
            normal.push_str(word);
        }
        rest = after;
    }
    normal.push_str(rest);
    normal
}

/// The length of the word at the begin of the text, with what is joined to it.
fn length(text: &str) -> usize {
    let mut end = 0;
    for (place, c) in text.char_indices() {
        match c {
            _ if c.is_alphanumeric() => end = place + c.len_utf8(),
            // One such character between two words.
            '-' | '.' | ':' if end == place => {}
            _ => break,
        }
    }
    end
}

/// Whether the text before a number says that the number is a part of the cause.
fn is_kept(before: &str) -> bool {
    let words = before.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    KEPT_AFTER.iter().any(|word| {
        words.strip_suffix(word).is_some_and(|start| !start.ends_with(|c: char| c.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn ids_numbers_addresses_and_durations_make_no_difference() {
        for (error, normal) in [
            ("user 42 not found", "user # not found"),
            ("user_42/7 not found", "user_#/# not found"),
            ("no answer from 10.0.0.7:5432 within 3.5s", "no answer from # within #"),
            ("flow 0190d3a4-8a6f-7abc-9def-0123456789ab: gone.", "flow #: gone."),
            ("[::1]:80 and fe80::1 refused", "[::#]:# and #::# refused"),
            ("disk full", "disk full"),
            ("größe 5 überschritten", "größe # überschritten"),
            ("took 1200ms, limit 1000ms", "took #, limit #"),
            ("", ""),
        ] {
            assert_eq!(normalized(error), normal);
        }
    }

    #[test]
    fn codes_of_the_cause_are_kept() {
        for error in [
            "Permission denied (os error 13)",
            "SQLSTATE 40001",
            "error: SQLSTATE[23505]",
            "HTTP status 503",
            "answered with HTTP 429",
            "status code: 404",
        ] {
            assert_eq!(normalized(error), error);
        }
        assert_eq!(normalized("barcode 17"), "barcode #");
    }
}
