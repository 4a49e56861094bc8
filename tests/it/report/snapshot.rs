//! Reports as texts that are the same in every run and with every version.

use expect_test::Expect;
use managed_daemons::Report;

/// Where the part of a log's line begins that does not differ from run to run.
const BEGINS: [&str; 6] = ["ERROR:", "STATEMENT:", "LOG:", "[error]", "[warning]", "[Warning]"];
/// The shortest word that is a random name or a password, if there is a digit in it.
const RANDOM: usize = 16;

/// Compares a report with the text that is expected. `UPDATE_EXPECT=1` writes what there is into the
/// test. What differs from run to run is replaced, numbers by `N` and random names by `H`. Of the log,
/// whose lines differ from version to version, only those that stand out are left. How far the facts are
/// indented depends on whether there are fast paths, and so it is compared with the line of the log.
#[track_caller]
pub(super) fn assert_shows(report: &Report, expected: &Expect) {
    let text = report.to_string();
    assert_is_aligned(&text);
    let lines = text.lines().enumerate().filter_map(|(number, line)| match line {
        // Not where fast paths are turned off.
        line if line.starts_with("  fast paths ") => None,
        line if line.starts_with("    | ") || line == "    …" => None,
        line if line.starts_with("    > ") => {
            let begin = BEGINS.iter().filter_map(|begin| line.find(begin)).min();
            let said = &line[begin.unwrap_or("    > ".len())..];
            Some(format!("    > {}", normalized(said)))
        }
        line if number == 0 => {
            let (title, state) = line.split_once(", ")?;
            let (name, _) = title.split_once(' ')?;
            Some(format!("{name} <version>, {}", normalized(state)))
        }
        line => Some(fact(line)),
    });
    let lines: Vec<String> = lines.collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

/// That all facts begin in the same column.
#[track_caller]
fn assert_is_aligned(text: &str) {
    let facts = text
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with("    ") || line.starts_with("      "));
    let column = |line: &str| {
        let name = line.trim_start().find("  ").filter(|_| !line.starts_with("      "));
        let after = name.map_or(0, |length| 2 + length);
        after + line[after..].len() - line[after..].trim_start().len()
    };
    let columns: Vec<usize> = facts.map(column).collect();
    assert!(
        columns.windows(2).all(|pair| pair[0] == pair[1]),
        "{columns:?} in:\n{text}"
    );
}

/// A fact, without the spaces that align it.
fn fact(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let (name, text) = line.trim_start().split_once("  ").unwrap_or(("", line));
    let text = match name {
        "binary" => String::from("<path> (<origin>)"),
        "log" => String::from("<what of it is shown>"),
        _ => normalized(text.trim_start()),
    };
    match name {
        "" => format!("{:indent$}{text}", ""),
        name => format!("{:indent$}{name}  {text}", ""),
    }
}

fn normalized(text: &str) -> String {
    let words = without_times(text);
    let words = words.split(' ').map(|word| match word.contains("managed-daemons-") {
        true => String::from("<path>"),
        false => without_numbers(word),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Without the times in brackets of access logs, which have the name of the month.
fn without_times(text: &str) -> String {
    let time = text
        .find('[')
        .and_then(|begin| Some((begin, begin + text[begin..].find(']')?)));
    match time.filter(|(begin, end)| text[*begin..*end].contains('/')) {
        Some((begin, end)) => format!("{}[<time>{}", &text[..begin], &text[end..]),
        None => text.to_owned(),
    }
}

fn without_numbers(word: &str) -> String {
    let is_alphanumeric = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let (mut text, mut rest) = (String::new(), word);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| is_alphanumeric(character) != is_alphanumeric(first));
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        match part.len() >= RANDOM && part.contains(|character: char| character.is_ascii_digit()) {
            true => text.push('H'),
            false => part.chars().for_each(|character| match character.is_ascii_digit() {
                true if text.ends_with('N') => {}
                true => text.push('N'),
                false => text.push(character),
            }),
        }
        rest = after;
    }
    while text.contains("N.N") {
        text = text.replace("N.N", "N");
    }
    text
}
