"""Starts the AWS emulator with what it lacks to take the template whole.

| the stack has | MiniStack 1.5.33 | here |
|---|---|---|
| alarms that compute: `Metrics` in place of `MetricName` | fails the deployment | stored, and answered to DescribeAlarms |
| saved queries: `AWS::Logs::QueryDefinition` | fails the deployment | stored, and answered to DescribeQueryDefinitions |
| a queue's `MaximumConcurrency` from a parameter | keeps the text, and fails each poll of the queue | a number |

Nothing is evaluated here: an alarm that computes stays at INSUFFICIENT_DATA, and
tests/src/alert_rules/insights.rs plays CloudWatch for those that query. Nested stacks, dashboards and
alarms of one metric are the emulator's own. An emulator that takes what is refused now ends at its
start and says so: then the part goes away from here.
"""

import json
import time

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, new_uuid
from ministack.services import cloudwatch_logs
from ministack.services.cloudformation import provisioners

handlers = provisioners._RESOURCE_HANDLERS


# ---- Alarms that compute ----

record_of_one_metric = provisioners._cw_metric_alarm_record
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def alarm_record(name, properties):
    if not properties.get("Metrics"):
        return record_of_one_metric(name, properties)
    record = record_of_one_metric(name, {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"})
    for field in OF_ONE_METRIC:
        del record[field]
    record["Metrics"] = [query(one) for one in properties["Metrics"]]
    return record


def query(properties):
    """Numbers and truths may be texts in a template."""
    typed = {**properties, "ReturnData": str(properties.get("ReturnData", True)).lower() == "true"}
    if "Period" in typed:
        typed["Period"] = int(typed["Period"])
    if "MetricStat" in typed:
        typed["MetricStat"] = {**typed["MetricStat"], "Period": int(typed["MetricStat"]["Period"])}
    return typed


def take_alarms_that_compute():
    try:
        record_of_one_metric("", {"Metrics": [{}], "MetricName": "-", "Namespace": "-", "ComparisonOperator": "-", "Threshold": 0})
    except ValueError:
        provisioners._cw_metric_alarm_record = alarm_record
    else:
        raise SystemExit("the emulator takes alarms that compute by now: tests/emulator/start.py need not")


# ---- Saved queries ----

QUERY_DEFINITION = "AWS::Logs::QueryDefinition"
saved = AccountRegionScopedDict()
answer_of_logs = cloudwatch_logs.handle_request


def save(query_id, properties):
    saved[query_id] = {
        "queryDefinitionId": query_id,
        "name": properties["Name"],
        "queryString": properties["QueryString"],
        "logGroupNames": properties.get("LogGroupNames", []),
        "lastModified": int(time.time() * 1000),
    }
    return query_id, {"QueryDefinitionId": query_id}


async def answer_logs(method, path, headers, body, parameters):
    if not headers.get("x-amz-target", "").endswith(".DescribeQueryDefinitions"):
        return await answer_of_logs(method, path, headers, body, parameters)
    start = json.loads(body or "{}").get("queryDefinitionNamePrefix", "")
    found = [one for one in saved.values() if one["name"].startswith(start)]
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"queryDefinitions": found}).encode()


def take_saved_queries():
    if QUERY_DEFINITION in handlers:
        raise SystemExit("the emulator takes saved queries by now: tests/emulator/start.py need not")
    handlers[QUERY_DEFINITION] = {
        "create": lambda logical_id, properties, stack: save(new_uuid(), properties),
        "update": lambda query_id, before, properties, stack: save(query_id, properties),
        "delete": lambda query_id, properties: saved.pop(query_id, None),
    }
    cloudwatch_logs.handle_request = answer_logs


# ---- The concurrency of a queue ----


def in_numbers(provision):
    def with_numbers(*arguments):
        *before, properties, stack = arguments
        scaling = {name: int(value) for name, value in properties.get("ScalingConfig", {}).items()}
        return provision(*before, {**properties, "ScalingConfig": scaling}, stack)

    return with_numbers


def take_concurrency_in_numbers():
    mapping = handlers["AWS::Lambda::EventSourceMapping"]
    mapping.update({step: in_numbers(mapping[step]) for step in ("create", "update")})


take_alarms_that_compute()
take_saved_queries()
take_concurrency_in_numbers()
app.main()
