"""Reads the generated dashboards, alert rules, contact point and route into the models of one release
of grafana-foundation-sdk and writes them again: what a model drops or changes is nothing that this
release of Grafana knows. What it adds are its defaults.

    python round_trip.py newest|oldest PACKAGES DASHBOARDS
"""

import json
import sys
from pathlib import Path

RELEASE, PACKAGES, DASHBOARDS = sys.argv[1:]
sys.path.insert(0, PACKAGES)

from grafana_foundation_sdk.cog import plugins, runtime  # noqa: E402
from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402
from grafana_foundation_sdk.models import alerting, dashboard  # noqa: E402

BOARDS = ["quantity", "quality", "models", "engine"]

# What a release is known to pass over, and why it may, by the end of the path.
BARS = "newer than this release, which draws thicker bars with the names beside them"
NUMBERS = "newer than this release, which behaves like it"
MATCHERS = "the model of this release reads objects, where the API has always had lists of three"
EDITOR = "Grafana's editor writes it and its backend reads it; the model of a query leaves it out"
PASSED_OVER = {
    "oldest": {
        "options.namePlacement": BARS,
        "options.maxVizHeight": BARS,
        "options.sizing": BARS,
        "options.legend": BARS,
        "options.wideLayout": NUMBERS,
        "options.showPercentChange": NUMBERS,
        "options.percentChangeColorMode": NUMBERS,
        ".object_matchers": MATCHERS,
    },
    "any": {"model.intervalMs": EDITOR, "model.maxDataPoints": EDITOR},
}


def main():
    plugins.register_default_plugins()
    by_panel = runtime.Runtime().dataquery_from_json
    # A panel may mix questions and expressions, each of which names its own source.
    runtime.dataquery_from_json = lambda data, hint: by_panel(data, data.get("datasource", {}).get("type", hint))
    files = {name: (dashboard.Dashboard, read(name)) for name in BOARDS}
    for group in read("alert-rules"):
        files[f"alert-rules, {group['title']}"] = (alerting.RuleGroup, group)
    files["contact-point"] = (alerting.ContactPoint, read("contact-point"))
    files["notification-route"] = (alerting.NotificationPolicy, read("notification-route"))
    passed_over, mistakes = set(), set()
    for name, (model, written) in files.items():
        again = json.loads(json.dumps(model.from_json(written), cls=JSONEncoder))
        for path, what in differences(written, again, ""):
            reason = known(path)
            (passed_over if reason else mistakes).add(f"{name}{path}: {what}{f': {reason}' if reason else ''}")
    for mistake in sorted(mistakes):
        print(mistake, file=sys.stderr)
    if mistakes:
        sys.exit(f"round trip through the {RELEASE} Grafana: {len(mistakes)} mistakes")
    paths = {line.split(":")[0].split(".", 1)[1] for line in passed_over}
    without = f", without {', '.join(sorted(paths))}" if paths else ""
    print(f"round trip through the {RELEASE} Grafana: {len(files)} objects come back{without}")


def read(name):
    return json.loads(Path(DASHBOARDS, f"{name}.json").read_text())


def differences(written, again, path):
    """Where `again` lacks something of `written` or has another value of it; list indices are left
    out of the path, so that a mistake of every panel is named once."""
    if isinstance(written, dict) and isinstance(again, dict):
        for key, value in written.items():
            if key in again:
                yield from differences(value, again[key], f"{path}.{key}")
            elif value is not None:
                yield f"{path}.{key}", "not known"
    elif isinstance(written, list) and isinstance(again, list) and len(written) == len(again):
        for one, other in zip(written, again):
            yield from differences(one, other, path)
    elif written != again:
        yield path, f"{written!r} became {again!r}"


def known(path):
    reasons = PASSED_OVER["any"] | PASSED_OVER.get(RELEASE, {})
    return next((reason for end, reason in reasons.items() if path.endswith(end)), None)


main()
