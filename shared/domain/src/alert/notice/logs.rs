//! The address of a component's logs in the console of CloudWatch Logs Insights.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::names::ComponentName;

/// The newest 200 lines that the containers of `component` wrote between `from` and `until`, in
/// log group `/aws/sagemaker/InferenceComponents/<component>`. `None` when `region` is no region's
/// name.
///
/// AWS does not document the form; it is what the console itself puts into the address bar. The
/// query is one value of the fragment, in which `?` and `=` are written `$3F` and `$3D`; in it
/// `~(key~value~...)` is an object, `(~item~...)` a list, `'` starts a text, and every byte of a
/// text other than letters, digits, `-`, `_` and `.` is `*` and two hexadecimal digits.
pub fn logs_url(
    region: &str,
    component: &ComponentName,
    from: Timestamp,
    until: Timestamp,
) -> Option<String> {
    let is_region_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_region_byte) {
        return None;
    }
    let console = match region {
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let query = "fields @timestamp, @message\n| sort @timestamp desc\n| limit 200";
    let group = format!("/aws/sagemaker/InferenceComponents/{component}");
    let time = |at: Timestamp| text(&at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    Some(format!(
        "https://{region}.{console}/cloudwatch/home?region={region}#logsV2:logs-insights$3FqueryDetail$3D\
         ~(end~{}~start~{}~timeType~'ABSOLUTE~tz~'UTC~editorString~{}~source~(~{}))",
        time(until),
        time(from),
        text(query),
        text(&group),
    ))
}

fn text(value: &str) -> String {
    let mut written = String::from("'");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(written, "*{byte:02x}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(region: &str) -> Option<String> {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let component = "gpt-oss-20b".parse().unwrap();
        logs_url(region, &component, at("2026-03-02T09:05:00Z"), at("2026-03-02T09:50:00.123Z"))
    }

    /// The form that the console writes itself, with the log group and the window of an alert.
    #[test]
    fn the_address_is_in_the_form_of_the_console() {
        let expected = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1\
            #logsV2:logs-insights$3FqueryDetail$3D~(end~'2026-03-02T09*3a50*3a00.000Z\
            ~start~'2026-03-02T09*3a05*3a00.000Z~timeType~'ABSOLUTE~tz~'UTC\
            ~editorString~'fields*20*40timestamp*2c*20*40message*0a*7c*20sort*20*40timestamp*20desc\
            *0a*7c*20limit*20200~source~(~'*2faws*2fsagemaker*2fInferenceComponents*2fgpt-oss-20b))";
        assert_eq!(url("eu-west-1").as_deref(), Some(expected));
    }

    #[test]
    fn the_delimiters_of_the_form_cannot_come_from_a_text() {
        assert_eq!(text("a~b'c(d)e$f%g h/ä"), "'a*7eb*27c*28d*29e*24f*25g*20h*2f*c3*a4");
    }

    #[test]
    fn other_partitions_have_other_consoles_and_no_region_has_none() {
        assert!(url("cn-north-1").unwrap().starts_with("https://cn-north-1.console.amazonaws.cn/"));
        let government = url("us-gov-west-1").unwrap();
        assert!(government.starts_with("https://us-gov-west-1.console.amazonaws-us-gov.com/"));
        for wrong in ["", "EU", "eu-west-1.evil.example/", "US East (N. Virginia)"] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }
}
