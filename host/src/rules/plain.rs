//! Texts that rules bring along, as people are shown them: short, and without
//! what a terminal would take for an order.

/// The longest text of a rule that is shown whole, in characters.
pub(super) const TEXT_CHARS: usize = 1_000;

/// The longest name that a rule may ask for, in bytes: nothing is called so.
pub(super) const NAME_BYTES: usize = 1_000;

/// Returns a rule's text, cut and with its control characters spelt out.
pub(super) fn plain(text: &str, most_chars: usize) -> String {
    let mut shown = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == most_chars {
            shown.push('…');
            break;
        }
        // Messages with several lines, such as those of a stack, stay as they are.
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(plain("ßßß", 3), "ßßß");
        assert_eq!(plain("ßßßß", 3), "ßßß…");
    }

    #[test]
    fn orders_to_a_terminal_are_spelt_out() {
        assert_eq!(plain("a\u{1b}[2Jb\tc\nd", 99), "a\\u{1b}[2Jb\\tc\nd");
        assert_eq!(plain("\u{9b}31m", 99), "\\u{9b}31m");
    }
}
