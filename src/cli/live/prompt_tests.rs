//! What happens to the input line, key by key.

use super::super::complete::Choice;
use super::*;

fn prompt(entries: &[&str]) -> Prompt {
    let mut history = History::default();
    entries.iter().for_each(|entry| drop(history.add(entry)));
    Prompt::new(history)
}

fn typed(prompt: &mut Prompt, text: &str) {
    for letter in text.chars() {
        assert_eq!(prompt.press(Command::Edit(Edit::Insert(letter.to_string()))), Pressed::Edited);
    }
}

#[test]
fn enter_submits_but_not_behind_a_backslash_and_never_in_a_paste() {
    let mut prompt = prompt(&[]);
    typed(&mut prompt, "one\\");
    assert_eq!(prompt.press(Command::Submit), Pressed::Edited);
    typed(&mut prompt, "two");
    prompt.paste("\nthree\n");
    assert_eq!(prompt.press(Command::Submit), Pressed::Submitted("one\ntwo\nthree\n".to_owned()));
    assert_eq!(prompt.buffer().text(), "");
}

#[test]
fn arrows_browse_history_and_bring_the_draft_back() {
    let mut prompt = prompt(&["first", "second"]);
    typed(&mut prompt, "draft");
    for (command, expected) in [
        (Command::Edit(Edit::Up), "second"),
        (Command::Earlier, "first"),
        (Command::Earlier, "first"),
        (Command::Edit(Edit::Down), "second"),
        (Command::Later, "draft"),
        (Command::Later, "draft"),
    ] {
        prompt.press(command);
        assert_eq!(prompt.buffer().text(), expected);
    }
}

#[test]
fn a_search_finds_goes_on_and_can_be_called_off() {
    let mut prompt = prompt(&["train a", "eval", "train b"]);
    typed(&mut prompt, "draft");
    prompt.press(Command::Search);
    typed(&mut prompt, "tra");
    assert_eq!(prompt.buffer().text(), "train b");
    prompt.press(Command::Search);
    assert_eq!(prompt.buffer().text(), "train a");
    prompt.press(Command::Escape);
    assert_eq!(prompt.buffer().text(), "draft");
    prompt.press(Command::Search);
    typed(&mut prompt, "ev");
    assert_eq!(prompt.press(Command::Submit), Pressed::Submitted("eval".to_owned()));
}

#[test]
fn tab_puts_in_the_only_choice_and_walks_through_several() {
    let choice = |text: &str| Choice { text: text.into(), note: String::new() };
    let mut prompt = prompt(&[]);
    typed(&mut prompt, "/mo");
    assert_eq!(prompt.press(Command::Complete), Pressed::Completing);
    prompt.offer(Offer { from: 0, choices: vec![choice("/model")] });
    assert_eq!(prompt.buffer().text(), "/model ");
    prompt.press(Command::Complete);
    prompt.offer(Offer { from: 7, choices: vec![choice("org/a"), choice("org/b")] });
    assert_eq!(prompt.buffer().text(), "/model org/");
    for (command, expected) in [
        (Command::Complete, "/model org/a"),
        (Command::Complete, "/model org/b"),
        (Command::Complete, "/model org/a"),
        (Command::CompleteBack, "/model org/b"),
    ] {
        assert_eq!(prompt.press(command), Pressed::Edited);
        assert_eq!(prompt.buffer().text(), expected);
    }
    typed(&mut prompt, "!");
    assert_eq!(prompt.choosing(), None, "typing closes the list");
}

#[test]
fn control_d_leaves_only_an_empty_line() {
    let mut prompt = prompt(&[]);
    assert_eq!(prompt.press(Command::End), Pressed::Leave);
    typed(&mut prompt, "ab");
    prompt.press(Command::Edit(Edit::Home));
    assert_eq!(prompt.press(Command::End), Pressed::Edited);
    assert_eq!(prompt.buffer().text(), "b");
}
