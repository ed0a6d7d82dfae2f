//! `gateway init`: writes a first configuration that runs on loopback.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::token::NewSecret;

/// The example of the main file, which shows every key with its default.
const MAIN: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../config/gateway.toml"
));

/// The example of a biller's file.
const BILLER: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../config/billers/B0001.toml"
));

/// The line of the example's main file that the admin token's digest replaces.
const NO_ADMIN_TOKEN: &str =
    "# admin_token_sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"";

/// The example's public `Authorization` value, its digest, and the remark that it is public.
const EXAMPLE_AUTHORIZATION: &str = "    Authorization: KakaoAK example-of-B0001\n";
const EXAMPLE_DIGEST: &str = "82be014a327d9e667f0ebf62ac146127d9e319266a3f87730df9fff6853511a0";
const EXAMPLE_IS_PUBLIC: &str = "# This value is public, so a real biller needs another one:\n";

/// The files of a configuration.
struct Files {
    main: PathBuf,
    biller: PathBuf,
    token: PathBuf,
}

impl Files {
    fn of(directory: &Path) -> Self {
        Self {
            main: directory.join("gateway.toml"),
            biller: directory.join("billers/B0001.toml"),
            token: directory.join("admin.token"),
        }
    }
}

/// Writes the files. Nothing is written if one of them exists.
pub(super) fn run(directory: &Path) -> Result<(), Box<dyn Error>> {
    let files = Files::of(directory);
    for file in [&files.main, &files.biller, &files.token] {
        if file.symlink_metadata().is_ok() {
            return Err(format!(
                "{}: exists and is not overwritten; name another folder: `gateway init DIR`",
                file.display()
            )
            .into());
        }
    }
    let (token, authorization) = (NewSecret::new("relay_")?, NewSecret::new("KakaoAK ")?);
    let folder = directory.join("billers");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
    token.write(&files.token)?;
    write_new(&files.main, &main_file(&files, &token))?;
    write_new(&files.biller, &biller_file(&authorization))?;
    let (main, biller, admin) = (
        files.main.display(),
        files.biller.display(),
        files.token.display(),
    );
    let mut out = std::io::stdout().lock();
    writeln!(out, "{main}: the configuration, with comments")?;
    writeln!(out, "{biller}: the first biller")?;
    writeln!(out, "{admin}: the admin token, mode 0600")?;
    writeln!(
        out,
        "\nB0001's calls carry this header, which is shown only here:"
    )?;
    writeln!(out, "\n    Authorization: {}", *authorization.text)?;
    writeln!(out, "\nNext:\n")?;
    writeln!(out, "    gateway check --config {main}")?;
    writeln!(out, "    gateway serve --config {main}")?;
    writeln!(
        out,
        "    gateway payments list --config {main} --token-file {admin}"
    )?;
    Ok(())
}

fn main_file(files: &Files, token: &NewSecret) -> String {
    let digest = format!("admin_token_sha256 = \"{}\"", token.sha256);
    let main = files.main.display().to_string();
    MAIN.replace(NO_ADMIN_TOKEN, &digest)
        .replace("config/gateway.toml", &main)
}

fn biller_file(authorization: &NewSecret) -> String {
    BILLER
        .replace(
            EXAMPLE_AUTHORIZATION,
            "    Authorization: (printed by `gateway init`, and kept nowhere)\n",
        )
        .replace(
            EXAMPLE_IS_PUBLIC,
            "# This is how to digest another value:\n",
        )
        .replace(EXAMPLE_DIGEST, &authorization.sha256)
}

fn write_new(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    made.and_then(|mut made| {
        made.write_all(text.as_bytes())?;
        made.sync_all()
    })
    .map_err(|error| format!("{}: cannot be written: {error}", file.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_have_every_text_that_is_replaced_once() {
        for (example, text) in [
            (MAIN, NO_ADMIN_TOKEN),
            (MAIN, "config/gateway.toml"),
            (BILLER, EXAMPLE_AUTHORIZATION),
            (BILLER, EXAMPLE_IS_PUBLIC),
            (BILLER, EXAMPLE_DIGEST),
        ] {
            assert_eq!(example.matches(text).count(), 1, "{text}");
        }
    }
}
