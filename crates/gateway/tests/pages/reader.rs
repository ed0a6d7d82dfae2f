//! Reads the commands of the pages.
//!
//! A command is a line of a `sh` block or of an indented block, a line behind a prompt (`$ `), or inline code that
//! begins with a program of [`PROGRAMS`]. A backslash at its end, or an open quote, continues it on the next line.

use std::fs;
use std::path::Path;

use crate::repository;

/// Pages that do not tell anybody to run something now.
const OTHER_PAGES: [&str; 2] = ["CHANGELOG.md", "decisions.md"];

/// Programs of inline commands; a name that ends with a slash is a folder of scripts.
const PROGRAMS: [&str; 24] = [
    "gateway",
    "cargo",
    "nextest",
    "curl",
    "journalctl",
    "systemctl",
    "redis-cli",
    "openssl",
    "sqlite3",
    "df",
    "du",
    "dmesg",
    "fuser",
    "mount",
    "ss",
    "useradd",
    "kubectl",
    "kill",
    "queries",
    "generate",
    "loadtest/",
    "deploy/",
    ".ci/",
    "crates/fuzz/run",
];

/// A command, and the page that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCommand {
    pub page: String,
    /// The command, with one space between words, and without a comment.
    pub line: String,
    /// Whether it is in a block or behind a prompt: an example that works as it is.
    pub is_example: bool,
}

/// Returns the commands of all pages, in their order.
pub fn commands() -> Vec<PageCommand> {
    let mut commands = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(repository().join(&page)).unwrap();
        let (examples, inline) = of_page(&text);
        let examples = examples.into_iter().map(|line| (line, true));
        let inline = inline.into_iter().map(|line| (line, false));
        commands.extend(
            examples
                .chain(inline)
                .map(|(line, is_example)| PageCommand {
                    page: page.clone(),
                    line,
                    is_example,
                }),
        );
    }
    commands
}

/// Returns the paths of README.md, of `docs/` and of every README below `deploy/` and `loadtest/`.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for folder in ["docs", "deploy", "loadtest"] {
        collect(folder, &mut pages);
    }
    pages.retain(|page| !OTHER_PAGES.iter().any(|other| page.ends_with(other)));
    pages.sort();
    pages
}

fn collect(folder: &str, pages: &mut Vec<String>) {
    for entry in fs::read_dir(repository().join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        let is_page = Path::new(&name).extension().is_some_and(|end| end == "md");
        if repository().join(&path).is_dir() {
            collect(&path, pages);
        } else if is_page {
            pages.push(path);
        }
    }
}

/// Returns the examples of a page, and its inline commands.
fn of_page(text: &str) -> (Vec<String>, Vec<String>) {
    let (blocks, prose) = blocks_and_prose(text);
    let examples = blocks.iter().flat_map(|block| of_block(block));
    let inline = prose.split('`').skip(1).step_by(2);
    // A table escapes the bar.
    let inline = inline
        .map(|code| joined(&code.replace("\\|", "|")))
        .filter(|code| is_inline_command(code));
    (examples.collect(), inline.collect())
}

/// Splits a page into its blocks of commands, and the rest.
fn blocks_and_prose(text: &str) -> (Vec<String>, String) {
    let (mut blocks, mut prose) = (Vec::new(), String::new());
    let mut lines = text.lines().peekable();
    let mut before = "";
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if let Some(language) = trimmed.strip_prefix("```") {
            let inside = lines
                .by_ref()
                .take_while(|line| !line.trim_start().starts_with("```"));
            let inside: Vec<&str> = inside.map(str::trim_start).collect();
            match language {
                "sh" => blocks.push(inside.join("\n")),
                _ => blocks.extend(
                    inside
                        .iter()
                        .filter_map(|line| line.strip_prefix("$ "))
                        .map(str::to_owned),
                ),
            }
        } else if line.starts_with("    ") && before.is_empty() {
            let mut block = trimmed.to_owned();
            while let Some(line) = lines.next_if(|line| line.starts_with("    ")) {
                block.push('\n');
                block.push_str(line.trim_start());
            }
            blocks.push(block);
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
        before = trimmed;
    }
    (blocks, prose)
}

/// Returns the commands of a block.
fn of_block(block: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut command, mut quote) = (String::new(), None);
    let mut letters = block.chars().chain(['\n']).peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None) if letters.peek() == Some(&'\n') => {
                letters.next();
            }
            ('\n', None) => {
                commands.push(std::mem::take(&mut command));
            }
            ('#', None) if command.is_empty() || command.ends_with(' ') => {
                while letters.next_if(|letter| *letter != '\n').is_some() {}
            }
            ('\'' | '"', None) => {
                quote = Some(letter);
                command.push(letter);
            }
            (letter, Some(open)) if letter == open => {
                quote = None;
                command.push(letter);
            }
            _ => command.push(letter),
        }
    }
    assert_eq!(quote, None, "an open quote in {block}");
    let commands = commands.iter().map(|command| joined(command));
    commands.filter(|command| !command.is_empty()).collect()
}

/// Returns the text with single spaces for all white space.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_inline_command(code: &str) -> bool {
    let mut words = code.split(' ').skip_while(|word| is_assignment(word));
    let program = words.next().unwrap_or_default();
    let is_program = PROGRAMS
        .iter()
        .any(|name| *name == program || name.ends_with('/') && program.starts_with(name));
    is_program && words.next().is_some()
}

/// Returns whether a word sets a variable of the environment.
pub fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let is_letter =
        |letter: char| letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit();
    !name.is_empty() && name.chars().all(is_letter)
}

#[test]
fn commands_are_read_from_blocks_prompts_and_code() {
    let page = "\
Run `gateway bill show
--biller B0001`, not `gateway` or `bill show`, nor `x y`.

```sh
a 'b  # c' \\
    --d    # e
# f
sqlite3 x \"SELECT 1
    FROM y\"
```

```
$ gateway payments list
an answer
```

    deploy/build --x
    A=1 B=2 cargo test

- A list

  ```sh
  ss | head
  ```
  goes on with `C=1 nextest -p x`.
";
    let (examples, inline) = of_page(page);
    assert_eq!(
        examples,
        [
            "a 'b # c' --d",
            "sqlite3 x \"SELECT 1 FROM y\"",
            "gateway payments list",
            "deploy/build --x",
            "A=1 B=2 cargo test",
            "ss | head",
        ]
    );
    assert_eq!(
        inline,
        ["gateway bill show --biller B0001", "C=1 nextest -p x"]
    );
}
