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

/// Returns whether the server is part of a Cluster, as Redis and Valkey name it.
pub(crate) fn is_part_of_cluster(info: &str) -> bool {
    let modes = ["redis_mode", "server_mode"].map(|name| field(info, name));
    modes.contains(&Some("cluster"))
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

    #[test]
    fn a_cluster_is_one_whoever_made_the_server() {
        for (info, expected) in [
            ("redis_version:7.0.15\r\nredis_mode:cluster\r\n", true),
            ("valkey_version:9.1.2\r\nserver_mode:cluster\r\n", true),
            ("redis_version:7.0.15\r\nredis_mode:standalone\r\n", false),
            ("valkey_version:9.1.2\r\nserver_mode:standalone\r\n", false),
        ] {
            assert_eq!(is_part_of_cluster(info), expected, "{info}");
        }
    }
}
