//! The notification policy: one tree that everybody in a Grafana shares. One route in it is ours;
//! all else is written back as it was read.

use serde_json::Value;

use crate::dashboard::Identity;

/// The tree with `route` in it, or without any route of ours where there is none; `None` when it is
/// so already.
///
/// A route that is there keeps its place, a new one comes first: before a route of somebody else
/// that takes everything.
pub fn placed(tree: &Value, identity: &Identity, route: Option<&Value>) -> Option<Value> {
    let mut fresh = tree.clone();
    let routes = fresh.get("routes").and_then(Value::as_array).cloned().unwrap_or_default();
    let place = routes.iter().position(|one| is_ours(one, identity));
    let is_right = match (place, route) {
        (None, None) => true,
        (Some(place), Some(route)) => {
            super::same::says(&routes[place], route)
                && routes.iter().filter(|one| is_ours(one, identity)).count() == 1
        }
        _ => false,
    };
    if is_right {
        return None;
    }
    let before = routes.iter().take(place.unwrap_or_default()).filter(|one| !is_ours(one, identity)).count();
    let mut others: Vec<Value> = routes.into_iter().filter(|one| !is_ours(one, identity)).collect();
    if let Some(route) = route {
        others.insert(before, route.clone());
    }
    if let Some(fields) = fresh.as_object_mut() {
        fields.insert("routes".to_owned(), others.into());
        // Grafana says it, and does not take it.
        fields.remove("provenance");
    }
    Some(fresh)
}

/// Whether the tree may be written with the header that keeps it editable.
pub fn stays_editable(tree: &Value) -> bool {
    super::found::is_editable(tree)
}

/// Whether a route of ours is in the tree.
pub fn has_ours(tree: &Value, identity: &Identity) -> bool {
    let routes = tree["routes"].as_array().into_iter().flatten();
    routes.into_iter().any(|route| is_ours(route, identity))
}

/// A route by exactly our label. One with more matchers is of somebody who wants to hear of some of
/// our alerts too.
fn is_ours(route: &Value, identity: &Identity) -> bool {
    let Some([matcher]) = route["object_matchers"].as_array().map(Vec::as_slice) else { return false };
    let Some([label, sign, value]) = matcher.as_array().map(Vec::as_slice) else { return false };
    label == "managed_by" && sign == "=" && value == identity.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dashboard::grafana;

    fn identity() -> Identity {
        "assay".parse().unwrap()
    }

    fn ours() -> Value {
        grafana::route(&identity())
    }

    fn foreign(receiver: &str) -> Value {
        json!({"receiver": receiver, "object_matchers": [["team", "=", receiver]], "routes": [{"receiver": "deep"}]})
    }

    fn tree(routes: &[Value]) -> Value {
        json!({"receiver": "grafana-default-email", "group_by": ["alertname"], "routes": routes, "provenance": "api"})
    }

    fn routes(tree: &Value) -> Vec<Value> {
        tree["routes"].as_array().unwrap().clone()
    }

    #[test]
    fn a_new_route_comes_first_and_the_rest_is_as_it_was() {
        let before = tree(&[foreign("a"), foreign("b")]);
        let after = placed(&before, &identity(), Some(&ours())).unwrap();
        assert_eq!(routes(&after), [ours(), foreign("a"), foreign("b")]);
        assert_eq!(after["receiver"], "grafana-default-email");
        assert_eq!(after["group_by"], json!(["alertname"]));
        assert_eq!(placed(&after, &identity(), Some(&ours())), None);
        let bare = json!({"receiver": "grafana-default-email"});
        assert_eq!(routes(&placed(&bare, &identity(), Some(&ours())).unwrap()), [ours()]);
    }

    #[test]
    fn a_route_that_somebody_changed_or_doubled_is_mended_in_its_place() {
        let mut changed = ours();
        changed["receiver"] = "elsewhere".into();
        let before = tree(&[foreign("a"), changed, foreign("b"), ours()]);
        let after = placed(&before, &identity(), Some(&ours())).unwrap();
        assert_eq!(routes(&after), [foreign("a"), ours(), foreign("b")]);
    }

    #[test]
    fn only_ours_is_taken_out() {
        let other: Identity = "assay-2".parse().unwrap();
        let mut narrower = ours();
        narrower["object_matchers"].as_array_mut().unwrap().push(json!(["severity", "=", "critical"]));
        let kept = [foreign("a"), grafana::route(&other), narrower];
        let mut all = kept.to_vec();
        all.insert(1, ours());
        let after = placed(&tree(&all), &identity(), None).unwrap();
        assert_eq!(routes(&after), kept);
        assert_eq!(placed(&after, &identity(), None), None);
        assert!(has_ours(&tree(&all), &identity()) && !has_ours(&after, &identity()));
    }

    #[test]
    fn grafana_writes_times_in_its_own_way() {
        let mut found = ours();
        found["repeat_interval"] = "4h0m0s".into();
        found["group_interval"] = "300s".into();
        assert_eq!(placed(&tree(&[found]), &identity(), Some(&ours())), None);
    }
}
