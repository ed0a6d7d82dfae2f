//! The fields of a server's answer to `INFO`.

/// Returns the value of the line `name:value`; `None` where there is no such line.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim_end)
}

/// Returns which process a server is, by its answer to `INFO server`.
pub(crate) fn run_id(info: &str) -> Option<&str> {
    field(info, "run_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let info = "# Server\r\nrun_id_2:x\r\nrun_id:abc\r\n";
        assert_eq!(run_id(info), Some("abc"));
        assert_eq!(field(info, "role"), None);
    }
}
