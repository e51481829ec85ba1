//! Addresses, as far as they are shown: whoever knows the rest of one may use it.

/// Returns an address without its query and without a user's name and password:
/// `https://a.example/hook` for `https://ana:secret@a.example/hook?token=1`.
pub(crate) fn shown_address(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let (scheme, rest) = match url.find("://") {
        Some(place) => url.split_at(place + "://".len()),
        None => ("", url),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::shown_address;

    #[test]
    fn what_lets_somebody_in_is_left_out() {
        for (url, shown) in [
            ("https://a.example/hook?token=1", "https://a.example/hook"),
            ("https://a.example/hook#token=1", "https://a.example/hook"),
            ("https://ana:se@cret@a.example:8/x", "https://a.example:8/x"),
            ("http://a.example?token=/@1", "http://a.example"),
            ("http://a.example/~ana@home/", "http://a.example/~ana@home/"),
            ("ana:secret@a.example/x?y", "a.example/x"),
        ] {
            assert_eq!(shown_address(url), shown, "{url}");
        }
    }
}
