"""Records what CloudWatch answers to the questions of the dashboards, for `make previews SERIES=file`:
from an AWS account, or with AWS_ENDPOINT_URL from the emulator that `make local` keeps up.

    python record.py DASHBOARDS SERIES.json [ENDPOINT]

Needs the permissions cloudwatch:ListMetrics and cloudwatch:GetMetricData. Without ENDPOINT it is the
first endpoint that has a metric of Assay's.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

BOARDS = ["quantity", "quality", "models"]
ENDPOINT, COMPONENT = "EndpointName", "InferenceComponentName"
HOURS = {"h": 1, "d": 24}
# Queries in a call of GetMetricData (API reference).
MOST_QUERIES = 500


def main():
    dashboards, output, *chosen = sys.argv[1:]
    questions = asked(Path(dashboards))
    # boto3 itself reads AWS_DEFAULT_REGION only.
    client = boto3.client("cloudwatch", region_name=os.environ.get("AWS_REGION"))
    published = listed(client, {namespace for namespace, *_ in questions})
    endpoint = chosen[0] if chosen else first_endpoint(questions, published)
    components = {one[COMPONENT] for _, _, one in published if one.get(ENDPOINT) == endpoint and COMPONENT in one}
    now = int(time.time()) // 60 * 60
    series, longest = [], max(questions.values())
    for hours in sorted(set(questions.values())):
        wanted = [question for question, one in questions.items() if one == hours]
        found = [
            {"namespace": namespace, "metric": metric, "dimensions": dimensions, "statistic": statistic, "period": period}
            for namespace, metric, names, statistic, period in wanted
            for where, what, dimensions in published
            if (where, what, frozenset(dimensions)) == (namespace, metric, names)
            and dimensions.get(ENDPOINT, endpoint) == endpoint
            and (ENDPOINT in dimensions or dimensions.get(COMPONENT) in components)
        ]
        series += answered(client, found, now - hours * 3600, now)
    recording = {
        "about": f"what CloudWatch answered about {endpoint}",
        "is_made_up": False,
        "from": now - longest * 3600,
        "to": now,
        "endpoint": endpoint,
        "series": series,
    }
    Path(output).write_text(json.dumps(recording))
    print(f"{output}: {len(series)} series of {endpoint}, for {len(questions)} questions")


def asked(dashboards):
    """The questions, each with the greatest number of hours that a panel shows it for."""
    questions = {}
    for board in BOARDS:
        dashboard = json.loads((dashboards / f"{board}.json").read_text())
        for panel in dashboard["panels"]:
            number, unit = re.fullmatch(r"(?:now-)?(\d+)([hd])", panel.get("timeFrom") or dashboard["time"]["from"]).groups()
            for target in panel.get("targets", []):
                if "metricName" not in target:
                    continue
                names = frozenset(target["dimensions"])
                question = (target["namespace"], target["metricName"], names, target["statistic"], int(target["period"]))
                questions[question] = max(questions.get(question, 0), int(number) * HOURS[unit])
    return questions


def listed(client, namespaces):
    """Every series of the namespaces: namespace, metric, dimensions by name."""
    pages = client.get_paginator("list_metrics")
    return [
        (namespace, metric["MetricName"], {one["Name"]: one["Value"] for one in metric["Dimensions"]})
        for namespace in sorted(namespaces)
        for page in pages.paginate(Namespace=namespace)
        for metric in page["Metrics"]
    ]


def first_endpoint(questions, published):
    own = {namespace for namespace, _, names, *_ in questions if names == {ENDPOINT, COMPONENT}}
    endpoints = sorted(one[ENDPOINT] for namespace, _, one in published if namespace in own and ENDPOINT in one)
    return endpoints[0] if endpoints else sys.exit(f"no endpoint has a metric in {' or '.join(sorted(own))}")


def answered(client, found, start, end):
    for first in range(0, len(found), MOST_QUERIES):
        batch = found[first : first + MOST_QUERIES]
        points = [{} for _ in batch]
        pages = client.get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=[query(at, one) for at, one in enumerate(batch)], StartTime=start, EndTime=end):
            for result in page["MetricDataResults"]:
                seconds = [int(one.timestamp()) for one in result["Timestamps"]]
                points[int(result["Id"][1:])].update(zip(seconds, result["Values"]))
        for one, own in zip(batch, points):
            if own:
                times = sorted(own)
                yield {**one, "times": times, "values": [own[at] for at in times]}


def query(at, one):
    dimensions = [{"Name": name, "Value": value} for name, value in one["dimensions"].items()]
    metric = {"Namespace": one["namespace"], "MetricName": one["metric"], "Dimensions": dimensions}
    return {"Id": f"q{at}", "MetricStat": {"Metric": metric, "Period": one["period"], "Stat": one["statistic"]}}


try:
    main()
except (BotoCoreError, ClientError) as error:
    sys.exit(f"CloudWatch was not read: {error}")
